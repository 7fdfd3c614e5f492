"""Statements on the programme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import LiteralString
from uuid import UUID

from server.db import Tx, row, rows
from server.schedule.rows import (
    ROWS,
    ClashRow,
    DayRow,
    DraftRow,
    Edit,
    KindRow,
    Origin,
    RoomRow,
    Row,
    SessionRow,
    SourceRow,
    SpeakerRow,
    StampRow,
    State,
    Subject,
    TouchedRow,
    TrackRow,
    VersionNote,
    VersionRow,
    stored,
)
from server.texts import Texts

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

# What is written is written whole. The driver sends all rows of one statement in one go.
WRITE_DAY = """
    INSERT INTO day (event_id, day_id, date, name, starts_at, ends_at, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (event_id, day_id) DO UPDATE
    SET date = $3, name = $4, starts_at = $5, ends_at = $6, revision = $7
"""

WRITE_ROOM = """
    INSERT INTO room (event_id, room_id, key, name, description, capacity, floor, position, extra, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (event_id, room_id) DO UPDATE
    SET key = $3, name = $4, description = $5, capacity = $6, floor = $7, position = $8, extra = $9, revision = $10
"""

WRITE_TRACK = """
    INSERT INTO track (event_id, track_id, key, name, description, color, position, extra, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (event_id, track_id) DO UPDATE
    SET key = $3, name = $4, description = $5, color = $6, position = $7, extra = $8, revision = $9
"""

WRITE_KIND = """
    INSERT INTO kind (event_id, kind_id, key, name, position, revision)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (event_id, kind_id) DO UPDATE
    SET key = $3, name = $4, position = $5, revision = $6
"""

WRITE_SPEAKER = """
    INSERT INTO speaker (event_id, speaker_id, key, name, organisation, tagline, bio, photo_url, links, extra, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (event_id, speaker_id) DO UPDATE
    SET key = $3, name = $4, organisation = $5, tagline = $6, bio = $7, photo_url = $8, links = $9, extra = $10,
        revision = $11
"""

WRITE_SESSION = """
    INSERT INTO session (event_id, session_id, key, number, title, subtitle, abstract, description, starts_at, ends_at,
                         room_id, track_id, kind_id, roles, languages, service, url, logo_url, links, license,
                         do_not_record, shares_room, status, extra, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25)
    ON CONFLICT (event_id, session_id) DO UPDATE
    SET key = $3, number = $4, title = $5, subtitle = $6, abstract = $7, description = $8, starts_at = $9, ends_at = $10,
        room_id = $11, track_id = $12, kind_id = $13, roles = $14, languages = $15, service = $16, url = $17,
        logo_url = $18, links = $19, license = $20, do_not_record = $21, shares_room = $22, status = $23, extra = $24,
        revision = $25
"""

TAKE_SPEAKERS = "DELETE FROM session_speaker WHERE event_id = $1 AND session_id = ANY($2::uuid[])"

NAME_SPEAKERS = """
    INSERT INTO session_speaker (event_id, session_id, speaker_id, position)
    SELECT $1, $2, given.speaker_id, given.number - 1
    FROM unnest($3::uuid[]) WITH ORDINALITY AS given (speaker_id, number)
"""

REMOVE_DAYS = "DELETE FROM day WHERE event_id = $1 AND day_id = ANY($2::uuid[])"
REMOVE_ROOMS = "DELETE FROM room WHERE event_id = $1 AND room_id = ANY($2::uuid[])"
REMOVE_TRACKS = "DELETE FROM track WHERE event_id = $1 AND track_id = ANY($2::uuid[])"
REMOVE_KINDS = "DELETE FROM kind WHERE event_id = $1 AND kind_id = ANY($2::uuid[])"
REMOVE_SPEAKERS = "DELETE FROM speaker WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])"
REMOVE_SESSIONS = "DELETE FROM session WHERE event_id = $1 AND session_id = ANY($2::uuid[])"

# Refuses here, where the action can still say what is wrong, and not at the commit.
CHECK_NOW = "SET CONSTRAINTS session_room_is_free, session_number IMMEDIATE"

LAST_NUMBER = "SELECT COALESCE(max(number), 0) FROM session WHERE event_id = $1"

NEXT_ROOM = "SELECT COALESCE(max(position) + 1, 0) FROM room WHERE event_id = $1"
NEXT_TRACK = "SELECT COALESCE(max(position) + 1, 0) FROM track WHERE event_id = $1"
NEXT_KIND = "SELECT COALESCE(max(position) + 1, 0) FROM kind WHERE event_id = $1"

# What others hold on to: an attendee who is a speaker, a check-in list that follows a room.
LIST_HELD = """
    SELECT speaker_id AS id FROM attendee WHERE event_id = $1 AND speaker_id IS NOT NULL
    UNION
    SELECT room_id FROM checkin_list WHERE event_id = $1 AND room_id IS NOT NULL
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

INSERT_VERSION = """
    INSERT INTO schedule_version (event_id, version, at, origin, name, note)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

LIST_VERSIONS = """
    SELECT schedule_version.version, schedule_version.at, schedule_version.origin, schedule_version.name,
           schedule_version.note,
           (SELECT count(*)
            FROM schedule_history
            WHERE schedule_history.event_id = schedule_version.event_id
              AND schedule_history.version = schedule_version.version) AS changes
    FROM schedule_version
    WHERE schedule_version.event_id = $1 AND schedule_version.version < $2
    ORDER BY schedule_version.version DESC
    LIMIT $3
"""

INSERT_HISTORY = """
    INSERT INTO schedule_history (event_id, subject, id, version, state)
    VALUES ($1, $2, $3, $4, $5)
"""

# Whatever a version from $2 + 1 to $3 touched: as it was at $2, and as it was at $3.
LIST_TOUCHED = """
    WITH touched AS (
        SELECT DISTINCT subject, id
        FROM schedule_history
        WHERE event_id = $1 AND version > $2 AND version <= $3
    )
    SELECT touched.subject, touched.id,
           (SELECT state
            FROM schedule_history AS earlier
            WHERE earlier.event_id = $1 AND earlier.subject = touched.subject AND earlier.id = touched.id
              AND earlier.version <= $2
            ORDER BY earlier.version DESC
            LIMIT 1) AS before,
           (SELECT state
            FROM schedule_history AS later
            WHERE later.event_id = $1 AND later.subject = touched.subject AND later.id = touched.id
              AND later.version <= $3
            ORDER BY later.version DESC
            LIMIT 1) AS after
    FROM touched
    ORDER BY touched.subject, touched.id
"""

# What a room, a track, a kind or a speaker was called at $3, also one that is gone since.
LIST_NAMES_THEN = """
    SELECT DISTINCT ON (id) id, COALESCE(state, '{"name": {}}'::jsonb) -> 'name' AS name
    FROM schedule_history
    WHERE event_id = $1 AND subject = $2 AND version <= $3 AND state IS NOT NULL
    ORDER BY id, version DESC
"""

# How often each session has changed since it came in, and when it last did.
LIST_STAMPS = """
    SELECT schedule_history.id, count(*) - 1 AS sequence, max(schedule_version.at) AS at
    FROM schedule_history
    JOIN schedule_version ON schedule_version.event_id = schedule_history.event_id
        AND schedule_version.version = schedule_history.version
    WHERE schedule_history.event_id = $1 AND schedule_history.subject = 'session'
    GROUP BY schedule_history.id
"""

LIST_DRAFT = """
    SELECT subject, id, base, state, revision
    FROM schedule_draft
    WHERE event_id = $1
    ORDER BY subject, id
"""

GET_DRAFT = """
    SELECT subject, id, base, state, revision
    FROM schedule_draft
    WHERE event_id = $1 AND subject = $2 AND id = $3
"""

WRITE_DRAFT = """
    INSERT INTO schedule_draft (event_id, subject, id, base, state, revision)
    VALUES ($1, $2, $3, $4, $5, 1)
    ON CONFLICT (event_id, subject, id) DO UPDATE
    SET state = $5, revision = schedule_draft.revision + 1, at = now()
    RETURNING revision
"""

FORGET_DRAFT_OF = "DELETE FROM schedule_draft WHERE event_id = $1 AND subject = $2 AND id = $3"

FORGET_DRAFT = "DELETE FROM schedule_draft WHERE event_id = $1"

LIST_SOURCES = "SELECT subject, key, state, missing FROM schedule_source WHERE event_id = $1"

WRITE_SOURCE = """
    INSERT INTO schedule_source (event_id, subject, key, state, missing)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (event_id, subject, key) DO UPDATE
    SET state = $4, missing = $5
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


_GET: dict[Subject, LiteralString] = {
    "day": GET_DAY,
    "room": GET_ROOM,
    "track": GET_TRACK,
    "kind": GET_KIND,
    "speaker": GET_SPEAKER,
    "session": GET_SESSION,
}


_NEXT: dict[Subject, LiteralString] = {"room": NEXT_ROOM, "track": NEXT_TRACK, "kind": NEXT_KIND}
_WRITE: dict[Subject, LiteralString] = {
    "day": WRITE_DAY,
    "room": WRITE_ROOM,
    "track": WRITE_TRACK,
    "kind": WRITE_KIND,
    "speaker": WRITE_SPEAKER,
    "session": WRITE_SESSION,
}
_REMOVE: dict[Subject, LiteralString] = {
    "day": REMOVE_DAYS,
    "room": REMOVE_ROOMS,
    "track": REMOVE_TRACKS,
    "kind": REMOVE_KINDS,
    "speaker": REMOVE_SPEAKERS,
    "session": REMOVE_SESSIONS,
}


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


async def get_thing(tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID) -> Row | None:
    """One thing of the programme, whatever it is."""
    return await row(tx, ROWS[subject], _GET[subject], event_id, thing_id)


async def get_session(tx: Tx, event_id: UUID, session_id: UUID) -> SessionRow | None:
    return await row(tx, SessionRow, GET_SESSION, event_id, session_id)


async def write_things(tx: Tx, event_id: UUID, subject: Subject, things: Sequence[Row]) -> None:
    """Inserts these, or overwrites them. What another already has violates a constraint, a session's number at `check_now`."""
    columns = [name for name in ROWS[subject].__struct_fields__ if name != "speaker_ids"]
    await tx.executemany(_WRITE[subject], [(event_id, *(getattr(one, name) for name in columns)) for one in things])


async def name_speakers(tx: Tx, event_id: UUID, sessions: Sequence[SessionRow]) -> None:
    """Gives each session its speakers instead of those it had. An unknown one violates `session_speaker_speaker`."""
    await tx.execute(TAKE_SPEAKERS, event_id, [one.session_id for one in sessions])
    await tx.executemany(
        NAME_SPEAKERS, [(event_id, one.session_id, one.speaker_ids) for one in sessions if one.speaker_ids]
    )


async def remove_things(tx: Tx, event_id: UUID, subject: Subject, ids: Sequence[UUID]) -> None:
    """What others refer to violates the constraint that says so."""
    await tx.execute(_REMOVE[subject], event_id, list(ids))


async def check_now(tx: Tx) -> None:
    """Violates `session_room_is_free` where two sessions are in one room at a time."""
    await tx.execute(CHECK_NOW)


async def last_number(tx: Tx, event_id: UUID) -> int:
    found: int = await tx.fetchval(LAST_NUMBER, event_id)
    return found


async def next_position(tx: Tx, event_id: UUID, subject: Subject) -> int:
    """Behind all others; 0 for what has no order of its own."""
    if subject not in _NEXT:
        return 0
    found: int = await tx.fetchval(_NEXT[subject], event_id)
    return found


async def list_held(tx: Tx, event_id: UUID) -> set[UUID]:
    """Speakers who are attendees, and rooms that a check-in list follows."""
    return {found["id"] for found in await tx.fetch(LIST_HELD, event_id)}


async def find_clash(tx: Tx, event_id: UUID, *, session_ids: list[UUID]) -> ClashRow | None:
    """One that is in the room of one of these at the same time, though neither shares it."""
    return await row(tx, ClashRow, FIND_CLASH, event_id, session_ids)


async def insert_version(tx: Tx, event_id: UUID, now: VersionRow, *, origin: Origin, name: str, note: str) -> None:
    await tx.execute(INSERT_VERSION, event_id, now.version, now.updated_at, origin, name, note)


async def list_versions(tx: Tx, event_id: UUID, *, before: int, limit: int) -> list[VersionNote]:
    """The newest first."""
    return await rows(tx, VersionNote, LIST_VERSIONS, event_id, before, limit)


async def insert_history(tx: Tx, event_id: UUID, version: int, edits: Sequence[Edit]) -> None:
    """Each thing as it is from this version on."""
    await tx.executemany(
        INSERT_HISTORY,
        [(event_id, one.subject, one.id, version, one.after and stored(one.after)) for one in edits],
    )


async def list_touched(tx: Tx, event_id: UUID, *, since: int, until: int) -> list[TouchedRow]:
    return await rows(tx, TouchedRow, LIST_TOUCHED, event_id, since, until)


async def list_names_then(tx: Tx, event_id: UUID, subject: Subject, *, version: int) -> dict[UUID, Texts]:
    found = await tx.fetch(LIST_NAMES_THEN, event_id, subject, version)
    return {one["id"]: one["name"] for one in found}


async def list_stamps(tx: Tx, event_id: UUID) -> list[StampRow]:
    return await rows(tx, StampRow, LIST_STAMPS, event_id)


async def list_draft(tx: Tx, event_id: UUID) -> list[DraftRow]:
    return await rows(tx, DraftRow, LIST_DRAFT, event_id)


async def get_draft(tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID) -> DraftRow | None:
    return await row(tx, DraftRow, GET_DRAFT, event_id, subject, thing_id)


async def write_draft(
    tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID, *, base: Row | None, state: Row | None
) -> int:
    """Returns the draft's revision of the thing. `base` counts only when the draft has not touched it yet."""
    found: int = await tx.fetchval(
        WRITE_DRAFT, event_id, subject, thing_id, base and stored(base), state and stored(state)
    )
    return found


async def forget_draft_of(tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID) -> bool:
    """Whether the draft had touched it."""
    status: str = await tx.execute(FORGET_DRAFT_OF, event_id, subject, thing_id)
    return status.endswith(" 1")


async def forget_draft(tx: Tx, event_id: UUID) -> None:
    await tx.execute(FORGET_DRAFT, event_id)


async def list_sources(tx: Tx, event_id: UUID) -> list[SourceRow]:
    return await rows(tx, SourceRow, LIST_SOURCES, event_id)


async def write_sources(tx: Tx, event_id: UUID, sources: Sequence[SourceRow]) -> None:
    await tx.executemany(WRITE_SOURCE, [(event_id, one.subject, one.key, one.state, one.missing) for one in sources])


async def list_concerned(tx: Tx, event_id: UUID, session_id: UUID, *, speaker_ids: list[UUID]) -> list[UUID]:
    """The attendees whom a session concerns, beside those who speak there now those who are one of `speaker_ids`.

    Today speakers alone; who has it among their favourites will be found by the same statement.
    """
    found: list[UUID] = await tx.fetchval(LIST_CONCERNED, event_id, session_id, speaker_ids)
    return found
