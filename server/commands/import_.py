"""`import`: a schedule file into an event, or what it would change."""

from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from pathlib import Path

import msgspec

from server.commands.options import add_data_dir, find_event, reached_database, settings_of
from server.config import Settings
from server.db import Database, open_database
from server.errors import AppError
from server.event.actions import create_event
from server.event.errors import SlugTaken
from server.event.reader import Reader
from server.event.types import EventRow
from server.interchange.detect import MAX_BYTES, read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.programme import Programme, Repair
from server.migrate import migrate
from server.refusal import Refused
from server.schedule.import_actions import Imported, import_programme
from server.schedule.types import Change
from server.texts import choose_language

HELP = """\
bring a schedule file into an event

Reads frab and pentabarf schedule.xml, schedule.json (1 and 2), pretalx's and Sessionize's JSON, iCalendar, CSV and XLSX; the
format is told by the content. What the file got wrong is mended and listed. The event changes only where the file says
otherwise than the one before it: what organizers have changed meanwhile stays. A session that the file no longer has is
shown as cancelled. All of it becomes one version, which phones hear of at once; a file that cannot be read changes nothing.

  python3 -m server import schedule digital-now schedule.xml --dry-run    what would change, and what is wrong in the file
  python3 -m server import schedule digital-now schedule.xml
  python3 -m server import schedule digital-now talks.csv --timezone Africa/Casablanca
  python3 -m server import schedule forum-2027 schedule.xml --create    an event of its own; `token organizer` comes next"""

SHOWN = 30
"""Lines of a list; `--all` shows the rest."""

_MARKS = {"added": "+", "removed": "-", "cancelled": "x"}


def add(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    schedule = what.add_parser("schedule", help="the programme: days, rooms, tracks, speakers, sessions")
    schedule.add_argument("event", metavar="EVENT", help="the event's slug")
    schedule.add_argument("file", type=Path, metavar="FILE", help="the schedule file, also packed with gzip")
    schedule.add_argument(
        "--create", action="store_true", help="make the event first: its name, zone, languages and days are the file's"
    )
    schedule.add_argument("--dry-run", action="store_true", help="only say what would change")
    schedule.add_argument("--timezone", metavar="ZONE", help="of times that carry none (default: the event's own)")
    schedule.add_argument("--note", default="", metavar="TEXT", help="what the version's change log says of it")
    schedule.add_argument("--lang", metavar="TAG", help="in which of the event's languages to show what changes")
    schedule.add_argument(
        "--all", action="store_true", help=f"show every line, not only the first {SHOWN} of each list"
    )
    add_data_dir(schedule)
    schedule.add_argument("--json", action="store_true", help="the whole report as one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    if arguments.create and arguments.dry_run:
        raise Refused("--create makes the event and --dry-run makes nothing: give one of them.")
    data = _read(arguments.file)
    with reached_database(settings_of(arguments)) as settings:
        programme, imported = asyncio.run(_import(arguments, settings, data))
    if arguments.json:
        print(msgspec.json.encode(imported).decode())
        return 0
    print(_count_up(arguments.file.name, programme))
    _list("mended in the file", [_line(one) for one in imported.repairs], whole=arguments.all)
    _list("changed here, and now by the file", [_line(one) for one in imported.overruled], whole=arguments.all)
    _list("changes" if imported.version else "would change", _changes(imported.changes), whole=arguments.all)
    print(_outcome(arguments, imported))
    return 0


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


async def _import(arguments: argparse.Namespace, settings: Settings, data: bytes) -> tuple[Programme, Imported]:
    await migrate(settings.database_url, durable=settings.durable)
    async with open_database(settings.database_url, size=1, name="import") as db:
        event = None if arguments.create else await find_event(db, arguments.event)
        programme = _understand(arguments, data, None if event is None else event.timezone)
        event = event or await _create(db, arguments.event, programme)
        language = choose_language(arguments.lang, None, event.languages, event.default_language)
        reader = Reader(language, event.default_language)
        try:
            imported = await import_programme(
                db, event, programme, reader=reader, dry_run=arguments.dry_run, note=arguments.note
            )
        except AppError as refusal:
            raise Refused(f"{arguments.file}: {refusal} Nothing was imported.") from refusal
    return programme, imported


def _understand(arguments: argparse.Namespace, data: bytes, timezone: str | None) -> Programme:
    try:
        return read_schedule(data, filename=arguments.file.name, timezone=arguments.timezone or timezone)
    except UnreadableSchedule as fault:
        hint = "" if arguments.timezone or "time zone" not in str(fault) else " (--timezone ZONE)"
        raise Refused(f"{arguments.file}: {fault}{hint}. Nothing was imported.") from fault


async def _create(db: Database, slug: str, programme: Programme) -> EventRow:
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{1,62}", slug) is None:
        raise Refused(f"`{slug}` cannot name an event: take small letters, digits and hyphens, such as forum-2027.")
    try:
        return await create_event(db, slug, programme)
    except SlugTaken:
        raise Refused(f"There is an event `{slug}` already: import without --create, or take another name.") from None


def _count_up(name: str, programme: Programme) -> str:
    version = f", version {programme.version}" if programme.version else ""
    counted = ", ".join(
        f"{len(things):,} {noun}"
        for noun, things in (
            ("sessions", programme.sessions),
            ("speakers", programme.speakers),
            ("rooms", programme.rooms),
            ("tracks", programme.tracks),
        )
    )
    return f"{name}{version}: {counted}."


def _changes(changes: list[Change]) -> list[str]:
    return [
        f"{_MARKS.get(one.kinds[0], '~')} {one.sentence or f'{one.subject} {one.title}: {_what(one)}'}"
        for one in changes
    ]


def _what(change: Change) -> str:
    return ", ".join(change.changed) or change.kinds[0]


def _list(title: str, lines: list[str], *, whole: bool) -> None:
    if not lines:
        return
    print(f"\n{title} ({len(lines):,}):")
    for line in lines if whole else lines[:SHOWN]:
        print(f"  {line}")
    if len(lines) > SHOWN and not whole:
        print(f"  … and {len(lines) - SHOWN:,} more (--all shows them).")


def _line(repair: Repair) -> str:
    return f"{repair.where}: {repair.what}"


def _outcome(arguments: argparse.Namespace, imported: Imported) -> str:
    kinds = Counter(kind for one in imported.changes for kind in one.kinds if one.subject == "session")
    summary = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in kinds.most_common())
    sessions = f" Sessions: {summary}." if summary else ""
    if arguments.dry_run:
        return f"\nNothing was imported: this was a dry run.{sessions}"
    if imported.version is None:
        return "\nThe event says all of this already: nothing has changed."
    return f"\nImported as version {imported.version:,} of {arguments.event}.{sessions}"
