"""Changes of the programme into its tables, as one version. Whoever writes holds the version's lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from server.db import Tx
from server.feed import open_channels, topics
from server.ids import new_id
from server.interchange.programme import Programme
from server.schedule import history_queries, queries
from server.schedule.errors import RoomTaken, StillInUse
from server.schedule.merging import merge
from server.schedule.policy import free_numbers
from server.schedule.rows import ROWS, Edit, Origin, Row, SessionRow, State, Subject, VersionRow, id_of
from server.schedule.searched import touched
from server.schedule.things import remove_things, write_things
from server.search.storing import renew


async def store(
    tx: Tx, event_id: UUID, edits: Sequence[Edit], *, origin: Origin, name: str = "", note: str = ""
) -> tuple[VersionRow, list[Edit]]:
    """Writes what is new and changed, then takes away what is gone, and notes it all as the next version.

    Returns the version, and the edits as they were written: with revisions, and a number for each session. Raises `RoomTaken`,
    and `StillInUse` for a track to which something is to be announced; what else is wrong violates a constraint.
    """
    now = await queries.advance_version(tx, event_id)
    assert now is not None, "INSERT … RETURNING one row"  # noqa: S101 - for the type checker
    written = await _numbered(tx, event_id, [_at_version(one, now.version) for one in edits])
    for subject in ROWS:
        await _write(
            tx, event_id, subject, [one.after for one in written if one.subject == subject and one.after], now.version
        )
    for subject in reversed(ROWS):
        gone = [one.id for one in written if one.subject == subject and one.after is None]
        if gone:
            await _remove(tx, event_id, subject, gone)
    await _check_rooms(tx, event_id, written)
    await history_queries.insert_version(tx, event_id, now, origin=origin, name=name, note=note)
    await history_queries.insert_history(tx, event_id, now.version, written)
    await renew(tx, event_id, touched(written))
    return now, written


async def store_programme(tx: Tx, event_id: UUID, programme: Programme) -> None:
    """A programme into an event that has none yet and to which nobody listens: it is stored and not told."""
    await queries.lock_version(tx, event_id)
    merged = merge(State(), [], programme, held=set(), new_id=new_id, default_language="")
    await store(tx, event_id, merged.edits, origin="import", name=programme.version)
    await history_queries.write_sources(tx, event_id, merged.sources)


async def _write(tx: Tx, event_id: UUID, subject: Subject, things: Sequence[Row], version: int) -> None:
    if things:
        await write_things(tx, event_id, subject, things, revision=version)
    if subject == "track":
        await open_channels(tx, event_id, [_channel_of(id_of(one)) for one in things])


async def _remove(tx: Tx, event_id: UUID, subject: Subject, ids: list[UUID]) -> None:
    await remove_things(tx, event_id, subject, ids)
    if subject == "track" and await queries.is_announced_to(tx, event_id, channels=[_channel_of(one) for one in ids]):
        raise StillInUse


def _channel_of(track_id: UUID) -> str:
    return topics.announcements_to(f"{topics.TRACK}{track_id}")


async def _check_rooms(tx: Tx, event_id: UUID, written: Iterable[Edit]) -> None:
    """Looks before PostgreSQL refuses, because a refused transaction can no longer say who is in the room."""
    sessions = [one.id for one in written if one.subject == "session" and one.after is not None]
    if sessions:
        clash = await queries.find_clash(tx, event_id, session_ids=sessions)
        if clash is not None:
            raise RoomTaken(clash)
    await queries.check_now(tx)


async def _numbered(tx: Tx, event_id: UUID, edits: list[Edit]) -> list[Edit]:
    """Sessions without a number get the next free ones."""
    if not any(isinstance(one.after, SessionRow) and one.after.number == 0 for one in edits):
        return edits
    given = {one.after.number for one in edits if isinstance(one.after, SessionRow)}
    numbers = free_numbers(given | await queries.list_numbers(tx, event_id))
    found: list[Edit] = []
    for one in edits:
        after: Any = one.after
        if isinstance(after, SessionRow) and after.number == 0:
            after = msgspec.structs.replace(after, number=next(numbers))
        found.append(msgspec.structs.replace(one, after=after))
    return found


def _at_version(edit: Edit, version: int) -> Edit:
    return (
        edit
        if edit.after is None
        else msgspec.structs.replace(edit, after=msgspec.structs.replace(edit.after, revision=version))
    )
