"""A whole programme, as a reader of files hands it over, into an event that has none yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from server.db import Tx
from server.feed import open_channels, topics
from server.ids import new_id
from server.interchange.programme import Programme, Session


async def store_programme(tx: Tx, event_id: UUID, programme: Programme) -> None:
    """Gives everything an id and stores it as version 1."""
    rooms = {room.key: new_id() for room in programme.rooms}
    tracks = {track.key: new_id() for track in programme.tracks}
    await _copy(tx, "schedule", ["event_id"], [(event_id,)])
    await _copy(
        tx,
        "room",
        ["event_id", "room_id", "key", "name", "capacity", "floor", "position"],
        (
            (event_id, rooms[room.key], room.key, room.name, room.capacity, room.floor, position)
            for position, room in enumerate(programme.rooms)
        ),
    )
    await _copy(
        tx,
        "track",
        ["event_id", "track_id", "key", "name", "color", "position"],
        (
            (event_id, tracks[track.key], track.key, track.name, track.color, position)
            for position, track in enumerate(programme.tracks)
        ),
    )
    await open_channels(tx, event_id, [topics.announcements_to(f"{topics.TRACK}{track}") for track in tracks.values()])
    await _store_sessions(tx, event_id, programme, rooms, tracks)


async def _store_sessions(
    tx: Tx, event_id: UUID, programme: Programme, rooms: dict[str, UUID], tracks: dict[str, UUID]
) -> None:
    speakers = _ids_in_order(speaker.key for speaker in programme.speakers)
    sessions = {session.key: new_id() for session in programme.sessions}
    await _copy(
        tx,
        "speaker",
        ["event_id", "speaker_id", "key", "name", "organisation", "bio"],
        (
            (event_id, speakers[speaker.key], speaker.key, speaker.name, speaker.organisation, speaker.bio)
            for speaker in programme.speakers
        ),
    )
    await _copy(
        tx,
        "session",
        ["event_id", "session_id", "room_id", "track_id", *_SESSION_COLUMNS],
        (
            (
                event_id,
                sessions[session.key],
                rooms[session.room] if session.room else None,
                tracks[session.track] if session.track else None,
                *_session_values(session),
            )
            for session in programme.sessions
        ),
    )
    await _copy(
        tx,
        "session_speaker",
        ["event_id", "session_id", "speaker_id", "position"],
        (
            (event_id, sessions[session.key], speakers[key], position)
            for session in programme.sessions
            for position, key in enumerate(dict.fromkeys(session.speakers))
        ),
    )


def _ids_in_order(keys: Iterable[str]) -> dict[str, UUID]:
    """Ids that grow as the keys do: readers get speakers by id, and who joins later shall come last."""
    ordered = sorted(keys)
    return dict(zip(ordered, sorted(new_id() for _ in ordered), strict=True))


_SESSION_COLUMNS = (
    "key", "title", "subtitle", "abstract", "description", "starts_at", "ends_at", "kind", "language", "url", "status",
)  # fmt: skip


def _session_values(session: Session) -> tuple[object, ...]:
    return tuple(getattr(session, column) for column in _SESSION_COLUMNS)


async def _copy(tx: Tx, table: str, columns: Sequence[str], records: Iterable[tuple[object, ...]]) -> None:
    await tx.copy_records_to_table(table, columns=columns, records=records)
