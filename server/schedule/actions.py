"""Changing the programme. Whoever does locks its version first: so changes, their versions and their events have one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from server.db import Database, Tx
from server.event.types import EventRow
from server.feed import emit, emit_to_each
from server.feed.types import SCHEDULE
from server.ids import new_id
from server.schedule import queries
from server.schedule.errors import BY_CONSTRAINT, NO_SUCH, REMOVING, ChangedMeanwhile
from server.schedule.policy import changed_row, difference, is_seen
from server.schedule.rows import ROWS, Edit, Origin, Row, SessionRow, State, Subject, VersionRow, id_of, own_key
from server.schedule.storing import store
from server.schedule.telling import Around, in_order, told, with_edits
from server.schedule.things import get_thing, next_position
from server.schedule.types import ScheduleReleased, ScheduleReplaced

MOST_TOLD = 400
"""Changes of one version that are told one by one; a phone reads the whole programme sooner than more of them."""
WITHIN_SECONDS = 60


async def add_thing(db: Database, event: EventRow, subject: Subject, command: Struct) -> Row:
    """Adds a day, a room, a track, a kind, a speaker or a session, and tells channel `schedule`.

    Raises `InvalidRequest`, `UnknownRoom` and its like, `RoomTaken`, `NumberTaken`, `DayIsThere`.
    """
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.lock_version(tx, event.event_id)
        row = new_row(subject, command, position=await next_position(tx, event.event_id, subject))
        (written,) = await change_programme(tx, event, [Edit(subject, id_of(row), None, row)])
    assert written.after is not None  # noqa: S101 - for the type checker
    return written.after


async def change_thing(
    db: Database, event: EventRow, subject: Subject, thing_id: UUID, change: Struct, *, expected: int | None = None
) -> Row:
    """Changes what is given, and tells channel `schedule` and those whom a session concerns; what changes nothing tells nobody.

    `expected` is the revision that the organizer has seen. Raises as `add_thing`, `ChangedMeanwhile`, and `UnknownSession` or its
    like.
    """
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.lock_version(tx, event.event_id)
        before = await _get(tx, event.event_id, subject, thing_id, expected)
        after = changed_row(before, change)
        edit = difference(subject, thing_id, before, after)
        if edit is None:
            return before
        (written,) = await change_programme(tx, event, [edit])
    assert written.after is not None  # noqa: S101 - for the type checker
    return written.after


async def remove_thing(
    db: Database, event: EventRow, subject: Subject, thing_id: UUID, *, expected: int | None = None
) -> None:
    """Takes it out of the programme, as if it had never been there; who wants it seen as cancelled changes its status instead.

    Raises `StillInUse`, `ChangedMeanwhile`, and `UnknownSession` or its like.
    """
    async with db.tx(REMOVING) as tx:
        await queries.lock_version(tx, event.event_id)
        before = await _get(tx, event.event_id, subject, thing_id, expected)
        await change_programme(tx, event, [Edit(subject, thing_id, before, None)])


async def change_programme(
    tx: Tx,
    event: EventRow,
    edits: Sequence[Edit],
    *,
    around: State | None = None,
    origin: Origin = "edit",
    name: str = "",
    note: str = "",
) -> list[Edit]:
    """Makes one version of all these changes and tells it: each by itself and to those whom it concerns, too many as one.

    What only matters to files is not told; that there was an import is, so that everybody hears of its version.

    `tx` holds the version's lock. `around` is the whole programme before, where the caller has it. Returns the edits as written.
    """
    before = around or await _surroundings(tx, event.event_id, edits)
    now, written = await store(tx, event.event_id, edits, origin=origin, name=name, note=note)
    seen = [one for one in in_order(written) if is_seen(one)]
    if len(seen) > MOST_TOLD:
        await _tell_at_once(tx, event, now, len(written), origin, name, note)
        return written
    concerned = await queries.list_concerned(tx, event.event_id, speakers=_speakers_of(seen))
    surroundings = Around(before, with_edits(before, written))
    events = [(one, *told(one, now, surroundings, event)) for one in seen]
    for one, what, data in events:
        await emit(tx, event.event_id, channel=SCHEDULE, kind=f"{one.subject}.{what}", data=data)
    if origin != "edit":
        summary = _summary(ScheduleReleased, now, len(written), origin, name, note)
        await emit(tx, event.event_id, channel=SCHEDULE, kind="schedule.released", data=summary)
    for one, what, data in events:
        await emit_to_each(tx, event.event_id, concerned.get(one.id, ()), kind=f"session.{what}", data=data)
    return written


def new_row(subject: Subject, command: Struct, *, position: int) -> Row:
    """A thing as an organizer describes it, under a key that no file gives."""
    thing_id = new_id()
    given: dict[str, Any] = {ROWS[subject].__struct_fields__[0]: thing_id, "key": own_key(thing_id)}
    if subject == "session":
        given |= {"number": 0, "subtitle": {}, "abstract": {}, "description": {}}
    for field in ("title", "name", "date", "starts_at", "ends_at"):  # what a row cannot be without
        if hasattr(command, field):
            given[field] = getattr(command, field)
    if "position" in ROWS[subject].__struct_fields__:
        given["position"] = position
    fields = set(ROWS[subject].__struct_fields__)
    blank = ROWS[subject](**{name: value for name, value in given.items() if name in fields and value is not UNSET})
    return changed_row(blank, command)


async def _tell_at_once(
    tx: Tx, event: EventRow, now: VersionRow, count: int, origin: Origin, name: str, note: str
) -> None:
    data = _summary(ScheduleReplaced, now, count, origin, name, note, within_seconds=WITHIN_SECONDS)
    await emit(tx, event.event_id, channel=SCHEDULE, kind="schedule.replaced", data=data)


def _summary(
    shape: type[Struct], now: VersionRow, count: int, origin: Origin, name: str, note: str, **more: Any
) -> Struct:
    head = {"version": now.version, "updated_at": now.updated_at}
    return shape(**head, origin=origin, name=name, note=note, changes=count, **more)


def _speakers_of(edits: Iterable[Edit]) -> list[tuple[UUID, UUID]]:
    """Each of the sessions with each who speaks there, or did until now."""
    return [
        (edit.id, speaker)
        for edit in edits
        for row in (edit.before, edit.after)
        if isinstance(row, SessionRow)
        for speaker in row.speaker_ids
    ]


async def _get(tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID, expected: int | None) -> Row:
    before = await get_thing(tx, event_id, subject, thing_id)
    if before is None:
        raise NO_SUCH[subject]
    if expected is not None and before.revision != expected:
        raise ChangedMeanwhile
    return before


async def _surroundings(tx: Tx, event_id: UUID, edits: Sequence[Edit]) -> State:
    """What the edits' events may name, as it is before them."""
    sessions = [row for one in edits for row in (one.before, one.after) if isinstance(row, SessionRow)]
    if not sessions:
        return with_edits(State(), [msgspec.structs.replace(one, after=one.before) for one in edits])
    named = {speaker for one in sessions for speaker in one.speaker_ids}
    return State(
        room={row.room_id: row for row in await queries.list_rooms(tx, event_id)},
        track={row.track_id: row for row in await queries.list_tracks(tx, event_id)},
        kind={row.kind_id: row for row in await queries.list_kinds(tx, event_id)},
        speaker={row.speaker_id: row for row in await queries.list_speakers_named(tx, event_id, speaker_ids=named)},
    )
