"""`badges`: an event's badges, ready to print."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

from server.attendee.codes import in_groups
from server.badge.queries import list_printed
from server.badge.types import PrintedRow
from server.checkin.policy import clean_code
from server.commands.options import add_data_dir, find_event, reached_database, settings_of
from server.db import open_database
from server.event.types import EventRow
from server.migrate import migrate
from server.refusal import Refused

HELP = """\
print an event's badges into a PDF

Each badge is A6 (105 × 148.5 mm): the name in Latin and in Arabic script, the company, the kind of ticket, the signed code as a
QR, and beneath it the short code that a person can type at a door. Revoked badges are left out. The file opens doors: it is
written readable by you alone, and belongs in the bin once everybody has a badge.

  python3 -m server badges digital-now --out badges.pdf                    one badge a page, for a badge printer
  python3 -m server badges digital-now --out sheets.pdf --size a4          four on a sheet, with marks where to cut
  python3 -m server badges digital-now --out vip.pdf --ticket vip --ticket speaker --sort company
  python3 -m server badges digital-now --out one.pdf --only "7K3M 9QXA"    a single badge once more

Print at 100 %, not "fit to page". Somebody who lost a badge gets another one first, so that the lost one opens nothing:
`token badge EVENT ATTENDEE`, or as an organizer POST …/attendees/ID/badge."""

NAMED_BADGES = 5


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", metavar="EVENT", help="the event's slug")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.pdf", help="where to write; replaced if it is there"
    )
    parser.add_argument(
        "--size", choices=("a6", "a4"), default="a6", help="one A6 a page (default), or four on A4 to cut"
    )
    parser.add_argument(
        "--ticket", action="append", metavar="TICKET", help="only this kind; may be given several times"
    )
    parser.add_argument(
        "--only", action="append", metavar="WHOSE", help="an attendee's id or a badge's short code; several times too"
    )
    parser.add_argument(
        "--sort", choices=("name", "company"), default="name", help="the order of the pile (default name)"
    )
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    with reached_database(settings_of(arguments)) as settings:
        event, rows = asyncio.run(_read(arguments.event, settings.database_url, durable=settings.durable))
    chosen = sorted(_choose(rows, arguments.ticket, arguments.only), key=_ORDERS[arguments.sort])
    if not chosen:
        raise Refused(f"There is no badge to print in `{event.slug}`.")
    from server.commands import badge_file  # only now: fonts and their shaper would cost every other command its start

    pages = badge_file.write(arguments.out, event, chosen, size=arguments.size)
    boxes = badge_file.unprintable(chosen)
    if arguments.json:
        report = {"file": str(arguments.out), "badges": len(chosen), "pages": pages, "unprintable": boxes}
        print(json.dumps(report))
        return 0
    print(f"{arguments.out}: {_count(len(chosen), 'badge')} on {_count(pages, 'page')}.")
    for short_code, characters in list(boxes.items())[:NAMED_BADGES]:
        print(f"  {in_groups(short_code)}: no font here has {characters}; a box stands in its place.", file=sys.stderr)
    if len(boxes) > NAMED_BADGES:
        print(f"  … and {len(boxes) - NAMED_BADGES:,} more such badges (--json names all).", file=sys.stderr)
    return 0


async def _read(slug: str, url: str, *, durable: bool) -> tuple[EventRow, list[PrintedRow]]:
    await migrate(url, durable=durable)
    async with open_database(url, size=1, name="badges") as db:
        event = await find_event(db, slug)
        async with db.read() as connection:
            return event, await list_printed(connection, event.event_id)


def _choose(rows: list[PrintedRow], tickets: list[str] | None, only: list[str] | None) -> list[PrintedRow]:
    """The badges asked for. Raises `Refused` for a ticket or a person that is not there, lest a pile is short unnoticed."""
    for ticket in tickets or ():
        if not any(row.ticket == ticket for row in rows):
            known = ", ".join(sorted({row.ticket for row in rows})) or "none"
            raise Refused(f"Nobody has a badge of ticket `{ticket}`; those with badges are: {known}.")
    chosen = [row for row in rows if not tickets or row.ticket in tickets]
    if not only:
        return chosen
    named = {name: row for row in chosen for name in (str(row.attendee_id).upper(), row.short_code, row.code)}
    missing = [text for text in only if clean_code(text) not in named]
    if missing:
        raise Refused(f"No valid badge is {', '.join(f'`{text}`' for text in missing)}: give ids or short codes.")
    wanted = {named[clean_code(text)].code for text in only}
    return [row for row in chosen if row.code in wanted]


def _folded(text: str) -> str:
    """As a person looks it up: É beside E."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter)
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_ORDERS: dict[str, Callable[[PrintedRow], tuple[str, ...]]] = {
    "name": lambda row: (_folded(row.name or row.name_ar), row.code),
    "company": lambda row: (_folded(row.company), _folded(row.name or row.name_ar), row.code),
}
