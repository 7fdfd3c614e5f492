"""The sheets beside the sessions: rooms, tracks, kinds, speakers, days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from server.interchange.programme import Day, Kind, Room, Speaker, Track
from server.interchange.reading import values
from server.interchange.reading.texts import UNDETERMINED, shown
from server.interchange.sheet.checked import extra_of, is_example, links_of, url_of
from server.interchange.sheet.columns import head_of, note_columns, records
from server.interchange.sheet.things import Things
from server.interchange.sheet.words import DAY_FIELDS, KIND_FIELDS, ROOM_FIELDS, SPEAKER_FIELDS, TRACK_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Texts
    from server.interchange.reading.repairs import RepairLog
    from server.interchange.sheet.cells import Sheet
    from server.interchange.sheet.columns import Record
    from server.interchange.sheet.rows import Calendar


def _listed(sheet: Sheet | None, name: str, fields: dict[str, str], kept: str, log: RepairLog) -> Iterator[Record]:
    """The rows of one of the other sheets."""
    if sheet is None or not sheet.rows:
        return
    head = head_of(sheet, fields)
    if head is None or not head.fields() & {"id", "name", "date", "first_name", "last_name"}:
        log.note(name, "no row with the heads of columns, such as `id` and `name`, is found; the sheet was left out")
        return
    note_columns(head, name, kept, log)
    for record in records(sheet, head, name, log):
        if not is_example(record, log):
            yield record


def _named(record: Record, log: RepairLog) -> tuple[str, Texts] | None:
    """Id and name of a row; None, and a note, where it has neither."""
    key, name = record.text("id"), record.texts("name")
    if not name and not key:
        log.note(record.where, "neither a name nor an id; left out")
        return None
    if not name:
        log.note(record.where, "no name; its id stands for it")
    return key, name or {UNDETERMINED: key}


def rooms_of(sheet: Sheet | None, log: RepairLog) -> Things[Room]:
    rooms: Things[Room] = Things("rooms", lambda key, name: Room(key=key, name=name), log)
    for record in _listed(sheet, "rooms", ROOM_FIELDS, "kept in `extra`", log):
        if found := _named(record, log):
            room = rooms.get(rooms.enlist(*found, record.where))
            seats = values.capacity(record.text("capacity"))
            if seats is None and record.text("capacity"):
                log.note(record.where, f"`capacity`, {shown(record.text('capacity'))}, is no number of seats; left out")
            more = msgspec.structs.replace(
                room,
                description=record.texts("description"),
                capacity=seats,
                floor=record.text("floor") or None,
                extra=extra_of(record, log),
            )
            rooms.replace(more)
    return rooms


def tracks_of(sheet: Sheet | None, log: RepairLog) -> Things[Track]:
    tracks: Things[Track] = Things("tracks", lambda key, name: Track(key=key, name=name), log)
    for record in _listed(sheet, "tracks", TRACK_FIELDS, "kept in `extra`", log):
        if found := _named(record, log):
            track = tracks.get(tracks.enlist(*found, record.where))
            color = values.color(record.text("color"))
            if color is None and record.text("color"):
                log.note(record.where, f"`color`, {shown(record.text('color'))}, is not written `#rrggbb`; left out")
            more = msgspec.structs.replace(
                track, description=record.texts("description"), color=color, extra=extra_of(record, log)
            )
            tracks.replace(more)
    return tracks


def kinds_of(sheet: Sheet | None, log: RepairLog) -> Things[Kind]:
    kinds: Things[Kind] = Things("kinds", lambda key, name: Kind(key=key, name=name), log)
    for record in _listed(sheet, "kinds", KIND_FIELDS, "not kept", log):
        if found := _named(record, log):
            kinds.enlist(*found, record.where)
    return kinds


def speakers_of(sheet: Sheet | None, log: RepairLog) -> Things[Speaker]:
    speakers: Things[Speaker] = Things("speakers", lambda key, name: Speaker(key=key, name=name), log)
    for record in _listed(sheet, "speakers", SPEAKER_FIELDS, "kept in `extra`", log):
        found = _person(record, log)
        if found:
            speaker = speakers.get(speakers.enlist(*found, record.where))
            more = msgspec.structs.replace(
                speaker,
                organisation=record.texts("organisation"),
                tagline=record.texts("tagline"),
                bio=record.texts("bio"),
                photo_url=url_of(record, "photo_url", log),
                links=links_of(record, log),
                extra=extra_of(record, log),
            )
            speakers.replace(more)
    return speakers


def _person(record: Record, log: RepairLog) -> tuple[str, Texts] | None:
    """A name in two columns is one name; beside a first name, `name` (in French `nom`) is the last one."""
    first, last = record.text("first_name"), record.text("last_name")
    if not first and not last:
        return _named(record, log)
    rest = last or next(iter(record.texts("name").values()), "")
    return record.text("id"), {UNDETERMINED: f"{first} {rest}".strip()}


def days_of(sheet: Sheet | None, calendar: Calendar, log: RepairLog) -> tuple[Day, ...]:
    days: dict[str, Day] = {}
    for record in _listed(sheet, "days", DAY_FIELDS, "not kept", log):
        date = calendar.day(record.cell("date"))
        if date is None or date in days:
            log.note(record.where, "the same date as an earlier row; left out" if date else "no date; left out")
            continue
        days[date] = Day(
            date=date,
            name=record.texts("name"),
            starts_at=calendar.moment_on(date, record, "starts_at"),
            ends_at=calendar.moment_on(date, record, "ends_at"),
        )
    return tuple(days.values())
