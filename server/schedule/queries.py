"""Statements on the programme."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from server.db import Tx, row, rows
from server.schedule.types import RoomRow, SessionRow, SpeakerRow, TrackRow, VersionRow

GET_VERSION = "SELECT version, updated_at FROM schedule WHERE event_id = $1"

# Held to the commit: changes of one programme come one after the other.
LOCK_VERSION = "SELECT version, updated_at FROM schedule WHERE event_id = $1 FOR UPDATE"

ADVANCE_VERSION = """
    INSERT INTO schedule (event_id)
    VALUES ($1)
    ON CONFLICT (event_id) DO UPDATE SET version = schedule.version + 1, updated_at = clock_timestamp()
    RETURNING version, updated_at
"""

LIST_ROOMS = "SELECT room_id, name, capacity, floor FROM room WHERE event_id = $1 ORDER BY position, room_id"

LIST_TRACKS = "SELECT track_id, name, color FROM track WHERE event_id = $1 ORDER BY position, track_id"

# By id, which everybody knows: whoever hears of a new speaker can put them in the place that a fresh reader finds them in.
LIST_SPEAKERS = "SELECT speaker_id, name, organisation, bio FROM speaker WHERE event_id = $1 ORDER BY speaker_id"

LIST_SPEAKERS_AFTER = """
    SELECT speaker_id, name, organisation, bio
    FROM speaker
    WHERE event_id = $1 AND speaker_id > $2
    ORDER BY speaker_id
    LIMIT $3
"""

LIST_SPEAKERS_NAMED = """
    SELECT speaker_id, name, organisation, bio
    FROM speaker
    WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])
    ORDER BY speaker_id
"""

GET_SPEAKER = "SELECT speaker_id, name, organisation, bio FROM speaker WHERE event_id = $1 AND speaker_id = $2"

INSERT_SPEAKER = """
    INSERT INTO speaker (event_id, speaker_id, key, name, organisation, bio)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

UPDATE_SPEAKER = """
    UPDATE speaker
    SET name = $3, organisation = $4, bio = $5
    WHERE event_id = $1 AND speaker_id = $2
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
    ORDER BY session.starts_at, room.position, room.room_id, session.session_id
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
        room_id = $9, track_id = $10, kind = $11, language = $12, url = $13, status = $14
    WHERE event_id = $1 AND session_id = $2
"""

TAKE_SPEAKERS = "DELETE FROM session_speaker WHERE event_id = $1 AND session_id = $2"

NAME_SPEAKERS = """
    INSERT INTO session_speaker (event_id, session_id, speaker_id, position)
    SELECT $1, $2, given.speaker_id, given.number - 1
    FROM unnest($3::uuid[]) WITH ORDINALITY AS given (speaker_id, number)
"""

# Who hears of a session's change on their own channel: those who speak there, or did until now ($3). Favourites join this
# statement with the attendees' agenda, as another part of the union.
LIST_CONCERNED = """
    WITH speaking AS (
        SELECT speaker_id
        FROM session_speaker
        WHERE event_id = $1 AND session_id = $2
        UNION
        SELECT speaker_id
        FROM unnest($3::uuid[]) AS given (speaker_id)
    )
    SELECT COALESCE(array_agg(attendee.attendee_id), '{}'::uuid[])
    FROM speaking
    JOIN attendee ON attendee.event_id = $1 AND attendee.speaker_id = speaking.speaker_id
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


async def list_speakers_named(tx: Tx, event_id: UUID, *, speaker_ids: Iterable[UUID]) -> list[SpeakerRow]:
    """Those of these speakers that there are, by id."""
    return await rows(tx, SpeakerRow, LIST_SPEAKERS_NAMED, event_id, list(speaker_ids))


async def get_speaker(tx: Tx, event_id: UUID, speaker_id: UUID) -> SpeakerRow | None:
    return await row(tx, SpeakerRow, GET_SPEAKER, event_id, speaker_id)


async def insert_speaker(tx: Tx, event_id: UUID, *, key: str, speaker: SpeakerRow) -> None:
    await tx.execute(INSERT_SPEAKER, event_id, speaker.speaker_id, key, speaker.name, speaker.organisation, speaker.bio)


async def update_speaker(tx: Tx, event_id: UUID, *, speaker: SpeakerRow) -> None:
    await tx.execute(UPDATE_SPEAKER, event_id, speaker.speaker_id, speaker.name, speaker.organisation, speaker.bio)


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
        session.kind,
        session.language,
        session.url,
        session.status,
    )


async def name_speakers(tx: Tx, event_id: UUID, session_id: UUID, *, speaker_ids: list[UUID]) -> None:
    """Gives a session these speakers instead of those it had. An unknown one violates `session_speaker_speaker`."""
    await tx.execute(TAKE_SPEAKERS, event_id, session_id)
    await tx.execute(NAME_SPEAKERS, event_id, session_id, speaker_ids)


async def list_concerned(tx: Tx, event_id: UUID, session_id: UUID, *, speaker_ids: list[UUID]) -> list[UUID]:
    """The attendees whom a session concerns, beside those who speak there now those who are one of `speaker_ids`.

    Today speakers alone; who has it among their favourites will be found by the same statement.
    """
    found: list[UUID] = await tx.fetchval(LIST_CONCERNED, event_id, session_id, speaker_ids)
    return found
