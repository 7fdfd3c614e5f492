"""`keys`: what signs an event's badges."""

from __future__ import annotations

import argparse
import asyncio
import json
from uuid import UUID

import msgspec

from server.badge.actions import retire_key, rotate_key
from server.badge.queries import list_keys
from server.badge.types import BadgeKeyState, states
from server.commands.options import add_data_dir, find_event, reached_database, settings_of
from server.db import Database, open_database
from server.errors import AppError
from server.migrate import migrate
from server.refusal import Refused

HELP = """\
list, make and retire the keys that sign an event's badges

The newest key signs. A new one is worth making when the signing secret may have been seen, and once its badges are printed the
old one can be retired: scanners without a network then stop believing it, and ask for the network where they see its badges.
With a network every badge is let in or refused by its code, whatever signed it.

  python3 -m server keys list   digital-now
  python3 -m server keys new    digital-now      badges printed before stay valid
  python3 -m server keys retire digital-now 0    … until their key is retired"""


def add(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    listing = what.add_parser("list", help="all keys, with their public halves")
    making = what.add_parser("new", help="make a key, which signs from now on")
    retiring = what.add_parser("retire", help="let scanners believe a key no more")
    for command in (listing, making, retiring):
        command.add_argument("event", metavar="EVENT", help="the event's slug")
    retiring.add_argument("key", metavar="KEY", type=int, help="its number, as `list` shows it")
    for command in (listing, making, retiring):
        add_data_dir(command)
        command.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    with reached_database(settings_of(arguments)) as settings:
        keys = asyncio.run(_run(arguments, settings.database_url, durable=settings.durable))
    if arguments.json:
        print(json.dumps({"keys": msgspec.to_builtins(keys)}))
    else:
        print("\n".join(_spoken(key) for key in keys) or "This event has signed no badge yet.")
    return 0


async def _run(arguments: argparse.Namespace, url: str, *, durable: bool) -> list[BadgeKeyState]:
    await migrate(url, durable=durable)
    async with open_database(url, size=1, name="keys") as db:
        event = await find_event(db, arguments.event)
        try:
            if arguments.what == "new":
                await rotate_key(db, event.event_id)
            elif arguments.what == "retire":
                await retire_key(db, event.event_id, arguments.key)
        except AppError as error:
            raise Refused(str(error)) from None
        return await _list(db, event.event_id)


async def _list(db: Database, event_id: UUID) -> list[BadgeKeyState]:
    async with db.read() as connection:
        return states(await list_keys(connection, event_id))


def _spoken(key: BadgeKeyState) -> str:
    state = f"retired {key.retired_at:%Y-%m-%d %H:%M} UTC" if key.retired_at else "signs" if key.signs else "verifies"
    return f"{key.id:>2}  {key.algorithm} {key.public_key}  made {key.created_at:%Y-%m-%d %H:%M} UTC  {state}"
