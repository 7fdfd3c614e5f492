"""`demo`: the sample conference, live."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from server.child import configure_logging
from server.commands.options import add_serving, own_database, settings_of
from server.commands.progress import show_progress
from server.config import Settings
from server.db import Database, open_database
from server.demo import credentials, load
from server.demo.credentials import Options
from server.demo.programme import load_event
from server.demo.shift import move_to
from server.errors import UnknownEvent
from server.event.directory import Events
from server.event.types import EventRow
from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.programme import Programme
from server.migrate import migrate
from server.processes import Processes
from server.refusal import Refused

HELP = """\
start a whole conference on this machine

Loads the sample event (Digital Now, Casablanca: two days, programme in French, Arabic and English, 50 exhibitors, 5,000
attendees) unless it is there, serves the API and the live feed, and prints where they are and with which tokens to try
them. What happens in it stays, until --fresh."""

SHOW_PROGRESS_FROM = 20_000


def add(parser: argparse.ArgumentParser) -> None:
    event = parser.add_argument_group("the event")
    event.add_argument("--attendees", type=_count(0, 1_000_000), metavar="N", help="how many (default 5000)")
    event.add_argument("--exhibitors", type=_count(0, 2_000), metavar="M", help="how many (default 50)")
    event.add_argument(
        "--seed", type=_count(0, 2**63), metavar="S", help="the same people for the same number (default 1)"
    )
    event.add_argument("--starts-on", type=_date, metavar="DATE", help="its first day, 2026-12-18 (default today)")
    event.add_argument(
        "--schedule",
        type=Path,
        metavar="FILE",
        help="a programme instead of the sample's, moved to the event's first day: frab's schedule.xml or schedule.json, "
        "what the API of pretalx or Sessionize answers, or a list of sessions in JSON",
    )
    event.add_argument("--fresh", action="store_true", help="replace the event that is there, its check-ins included")
    event.add_argument("--out", type=Path, metavar="DIR", help="write demo.json and attendees.csv (with tokens) there")
    event.add_argument("--load-only", action="store_true", help="load it and stop")
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead of the overview")
    add_serving(parser.add_argument_group("the server"))


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    programme, digest = _read_schedule(arguments.schedule)
    with own_database(settings) as (running, postgres):
        asyncio.run(migrate(running.database_url, durable=running.durable))
        processes = None if arguments.load_only else Processes(running, postgres)  # a busy port is told before loading
        event = asyncio.run(_provide(arguments, running, programme, digest))
        folder = credentials.folder_of(running.data_dir, event.event_id)
        if arguments.out is not None:
            credentials.copy_out(folder, arguments.out)
        if processes is None:
            print(_overview(event, folder, None, as_json=arguments.json), flush=True)
            return 0
        configure_logging()
        serving = processes
        serving.run(lambda: print(_overview(event, folder, serving, as_json=arguments.json), flush=True))
    return 0


async def _provide(
    arguments: argparse.Namespace, settings: Settings, programme: Programme | None, digest: str | None
) -> EventRow:
    """The sample event, loaded now or earlier."""
    async with open_database(settings.database_url, size=1, name="demo") as db:
        event = await _existing(db)
        if event is not None and arguments.fresh:
            await load.delete_demo(db, event.event_id)
            shutil.rmtree(credentials.folder_of(settings.data_dir, event.event_id), ignore_errors=True)
            event = None
        if event is not None:
            _check_same(arguments, settings, event, digest)
            return event
        timezone = load_event().timezone
        today = datetime.now(ZoneInfo(timezone)).date()
        asked = {
            name: value
            for name in ("attendees", "exhibitors", "seed")
            if (value := getattr(arguments, name)) is not None
        }
        options = Options(starts_on=arguments.starts_on or today, schedule=digest, **asked)
        if programme is not None:
            programme = move_to(programme, options.starts_on, timezone)
        await load.load_demo(
            db, options, programme, lambda event_id: credentials.folder_of(settings.data_dir, event_id), _show_progress
        )
        return await Events(db).get(load.SLUG)


async def _existing(db: Database) -> EventRow | None:
    try:
        return await Events(db).get(load.SLUG)
    except UnknownEvent:
        return None


def _check_same(arguments: argparse.Namespace, settings: Settings, event: EventRow, digest: str | None) -> None:
    """Refuses to serve another event than the one that was asked for."""
    known = credentials.read_options(credentials.folder_of(settings.data_dir, event.event_id))
    if known is None:
        raise Refused(
            f"This database has an event `{event.slug}` whose tokens are not in {settings.data_dir}: name the --data-dir "
            "it was loaded with, or replace it with --fresh."
        )
    for name, asked in (
        ("attendees", arguments.attendees),
        ("exhibitors", arguments.exhibitors),
        ("seed", arguments.seed),
        ("starts_on", arguments.starts_on),
        ("schedule", digest),
    ):
        if asked is not None and asked != getattr(known, name):
            raise Refused(
                f"The event here was loaded with other options (--{name.replace('_', '-')}): replace it, check-ins "
                "included, with --fresh, or use another --data-dir."
            )


def _read_schedule(path: Path | None) -> tuple[Programme | None, str | None]:
    if path is None:
        return None, None
    try:
        data = path.read_bytes()
        programme = read_schedule(data, filename=path.name, timezone=load_event().timezone)
    except OSError as error:
        raise Refused(f"Cannot read {path}: {error.strerror}.") from None
    except UnreadableSchedule as error:
        raise Refused(f"{path.name} cannot be used: {error}") from None
    for repair in programme.repairs:
        print(f"{path.name}: {repair.where}: {repair.what}", file=sys.stderr)
    return programme, hashlib.sha256(data).hexdigest()


def _overview(event: EventRow, folder: Path, processes: Processes | None, *, as_json: bool) -> str:
    demo = credentials.read_demo_file(folder)
    options = credentials.read_options(folder)
    attendee = credentials.first_attendee(folder)
    if demo is None or options is None:
        raise Refused(f"The event's tokens are not in {folder}: replace it with --fresh.")
    path = f"/v1/events/{event.slug}"
    api, live = (processes.api_url, processes.live_url) if processes else ("", "")
    if as_json:
        urls = {"api_url": api + path, "live_url": f"{live}{path}/live"} if processes else {}
        return json.dumps({"event": event.slug, **urls, "files": str(folder)})
    when = f"{event.venue['city']['fr']}, {event.starts_on:%d.%m.%Y} to {event.ends_on:%d.%m.%Y}"
    who = f"{options.attendees:,} attendees, {len(demo.exhibitors)} exhibitors, {len(demo.devices)} scanners"
    lines = [f"{event.name['fr']} — {event.theme['fr']}", when, who, ""]
    if processes:
        lines += [
            f"  API        {api}{path}",
            f"  Programme  {api}{path}/schedule?lang=fr",
            f"  Live feed  {live}{path}/live",
            f"  Reference  {api}/docs",
            "",
        ]
    if event.ends_on < datetime.now(ZoneInfo(event.timezone)).date():
        lines += ["  (Its days are over: --fresh makes one that starts today.)", ""]
    lines += [f"  Organizer  {demo.organizer_token}"]
    lines += [f"  Scanner    {device.token}  ({device.gate})" for device in demo.devices[:1]]
    lines += [f"  Booth      {booth.token}  ({booth.booth})" for booth in demo.exhibitors[:1]]
    if attendee:
        lines += [f"  Attendee   {attendee['token']}", f"  Badge      {attendee['short_code']}  ({attendee['name']})"]
    lines += [f"  All        {folder}/demo.json, attendees.csv"]
    return "\n".join(lines + (["", "Ctrl-C stops it; what happened stays."] if processes else []))


def _show_progress(done: int, total: int) -> None:
    show_progress("loading", done, total, worth_from=SHOW_PROGRESS_FROM)


def _count(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low:,} and {high:,}")
        return value

    return number


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-12-18") from None
