"""`token`: who may do something, and who no longer may."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from uuid import UUID

from server.access.actions import create_device, create_organizer, revoke
from server.badge.actions import replace_badge
from server.badge.errors import UnknownAttendee
from server.commands.options import add_data_dir, find_event, running_database, settings_of
from server.db import Database, open_database
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
    device.add_argument("event", metavar="EVENT", help="the event's slug")
    device.add_argument("--name", required=True, help="the scanner's name, unique in the event")
    device.add_argument("--gate", required=True, help="where it stands; a new gate is made when none has this name")
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
    for command in (organizer, device, badge, revoking):
        add_data_dir(command)
        command.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "revoke" and arguments.code == "-":
        arguments.code = sys.stdin.readline().strip()
    with running_database(settings_of(arguments)) as (settings, _postgres):
        result = asyncio.run(_run(arguments, settings.database_url, durable=settings.durable))
    print(json.dumps(result) if arguments.json else "\n".join(f"{key}: {value}" for key, value in result.items()))
    return 0


async def _run(arguments: argparse.Namespace, url: str, *, durable: bool) -> dict[str, str]:
    await migrate(url, durable=durable)
    async with open_database(url, size=1, name="token") as db:
        event = await find_event(db, arguments.event)
        if arguments.what == "organizer":
            return {"token": await create_organizer(db, event.event_id, name=arguments.name)}
        if arguments.what == "device":
            return {"token": await create_device(db, event.event_id, name=arguments.name, gate=arguments.gate)}
        if arguments.what == "badge":
            return await _replace_badge(db, event.event_id, arguments.attendee)
        return {"revoked": await revoke(db, event.event_id, arguments.code)}


async def _replace_badge(db: Database, event_id: UUID, attendee_id: UUID) -> dict[str, str]:
    try:
        issued = await replace_badge(db, event_id, attendee_id)
    except UnknownAttendee as error:
        raise Refused(str(error)) from None
    return {"short_code": issued.short_code, "code": issued.code}
