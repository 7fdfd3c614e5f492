"""`token`: who may do something, and who no longer may."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import get_args
from uuid import UUID

import segno

from server.access.actions import create_device, create_organizer, invite_device, revoke
from server.attendee.errors import UnknownAttendee
from server.badge.actions import replace_badge
from server.commands.options import add_data_dir, find_event, reached_database, settings_of
from server.config import Settings
from server.db import Database, open_database
from server.device.codes import qr_content
from server.device.types import Profile
from server.event.types import EventRow
from server.migrate import migrate
from server.refusal import Refused

HELP = """\
give out or revoke tokens and badges

A token is shown once, here; the database keeps only its hash. A revoked one stops working within a second, also on
connections that are open."""


def add(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    organizer = what.add_parser("organizer", help="a token that may change the event")
    organizer.add_argument("event", metavar="EVENT", help="the event's slug")
    organizer.add_argument("--name", required=True, help="whose token it is")
    device = what.add_parser("device", help="a token for a scanner at a gate")
    _add_device(device, default="scan+search")
    pair = what.add_parser("pair", help="a code by which a phone becomes a scanner, once and within ten minutes")
    _add_device(pair, default="scan")
    badge = what.add_parser(
        "badge", help="another badge for an attendee, whose others are revoked; print it with `badges`"
    )
    badge.add_argument("event", metavar="EVENT", help="the event's slug")
    badge.add_argument("attendee", type=UUID, metavar="ATTENDEE", help="the attendee's id")
    revoking = what.add_parser("revoke", help="take a token, or a badge's code, out of use")
    revoking.add_argument("event", metavar="EVENT", help="the event's slug")
    revoking.add_argument(
        "code", metavar="TOKEN_OR_CODE", help="`-` reads it from standard input, away from the history"
    )
    for command in (organizer, device, pair, badge, revoking):
        add_data_dir(command)
        command.add_argument("--json", action="store_true", help="one line of JSON for programs")


def _add_device(parser: argparse.ArgumentParser, *, default: Profile) -> None:
    parser.add_argument("event", metavar="EVENT", help="the event's slug")
    parser.add_argument("--name", required=True, help="the scanner's name, unique in the event")
    parser.add_argument("--gate", required=True, help="where it stands; a new gate is made when none has this name")
    parser.add_argument(
        "--profile", choices=get_args(Profile), default=default, help=f"what it may do (default {default})"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "revoke" and arguments.code == "-":
        arguments.code = sys.stdin.readline().strip()
    with reached_database(settings_of(arguments)) as settings:
        result = asyncio.run(_run(arguments, settings))
    print(json.dumps(result) if arguments.json else "\n".join(f"{key}: {value}" for key, value in result.items()))
    if "qr" in result and not arguments.json and sys.stdout.isatty():
        segno.make(result["qr"], error="m").terminal(compact=True)  # half blocks: it fits a narrow terminal
    return 0


async def _run(arguments: argparse.Namespace, settings: Settings) -> dict[str, str]:
    await migrate(settings.database_url, durable=settings.durable)
    async with open_database(settings.database_url, size=1, name="token") as db:
        event = await find_event(db, arguments.event)
        if arguments.what == "organizer":
            return {"token": await create_organizer(db, event.event_id, name=arguments.name)}
        if arguments.what == "badge":
            return await _replace_badge(db, event.event_id, arguments.attendee)
        if arguments.what == "revoke":
            return {"revoked": await revoke(db, event.event_id, arguments.code)}
        if arguments.what == "pair":
            return await _invite(db, event, arguments, settings)
        scanner = {"name": arguments.name, "gate": arguments.gate, "profile": arguments.profile}
        return {"token": await create_device(db, event.event_id, **scanner)}


async def _invite(db: Database, event: EventRow, arguments: argparse.Namespace, settings: Settings) -> dict[str, str]:
    invitation = await invite_device(
        db, event.event_id, name=arguments.name, gate=arguments.gate, profile=arguments.profile
    )
    return {
        "code": invitation.code,
        "expires_at": invitation.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "qr": qr_content(settings.address, event.slug, invitation.code),
    }


async def _replace_badge(db: Database, event_id: UUID, attendee_id: UUID) -> dict[str, str]:
    try:
        issued = await replace_badge(db, event_id, attendee_id)
    except UnknownAttendee as error:
        raise Refused(str(error)) from None
    return {"short_code": issued.short_code, "code": issued.code}
