"""The statement for each subject of the programme, so that what is the same for all six is said once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from server.db import Tx
from server.schedule import queries
from server.schedule.rows import Row, Subject, stored

AT_A_TIME = 500
"""Things in one statement: five thousand long sessions in one would outlast its time limit on a busy machine."""

_GET: dict[Subject, Callable[[Tx, UUID, UUID], Awaitable[Row | None]]] = {
    "day": queries.get_day,
    "room": queries.get_room,
    "track": queries.get_track,
    "kind": queries.get_kind,
    "speaker": queries.get_speaker,
    "session": queries.get_session,
}
_WRITE: dict[Subject, Callable[..., Awaitable[None]]] = {
    "day": queries.write_days,
    "room": queries.write_rooms,
    "track": queries.write_tracks,
    "kind": queries.write_kinds,
    "speaker": queries.write_speakers,
    "session": queries.write_sessions,
}
_REMOVE: dict[Subject, Callable[[Tx, UUID, list[UUID]], Awaitable[None]]] = {
    "day": queries.remove_days,
    "room": queries.remove_rooms,
    "track": queries.remove_tracks,
    "kind": queries.remove_kinds,
    "speaker": queries.remove_speakers,
    "session": queries.remove_sessions,
}
_NEXT: dict[Subject, Callable[[Tx, UUID], Awaitable[int]]] = {
    "room": queries.next_room,
    "track": queries.next_track,
    "kind": queries.next_kind,
}


async def get_thing(tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID) -> Row | None:
    return await _GET[subject](tx, event_id, thing_id)


async def write_things(tx: Tx, event_id: UUID, subject: Subject, things: Sequence[Row], *, revision: int) -> None:
    """Inserts these, or overwrites them; sessions with their speakers. What another already has violates a constraint."""
    plain: list[dict[str, Any]] = [stored(one) for one in things]
    for start in range(0, len(plain), AT_A_TIME):
        part = plain[start : start + AT_A_TIME]
        await _WRITE[subject](tx, event_id, part, revision=revision)
        if subject == "session":
            await queries.name_speakers(tx, event_id, part)


async def remove_things(tx: Tx, event_id: UUID, subject: Subject, ids: list[UUID]) -> None:
    """What others refer to violates the constraint that says so."""
    await _REMOVE[subject](tx, event_id, ids)


async def next_position(tx: Tx, event_id: UUID, subject: Subject) -> int:
    """Behind all others; 0 for what has no order of its own."""
    return await _NEXT[subject](tx, event_id) if subject in _NEXT else 0
