"""From a workbook to a `Programme`: which sheet is what, then rooms, tracks, kinds, speakers, days, and the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from server.interchange.errors import UnreadableSchedule
from server.interchange.programme import Programme
from server.interchange.reading import values
from server.interchange.reading.texts import shown
from server.interchange.sheet.about import about_of, day_begins_of, title_of, zone_of
from server.interchange.sheet.checked import is_example
from server.interchange.sheet.columns import Head, head_of, note_columns, records
from server.interchange.sheet.listed import days_of, kinds_of, rooms_of, speakers_of, tracks_of
from server.interchange.sheet.rows import Calendar
from server.interchange.sheet.sessions import Desk, sessions_of
from server.interchange.sheet.times import months_first
from server.interchange.sheet.words import SESSION_FIELDS, SHEETS, spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.interchange.reading.repairs import RepairLog
    from server.interchange.sheet.cells import Cell, Sheet

WANTED = "name the columns in the first row, at least `title`, `date`, `start` and `end`, or fill in the template"


class _Book(NamedTuple):
    """The sheets of a workbook by what they are."""

    sheets: dict[str, Sheet]
    sessions: Sheet
    head: Head


def programme_of(sheets: Sequence[Sheet], log: RepairLog, *, filename: str, timezone: str | None) -> Programme:
    """The whole workbook. `timezone`, the event's, is for times where the workbook names none.

    Raises `UnreadableSchedule` where no sheet has sessions.
    """
    book = _book(sheets, log)
    about = about_of(book.sheets.get("about"), log)
    rows = [record for record in records(book.sessions, book.head, "sessions", log) if not is_example(record, log)]
    dates = [record.cell(field) for record in rows for field in ("date", "start", "end")]
    zone = ZoneInfo(zone_of(about, rows, dates, timezone, log))
    calendar = Calendar(zone, log, months_first=_months_first(dates, log))
    desk = Desk(
        log=log,
        calendar=calendar,
        rooms=rooms_of(book.sheets.get("rooms"), log),
        tracks=tracks_of(book.sheets.get("tracks"), log),
        kinds=kinds_of(book.sheets.get("kinds"), log),
        speakers=speakers_of(book.sheets.get("speakers"), log),
    )
    note_columns(book.head, "sessions", "kept in `extra`", log)
    sessions = sessions_of(rows, desk)
    return Programme(
        title=title_of(about, filename, log),
        timezone=zone.key,
        day_begins=day_begins_of(about, log),
        version=about.plain("version"),
        days=days_of(book.sheets.get("days"), calendar, log),
        rooms=desk.rooms.all(),
        tracks=desk.tracks.all(),
        kinds=desk.kinds.all(),
        speakers=desk.speakers.all(),
        sessions=sessions,
        extra=about.extra,
        repairs=log.repairs(),
    )


def is_head_of_sessions(head: Head | None) -> bool:
    """Whether rows under these heads can be sessions: they have a title and a time."""
    return head is not None and "title" in head.fields() and bool(head.fields() & {"start", "date"})


def _book(sheets: Sequence[Sheet], log: RepairLog) -> _Book:
    known: dict[str, Sheet] = {}
    others = []
    for sheet in sheets:
        name = SHEETS.get(spoken(sheet.name))
        if name is None or (name in known and name != "guide"):
            others.append(sheet)
        else:
            known[name] = sheet
    sessions = known.get("sessions") or next(
        (sheet for sheet in others if is_head_of_sessions(head_of(sheet, SESSION_FIELDS))), None
    )
    head = head_of(sessions, SESSION_FIELDS) if sessions else None
    if sessions is None or head is None or not is_head_of_sessions(head):
        place = (
            f"sheet {shown(sessions.name)}, row 1"
            if sessions
            else f"sheet {shown(sheets[0].name)}"
            if sheets
            else "row 1"
        )
        raise UnreadableSchedule(f"{place}: no row with the heads of columns of a programme is found; {WANTED}")
    for sheet in others:
        if sheet is not sessions and sheet.rows:
            log.unkept("file", f"sheet {values.text(sheet.name)[:60]}")
    return _Book(known, sessions, head)


def _months_first(dates: list[Cell], log: RepairLog) -> bool:
    found = months_first(dates)
    if found:
        log.note("sessions", "some dates can only be month/day/year; all dates with strokes were read so")
    return found
