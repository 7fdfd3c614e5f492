"""Statements on what the programme was, will be, and comes from: its versions, the draft, the sources."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from server.db import Tx, row, rows
from server.schedule.rows import (
    DraftRow,
    Edit,
    NamedRow,
    Origin,
    Row,
    SourceRow,
    StampRow,
    Subject,
    TouchedRow,
    VersionRow,
    stored,
)
from server.schedule.types import Version
from server.texts import Texts

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
    INSERT INTO schedule_history (event_id, version, subject, id, state)
    SELECT $1, $2, given.subject, given.id, given.state
    FROM jsonb_to_recordset($3) AS given (subject text, id uuid, state jsonb)
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
    ON CONFLICT (event_id, id) DO UPDATE
    SET state = $5, revision = schedule_draft.revision + 1, at = now()
    RETURNING revision
"""

FORGET_DRAFT_OF = "DELETE FROM schedule_draft WHERE event_id = $1 AND id = $2"

FORGET_DRAFT = "DELETE FROM schedule_draft WHERE event_id = $1"

LIST_SOURCES = "SELECT subject, key, state, missing FROM schedule_source WHERE event_id = $1"

WRITE_SOURCES = """
    INSERT INTO schedule_source (event_id, subject, key, state, missing)
    SELECT $1, given.subject, given.key, given.state, given.missing
    FROM jsonb_to_recordset($2) AS given (subject text, key text, state jsonb, missing boolean)
    ON CONFLICT (event_id, subject, key) DO UPDATE SET state = excluded.state, missing = excluded.missing
"""


async def insert_version(tx: Tx, event_id: UUID, now: VersionRow, *, origin: Origin, name: str, note: str) -> None:
    await tx.execute(INSERT_VERSION, event_id, now.version, now.updated_at, origin, name, note)


async def list_versions(tx: Tx, event_id: UUID, *, before: int, limit: int) -> list[Version]:
    """The newest first."""
    return await rows(tx, Version, LIST_VERSIONS, event_id, before, limit)


async def insert_history(tx: Tx, event_id: UUID, version: int, edits: Sequence[Edit]) -> None:
    """Each thing as it is from this version on."""
    things = [{"subject": one.subject, "id": one.id, "state": one.after and stored(one.after)} for one in edits]
    await tx.execute(INSERT_HISTORY, event_id, version, things)


async def list_touched(tx: Tx, event_id: UUID, *, since: int, until: int) -> list[TouchedRow]:
    return await rows(tx, TouchedRow, LIST_TOUCHED, event_id, since, until)


async def list_names_then(tx: Tx, event_id: UUID, subject: Subject, *, version: int) -> dict[UUID, Texts]:
    found = await rows(tx, NamedRow, LIST_NAMES_THEN, event_id, subject, version)
    return {one.id: one.name for one in found}


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


async def forget_draft_of(tx: Tx, event_id: UUID, thing_id: UUID) -> bool:
    """Whether the draft had touched it."""
    status: str = await tx.execute(FORGET_DRAFT_OF, event_id, thing_id)
    return status.endswith(" 1")


async def forget_draft(tx: Tx, event_id: UUID) -> None:
    await tx.execute(FORGET_DRAFT, event_id)


async def list_sources(tx: Tx, event_id: UUID) -> list[SourceRow]:
    return await rows(tx, SourceRow, LIST_SOURCES, event_id)


async def write_sources(tx: Tx, event_id: UUID, sources: Sequence[SourceRow]) -> None:
    await tx.execute(WRITE_SOURCES, event_id, sources)
