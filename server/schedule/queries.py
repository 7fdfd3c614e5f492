"""Statements on the programme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from server.db import Tx, row, rows
from server.schedule.rows import (
    ClashRow,
    ConcernedRow,
    DayRow,
    KindRow,
    RoomRow,
    SessionRow,
    SpeakerRow,
    State,
    TrackRow,
    VersionRow,
)

Things: TypeAlias = list[dict[str, Any]]
"""Rows as JSON values (`rows.stored`)."""

GET_VERSION = "SELECT version, updated_at FROM schedule WHERE event_id = $1"

# Held to the commit: changes of one programme come one after the other, also the first ones.
LOCK_VERSION = """
    INSERT INTO schedule (event_id, version)
    VALUES ($1, 0)
    ON CONFLICT (event_id) DO UPDATE SET version = schedule.version
    RETURNING version, updated_at
"""

ADVANCE_VERSION = """
    UPDATE schedule
    SET version = version + 1, updated_at = clock_timestamp()
    WHERE event_id = $1
    RETURNING version, updated_at
"""

LIST_DAYS = "SELECT day_id, date, name, starts_at, ends_at, revision FROM day WHERE event_id = $1 ORDER BY date"

LIST_ROOMS = """
    SELECT room_id, key, name, description, capacity, floor, position, extra, revision
    FROM room
    WHERE event_id = $1
    ORDER BY position, room_id
"""

LIST_TRACKS = """
    SELECT track_id, key, name, description, color, position, extra, revision
    FROM track
    WHERE event_id = $1
    ORDER BY position, track_id
"""

LIST_KINDS = "SELECT kind_id, key, name, position, revision FROM kind WHERE event_id = $1 ORDER BY position, kind_id"

# By id, which everybody knows: whoever hears of a new speaker can put them in the place that a fresh reader finds them in.
LIST_SPEAKERS = """
    SELECT speaker_id, key, name, organisation, tagline, bio, photo_url, links, extra, revision
    FROM speaker
    WHERE event_id = $1
    ORDER BY speaker_id
"""

LIST_SPEAKERS_AFTER = """
    SELECT speaker_id, key, name, organisation, tagline, bio, photo_url, links, extra, revision
    FROM speaker
    WHERE event_id = $1 AND speaker_id > $2
    ORDER BY speaker_id
    LIMIT $3
"""

LIST_SPEAKERS_NAMED = """
    SELECT speaker_id, key, name, organisation, tagline, bio, photo_url, links, extra, revision
    FROM speaker
    WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])
    ORDER BY speaker_id
"""

LIST_SESSIONS = """
    SELECT session.session_id, session.key, session.number, session.title, session.subtitle, session.abstract,
           session.description, session.starts_at, session.ends_at, session.room_id, session.track_id, session.kind_id,
           COALESCE(named.speaker_ids, '{}'::uuid[]) AS speaker_ids, session.roles, session.languages,
           session.service, session.url, session.logo_url, session.links, session.license, session.do_not_record,
           session.shares_room, session.status, session.extra, session.revision
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

GET_DAY = "SELECT day_id, date, name, starts_at, ends_at, revision FROM day WHERE event_id = $1 AND day_id = $2"

GET_ROOM = """
    SELECT room_id, key, name, description, capacity, floor, position, extra, revision
    FROM room
    WHERE event_id = $1 AND room_id = $2
"""

GET_TRACK = """
    SELECT track_id, key, name, description, color, position, extra, revision
    FROM track
    WHERE event_id = $1 AND track_id = $2
"""

GET_KIND = "SELECT kind_id, key, name, position, revision FROM kind WHERE event_id = $1 AND kind_id = $2"

GET_SPEAKER = """
    SELECT speaker_id, key, name, organisation, tagline, bio, photo_url, links, extra, revision
    FROM speaker
    WHERE event_id = $1 AND speaker_id = $2
"""

GET_SESSION = """
    SELECT session.session_id, session.key, session.number, session.title, session.subtitle, session.abstract,
           session.description, session.starts_at, session.ends_at, session.room_id, session.track_id, session.kind_id,
           ARRAY(
               SELECT speaker_id
               FROM session_speaker
               WHERE session_speaker.event_id = session.event_id AND session_speaker.session_id = session.session_id
               ORDER BY position
           ) AS speaker_ids, session.roles, session.languages,
           session.service, session.url, session.logo_url, session.links, session.license, session.do_not_record,
           session.shares_room, session.status, session.extra, session.revision
    FROM session
    WHERE session.event_id = $1 AND session.session_id = $2
"""

# Things come as JSON, one array of objects with the names of the columns: many at a time in one statement, each written whole.
WRITE_DAYS = """
    INSERT INTO day (event_id, day_id, date, name, starts_at, ends_at, revision)
    SELECT $1, given.day_id, given.date, given.name, given.starts_at, given.ends_at, $3
    FROM jsonb_to_recordset($2) AS given (
        day_id uuid, date date, name jsonb, starts_at timestamptz, ends_at timestamptz
    )
    ON CONFLICT (event_id, day_id) DO UPDATE
    SET date = excluded.date, name = excluded.name, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        revision = excluded.revision
"""

WRITE_ROOMS = """
    INSERT INTO room (event_id, room_id, key, name, description, capacity, floor, position, extra, revision)
    SELECT $1, given.room_id, given.key, given.name, given.description, given.capacity, given.floor, given.position,
           given.extra, $3
    FROM jsonb_to_recordset($2) AS given (
        room_id uuid, key text, name jsonb, description jsonb, capacity integer, floor text, position integer, extra
        jsonb
    )
    ON CONFLICT (event_id, room_id) DO UPDATE
    SET key = excluded.key, name = excluded.name, description = excluded.description, capacity = excluded.capacity,
        floor = excluded.floor, position = excluded.position, extra = excluded.extra, revision = excluded.revision
"""

WRITE_TRACKS = """
    INSERT INTO track (event_id, track_id, key, name, description, color, position, extra, revision)
    SELECT $1, given.track_id, given.key, given.name, given.description, given.color, given.position, given.extra,
           $3
    FROM jsonb_to_recordset($2) AS given (
        track_id uuid, key text, name jsonb, description jsonb, color text, position integer, extra jsonb
    )
    ON CONFLICT (event_id, track_id) DO UPDATE
    SET key = excluded.key, name = excluded.name, description = excluded.description, color = excluded.color,
        position = excluded.position, extra = excluded.extra, revision = excluded.revision
"""

WRITE_KINDS = """
    INSERT INTO kind (event_id, kind_id, key, name, position, revision)
    SELECT $1, given.kind_id, given.key, given.name, given.position, $3
    FROM jsonb_to_recordset($2) AS given (
        kind_id uuid, key text, name jsonb, position integer
    )
    ON CONFLICT (event_id, kind_id) DO UPDATE
    SET key = excluded.key, name = excluded.name, position = excluded.position, revision = excluded.revision
"""

WRITE_SPEAKERS = """
    INSERT INTO speaker (event_id, speaker_id, key, name, organisation, tagline, bio, photo_url, links, extra,
        revision)
    SELECT $1, given.speaker_id, given.key, given.name, given.organisation, given.tagline, given.bio,
           given.photo_url, given.links, given.extra, $3
    FROM jsonb_to_recordset($2) AS given (
        speaker_id uuid, key text, name jsonb, organisation jsonb, tagline jsonb, bio jsonb, photo_url text, links
        jsonb, extra jsonb
    )
    ON CONFLICT (event_id, speaker_id) DO UPDATE
    SET key = excluded.key, name = excluded.name, organisation = excluded.organisation, tagline = excluded.tagline,
        bio = excluded.bio, photo_url = excluded.photo_url, links = excluded.links, extra = excluded.extra, revision =
        excluded.revision
"""

WRITE_SESSIONS = """
    INSERT INTO session (event_id, session_id, key, number, title, subtitle, abstract, description, starts_at,
        ends_at, room_id, track_id, kind_id, roles, languages, service, url, logo_url, links, license, do_not_record,
        shares_room, status, extra, revision)
    SELECT $1, given.session_id, given.key, given.number, given.title, given.subtitle, given.abstract,
           given.description, given.starts_at, given.ends_at, given.room_id, given.track_id, given.kind_id, given.roles,
           given.languages, given.service, given.url, given.logo_url, given.links, given.license, given.do_not_record,
           given.shares_room, given.status, given.extra, $3
    FROM jsonb_to_recordset($2) AS given (
        session_id uuid, key text, number integer, title jsonb, subtitle jsonb, abstract jsonb, description jsonb,
        starts_at timestamptz, ends_at timestamptz, room_id uuid, track_id uuid, kind_id uuid, roles jsonb,
        languages text[], service boolean, url text, logo_url text, links jsonb, license text, do_not_record
        boolean, shares_room boolean, status text, extra jsonb
    )
    ON CONFLICT (event_id, session_id) DO UPDATE
    SET key = excluded.key, number = excluded.number, title = excluded.title, subtitle = excluded.subtitle, abstract
        = excluded.abstract, description = excluded.description, starts_at = excluded.starts_at, ends_at =
        excluded.ends_at, room_id = excluded.room_id, track_id = excluded.track_id, kind_id = excluded.kind_id, roles =
        excluded.roles, languages = excluded.languages, service = excluded.service, url = excluded.url, logo_url =
        excluded.logo_url, links = excluded.links, license = excluded.license, do_not_record = excluded.do_not_record,
        shares_room = excluded.shares_room, status = excluded.status, extra = excluded.extra, revision =
        excluded.revision
"""

TAKE_SPEAKERS = "DELETE FROM session_speaker WHERE event_id = $1 AND session_id = ANY($2::uuid[])"

NAME_SPEAKERS = """
    INSERT INTO session_speaker (event_id, session_id, speaker_id, position)
    SELECT $1, given.session_id, named.speaker_id::uuid, named.number - 1
    FROM jsonb_to_recordset($2) AS given (session_id uuid, speaker_ids jsonb),
         jsonb_array_elements_text(given.speaker_ids) WITH ORDINALITY AS named (speaker_id, number)
"""

REMOVE_DAYS = "DELETE FROM day WHERE event_id = $1 AND day_id = ANY($2::uuid[])"
REMOVE_ROOMS = "DELETE FROM room WHERE event_id = $1 AND room_id = ANY($2::uuid[])"
REMOVE_TRACKS = "DELETE FROM track WHERE event_id = $1 AND track_id = ANY($2::uuid[])"
REMOVE_KINDS = "DELETE FROM kind WHERE event_id = $1 AND kind_id = ANY($2::uuid[])"
REMOVE_SPEAKERS = "DELETE FROM speaker WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])"
REMOVE_SESSIONS = "DELETE FROM session WHERE event_id = $1 AND session_id = ANY($2::uuid[])"

# Refuses here, where the action can still say what is wrong, and not at the commit.
CHECK_NOW = "SET CONSTRAINTS session_room_is_free, session_number, day_is_one IMMEDIATE"

LIST_NUMBERS = "SELECT COALESCE(array_agg(number), '{}'::integer[]) FROM session WHERE event_id = $1"

NEXT_ROOM = "SELECT COALESCE(max(position) + 1, 0) FROM room WHERE event_id = $1"
NEXT_TRACK = "SELECT COALESCE(max(position) + 1, 0) FROM track WHERE event_id = $1"
NEXT_KIND = "SELECT COALESCE(max(position) + 1, 0) FROM kind WHERE event_id = $1"

# What others hold on to: an attendee who is a speaker, a check-in list that follows a room, an announcement that is still to go
# out to a track.
LIST_HELD = """
    SELECT ARRAY(
        SELECT speaker_id FROM attendee WHERE event_id = $1 AND speaker_id IS NOT NULL
        UNION
        SELECT room_id FROM checkin_list WHERE event_id = $1 AND room_id IS NOT NULL
        UNION
        SELECT track.track_id
        FROM track
        JOIN announcement ON announcement.event_id = track.event_id
            AND announcement.channel = 'announcements:track:' || track.track_id
        WHERE track.event_id = $1 AND announcement.status = 'scheduled'
    )
"""

# Whoever schedules an announcement holds its track to the commit: once the track is deleted, this sees it.
IS_ANNOUNCED_TO = """
    SELECT EXISTS (
        SELECT FROM announcement WHERE event_id = $1 AND status = 'scheduled' AND channel = ANY($2::text[])
    )
"""

FIND_CLASH = """
    SELECT other.title, room.name AS room
    FROM session
    JOIN session AS other ON other.event_id = session.event_id AND other.room_id = session.room_id
        AND other.session_id <> session.session_id
        AND other.starts_at < session.ends_at AND other.ends_at > session.starts_at
        AND other.status <> 'cancelled' AND NOT other.shares_room
    JOIN room ON room.event_id = session.event_id AND room.room_id = session.room_id
    WHERE session.event_id = $1 AND session.session_id = ANY($2::uuid[])
      AND session.status <> 'cancelled' AND NOT session.shares_room
    ORDER BY other.starts_at
    LIMIT 1
"""

# Who hears of a session's change on their own channel: whoever is one of the speakers given with it. Favourites join this
# statement with the attendees' agenda, as another part of a union.
LIST_CONCERNED = """
    SELECT given.session_id, attendee.attendee_id
    FROM unnest($2::uuid[], $3::uuid[]) AS given (session_id, speaker_id)
    JOIN attendee ON attendee.event_id = $1 AND attendee.speaker_id = given.speaker_id
"""


async def get_version(tx: Tx, event_id: UUID) -> VersionRow | None:
    return await row(tx, VersionRow, GET_VERSION, event_id)


async def lock_version(tx: Tx, event_id: UUID) -> VersionRow | None:
    return await row(tx, VersionRow, LOCK_VERSION, event_id)


async def advance_version(tx: Tx, event_id: UUID) -> VersionRow | None:
    return await row(tx, VersionRow, ADVANCE_VERSION, event_id)


async def list_days(tx: Tx, event_id: UUID) -> list[DayRow]:
    return await rows(tx, DayRow, LIST_DAYS, event_id)


async def list_rooms(tx: Tx, event_id: UUID) -> list[RoomRow]:
    return await rows(tx, RoomRow, LIST_ROOMS, event_id)


async def list_tracks(tx: Tx, event_id: UUID) -> list[TrackRow]:
    return await rows(tx, TrackRow, LIST_TRACKS, event_id)


async def list_kinds(tx: Tx, event_id: UUID) -> list[KindRow]:
    return await rows(tx, KindRow, LIST_KINDS, event_id)


async def list_speakers(tx: Tx, event_id: UUID) -> list[SpeakerRow]:
    return await rows(tx, SpeakerRow, LIST_SPEAKERS, event_id)


async def list_speakers_after(tx: Tx, event_id: UUID, *, speaker_id: UUID, limit: int) -> list[SpeakerRow]:
    return await rows(tx, SpeakerRow, LIST_SPEAKERS_AFTER, event_id, speaker_id, limit)


async def list_speakers_named(tx: Tx, event_id: UUID, *, speaker_ids: Iterable[UUID]) -> list[SpeakerRow]:
    """Those of these speakers that there are, by id."""
    return await rows(tx, SpeakerRow, LIST_SPEAKERS_NAMED, event_id, list(speaker_ids))


async def list_sessions(tx: Tx, event_id: UUID) -> list[SessionRow]:
    """In the order in which a programme shows them."""
    return await rows(tx, SessionRow, LIST_SESSIONS, event_id)


async def read_state(tx: Tx, event_id: UUID) -> State:
    """The whole programme. `tx` must be a snapshot, or hold the version's lock."""
    return State(
        day={row.day_id: row for row in await list_days(tx, event_id)},
        room={row.room_id: row for row in await list_rooms(tx, event_id)},
        track={row.track_id: row for row in await list_tracks(tx, event_id)},
        kind={row.kind_id: row for row in await list_kinds(tx, event_id)},
        speaker={row.speaker_id: row for row in await list_speakers(tx, event_id)},
        session={row.session_id: row for row in await list_sessions(tx, event_id)},
    )


async def get_day(tx: Tx, event_id: UUID, day_id: UUID) -> DayRow | None:
    return await row(tx, DayRow, GET_DAY, event_id, day_id)


async def get_room(tx: Tx, event_id: UUID, room_id: UUID) -> RoomRow | None:
    return await row(tx, RoomRow, GET_ROOM, event_id, room_id)


async def get_track(tx: Tx, event_id: UUID, track_id: UUID) -> TrackRow | None:
    return await row(tx, TrackRow, GET_TRACK, event_id, track_id)


async def get_kind(tx: Tx, event_id: UUID, kind_id: UUID) -> KindRow | None:
    return await row(tx, KindRow, GET_KIND, event_id, kind_id)


async def get_speaker(tx: Tx, event_id: UUID, speaker_id: UUID) -> SpeakerRow | None:
    return await row(tx, SpeakerRow, GET_SPEAKER, event_id, speaker_id)


async def get_session(tx: Tx, event_id: UUID, session_id: UUID) -> SessionRow | None:
    return await row(tx, SessionRow, GET_SESSION, event_id, session_id)


async def write_days(tx: Tx, event_id: UUID, things: Things, *, revision: int) -> None:
    await tx.execute(WRITE_DAYS, event_id, things, revision)


async def write_rooms(tx: Tx, event_id: UUID, things: Things, *, revision: int) -> None:
    await tx.execute(WRITE_ROOMS, event_id, things, revision)


async def write_tracks(tx: Tx, event_id: UUID, things: Things, *, revision: int) -> None:
    await tx.execute(WRITE_TRACKS, event_id, things, revision)


async def write_kinds(tx: Tx, event_id: UUID, things: Things, *, revision: int) -> None:
    await tx.execute(WRITE_KINDS, event_id, things, revision)


async def write_speakers(tx: Tx, event_id: UUID, things: Things, *, revision: int) -> None:
    await tx.execute(WRITE_SPEAKERS, event_id, things, revision)


async def write_sessions(tx: Tx, event_id: UUID, things: Things, *, revision: int) -> None:
    await tx.execute(WRITE_SESSIONS, event_id, things, revision)


async def name_speakers(tx: Tx, event_id: UUID, sessions: Things) -> None:
    """Gives each session its speakers instead of those it had. An unknown one violates `session_speaker_speaker`."""
    await tx.execute(TAKE_SPEAKERS, event_id, [one["session_id"] for one in sessions])
    await tx.execute(NAME_SPEAKERS, event_id, sessions)


async def remove_days(tx: Tx, event_id: UUID, ids: list[UUID]) -> None:
    await tx.execute(REMOVE_DAYS, event_id, ids)


async def remove_rooms(tx: Tx, event_id: UUID, ids: list[UUID]) -> None:
    await tx.execute(REMOVE_ROOMS, event_id, ids)


async def remove_tracks(tx: Tx, event_id: UUID, ids: list[UUID]) -> None:
    await tx.execute(REMOVE_TRACKS, event_id, ids)


async def remove_kinds(tx: Tx, event_id: UUID, ids: list[UUID]) -> None:
    await tx.execute(REMOVE_KINDS, event_id, ids)


async def remove_speakers(tx: Tx, event_id: UUID, ids: list[UUID]) -> None:
    await tx.execute(REMOVE_SPEAKERS, event_id, ids)


async def remove_sessions(tx: Tx, event_id: UUID, ids: list[UUID]) -> None:
    await tx.execute(REMOVE_SESSIONS, event_id, ids)


async def check_now(tx: Tx) -> None:
    """Violates whichever of these does not hold, where its violation can still be answered by name."""
    await tx.execute(CHECK_NOW)


async def list_numbers(tx: Tx, event_id: UUID) -> set[int]:
    """Those that sessions have."""
    return set(await tx.fetchval(LIST_NUMBERS, event_id))


async def next_room(tx: Tx, event_id: UUID) -> int:
    """The place behind all others."""
    return int(await tx.fetchval(NEXT_ROOM, event_id))


async def next_track(tx: Tx, event_id: UUID) -> int:
    return int(await tx.fetchval(NEXT_TRACK, event_id))


async def next_kind(tx: Tx, event_id: UUID) -> int:
    return int(await tx.fetchval(NEXT_KIND, event_id))


async def list_held(tx: Tx, event_id: UUID) -> set[UUID]:
    """Speakers who are attendees, rooms that a check-in list follows, tracks to which something is still to be announced."""
    return set(await tx.fetchval(LIST_HELD, event_id))


async def is_announced_to(tx: Tx, event_id: UUID, *, channels: list[str]) -> bool:
    """Whether something is still to go out on one of these channels."""
    return bool(await tx.fetchval(IS_ANNOUNCED_TO, event_id, channels))


async def find_clash(tx: Tx, event_id: UUID, *, session_ids: list[UUID]) -> ClashRow | None:
    """One that is in the room of one of these at the same time, though neither shares it."""
    return await row(tx, ClashRow, FIND_CLASH, event_id, session_ids)


async def list_concerned(tx: Tx, event_id: UUID, *, speakers: Sequence[tuple[UUID, UUID]]) -> dict[UUID, set[UUID]]:
    """The attendees whom sessions concern, by session; nothing of one that concerns nobody. `speakers`: sessions with whoever
    speaks there, or did.

    Today speakers alone; who has it among their favourites will be found by the same statement.
    """
    sessions, speaker_ids = [session for session, _ in speakers], [speaker for _, speaker in speakers]
    found: dict[UUID, set[UUID]] = {}
    for one in await rows(tx, ConcernedRow, LIST_CONCERNED, event_id, sessions, speaker_ids):
        found.setdefault(one.session_id, set()).add(one.attendee_id)
    return found
