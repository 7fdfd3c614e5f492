"""Statements on the programme."""

from __future__ import annotations

from uuid import UUID

from server.db import Tx, row, rows
from server.schedule.types import RoomRow, SessionRow, SpeakerRow, TrackRow, VersionRow

GET_VERSION = "SELECT version, updated_at FROM schedule WHERE event_id = $1"

# Held to the commit: changes of one programme come one after the other.
LOCK_VERSION = "SELECT version, updated_at FROM schedule WHERE event_id = $1 FOR UPDATE"

ADVANCE_VERSION = """
    UPDATE schedule
    SET version = version + 1, updated_at = clock_timestamp()
    WHERE event_id = $1
    RETURNING version, updated_at
"""

LIST_ROOMS = "SELECT room_id, name, capacity, floor FROM room WHERE event_id = $1 ORDER BY position, room_id"

LIST_TRACKS = "SELECT track_id, name, color FROM track WHERE event_id = $1 ORDER BY position, track_id"

LIST_SPEAKERS = "SELECT speaker_id, name, organisation, bio FROM speaker WHERE event_id = $1 ORDER BY key, speaker_id"

LIST_SPEAKERS_AFTER = """
    SELECT speaker_id, name, organisation, bio
    FROM speaker
    WHERE event_id = $1 AND speaker_id > $2
    ORDER BY speaker_id
    LIMIT $3
"""

LIST_SESSIONS = """
    SELECT session.session_id, session.title, session.subtitle, session.abstract, session.description,
           session.starts_at, session.ends_at, session.room_id, session.track_id,
           COALESCE(named.speaker_ids, '{}'::uuid[]) AS speaker_ids,
           session.kind, session.language, session.url, session.status
    FROM session
    LEFT JOIN room ON room.event_id = session.event_id AND room.room_id = session.room_id
    LEFT JOIN (
        SELECT session_id, array_agg(speaker_id ORDER BY position) AS speaker_ids
        FROM session_speaker
        WHERE event_id = $1
        GROUP BY session_id
    ) AS named ON named.session_id = session.session_id
    WHERE session.event_id = $1
    ORDER BY session.starts_at, room.position, session.session_id
"""

GET_SESSION = """
    SELECT session_id, title, subtitle, abstract, description, starts_at, ends_at, room_id, track_id,
           ARRAY(
               SELECT speaker_id
               FROM session_speaker
               WHERE session_speaker.event_id = session.event_id AND session_speaker.session_id = session.session_id
               ORDER BY position
           ) AS speaker_ids,
           kind, language, url, status
    FROM session
    WHERE event_id = $1 AND session_id = $2
"""

UPDATE_SESSION = """
    UPDATE session
    SET title = $3, subtitle = $4, abstract = $5, description = $6, starts_at = $7, ends_at = $8,
        room_id = $9, track_id = $10, language = $11, status = $12
    WHERE event_id = $1 AND session_id = $2
"""


async def get_version(tx: Tx, event_id: UUID) -> VersionRow | None:
    return await row(tx, VersionRow, GET_VERSION, event_id)


async def lock_version(tx: Tx, event_id: UUID) -> VersionRow | None:
    return await row(tx, VersionRow, LOCK_VERSION, event_id)


async def advance_version(tx: Tx, event_id: UUID) -> VersionRow | None:
    return await row(tx, VersionRow, ADVANCE_VERSION, event_id)


async def list_rooms(tx: Tx, event_id: UUID) -> list[RoomRow]:
    return await rows(tx, RoomRow, LIST_ROOMS, event_id)


async def list_tracks(tx: Tx, event_id: UUID) -> list[TrackRow]:
    return await rows(tx, TrackRow, LIST_TRACKS, event_id)


async def list_speakers(tx: Tx, event_id: UUID) -> list[SpeakerRow]:
    return await rows(tx, SpeakerRow, LIST_SPEAKERS, event_id)


async def list_speakers_after(tx: Tx, event_id: UUID, *, speaker_id: UUID, limit: int) -> list[SpeakerRow]:
    return await rows(tx, SpeakerRow, LIST_SPEAKERS_AFTER, event_id, speaker_id, limit)


async def list_sessions(tx: Tx, event_id: UUID) -> list[SessionRow]:
    return await rows(tx, SessionRow, LIST_SESSIONS, event_id)


async def get_session(tx: Tx, event_id: UUID, session_id: UUID) -> SessionRow | None:
    return await row(tx, SessionRow, GET_SESSION, event_id, session_id)


async def update_session(tx: Tx, event_id: UUID, *, session: SessionRow) -> None:
    await tx.execute(
        UPDATE_SESSION,
        event_id,
        session.session_id,
        session.title,
        session.subtitle,
        session.abstract,
        session.description,
        session.starts_at,
        session.ends_at,
        session.room_id,
        session.track_id,
        session.language,
        session.status,
    )
