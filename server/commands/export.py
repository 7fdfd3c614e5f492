"""`export`: an event's programme as a file, or an empty form for one."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from server.commands.options import add_data_dir, find_event, reached_database, settings_of
from server.config import Settings
from server.db import open_database
from server.event.types import EventRow
from server.interchange.sheet.template import template
from server.migrate import migrate
from server.refusal import Refused
from server.schedule.edition import read_edition
from server.schedule.formats import FORMATS, language_of

HELP = """\
write an event's programme into a file

The files are those that the server itself hands out, and more: what the imported files said beyond what a programme has a place
for is kept in them. What goes out comes in again the same, with `import schedule`.

  python3 -m server export schedule digital-now --format xlsx --out programme.xlsx    everything, in all languages
  python3 -m server export schedule digital-now --format xml --lang fr                frab's schedule.xml, to standard output
  python3 -m server export template digital-now --out form.xlsx                       a form to fill in and import"""

NAMES = {
    "xml": "schedule.xml",
    "json": "schedule.json",
    "json2": "schedule.v2.json",
    "ics": "schedule.ics",
    "csv": "schedule.csv",
    "xlsx": "schedule.xlsx",
}
"""What a format is called here → what its file is called."""


def add(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    schedule = what.add_parser("schedule", help="the programme")
    schedule.add_argument(
        "--format", choices=NAMES, required=True, help="json2 is schedule.json version 2, in all languages"
    )
    schedule.add_argument("--lang", metavar="TAG", help="the language of xml, json, ics; of csv all if none is given")
    form = what.add_parser("template", help="an empty workbook that explains itself, in the event's languages")
    for command in (schedule, form):
        command.add_argument("event", metavar="EVENT", help="the event's slug")
        command.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: standard output)")
        add_data_dir(command)


def run(arguments: argparse.Namespace) -> int:
    packed = arguments.what == "template" or arguments.format == "xlsx"
    if arguments.out is None and packed and sys.stdout.isatty():
        raise Refused("A workbook is no text for a terminal: name a file with --out.")
    with reached_database(settings_of(arguments)) as settings:
        event, data = asyncio.run(_make(arguments, settings))
    if arguments.out is None:
        sys.stdout.buffer.write(data)
        return 0
    _write(arguments.out, data)
    print(f"{arguments.out}: {len(data):,} bytes of {event.slug}.")
    return 0


async def _make(arguments: argparse.Namespace, settings: Settings) -> tuple[EventRow, bytes]:
    await migrate(settings.database_url, durable=settings.durable)
    async with open_database(settings.database_url, size=1, name="export") as db:
        event = await find_event(db, arguments.event)
        if arguments.what == "template":
            return event, template(event.languages)
        wanted = FORMATS[NAMES[arguments.format]]
        base_url = f"{settings.address}/v1/events/{event.slug}"
        edition = await read_edition(db, event, base_url=base_url, with_extra=True)
        return event, wanted.write(edition, language_of(wanted, arguments.lang, None, event), None)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a file that was there stays until the new one is complete."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)  # noqa: PTH105 - atomic, as the docstring says
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
