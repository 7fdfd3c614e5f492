"""Statements on events and their organizers."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from server.auth import Principal
from server.db import Tx, row
from server.event.types import EventRow

GET_EVENT_BY_SLUG = """
    SELECT event_id, slug, name, theme, organiser, venue, timezone, languages, default_language, starts_on, ends_on, day_begins
    FROM event
    WHERE slug = $1
"""

GET_EVENT = """
    SELECT event_id, slug, name, theme, organiser, venue, timezone, languages, default_language, starts_on, ends_on, day_begins
    FROM event
    WHERE event_id = $1
"""

INSERT_EVENT = """
    INSERT INTO event (event_id, slug, name, theme, organiser, venue, timezone, languages, default_language,
                       starts_on, ends_on, day_begins)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

# Badges wait for whoever has written an event's row until the commit: a first programme seldom says anything new.
SET_DAY_BEGINS = "UPDATE event SET day_begins = $2 WHERE event_id = $1 AND day_begins <> $2"

# Scans and what is written with them carry no foreign key (see schema.sql), so they go by themselves.
DELETE_SCANS = "DELETE FROM scan WHERE event_id = $1"
DELETE_NEWS = "DELETE FROM scan_news WHERE event_id = $1"
DELETE_COUNTS = "DELETE FROM checkin_count WHERE event_id = $1"

# What points at rooms, tickets and gates goes before them: those refuse to go while they are in use.
DELETE_SESSIONS = "DELETE FROM session WHERE event_id = $1"
DELETE_ATTENDEES = "DELETE FROM attendee WHERE event_id = $1"
DELETE_DEVICES = "DELETE FROM device WHERE event_id = $1"
DELETE_LISTS = "DELETE FROM checkin_list WHERE event_id = $1"

DELETE_EVENT = "DELETE FROM event WHERE event_id = $1"

GET_ORGANIZER_BY_HASH = """
    SELECT 'organizer' AS kind, event_id, organizer_id AS subject_id, name
    FROM organizer
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
"""

INSERT_ORGANIZER = """
    INSERT INTO organizer (event_id, organizer_id, name, token_hash)
    VALUES ($1, $2, $3, $4)
"""

REVOKE_ORGANIZER = """
    UPDATE organizer
    SET revoked_at = now()
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
    RETURNING organizer_id
"""


async def get_event_by_slug(tx: Tx, slug: str) -> EventRow | None:
    return await row(tx, EventRow, GET_EVENT_BY_SLUG, slug)


async def get_event(tx: Tx, event_id: UUID) -> EventRow | None:
    return await row(tx, EventRow, GET_EVENT, event_id)


async def insert_event(tx: Tx, event: EventRow) -> None:
    """Raises `asyncpg.UniqueViolationError` (constraint `event_slug`) where the slug is taken."""
    await tx.execute(INSERT_EVENT, *(getattr(event, name) for name in EventRow.__struct_fields__))


async def set_day_begins(tx: Tx, event_id: UUID, begins: time) -> None:
    await tx.execute(SET_DAY_BEGINS, event_id, begins)


async def delete_event(tx: Tx, event_id: UUID) -> None:
    """Deletes an event and everything that belongs to it."""
    await tx.execute(DELETE_SCANS, event_id)
    await tx.execute(DELETE_NEWS, event_id)
    await tx.execute(DELETE_COUNTS, event_id)
    await tx.execute(DELETE_SESSIONS, event_id)
    await tx.execute(DELETE_ATTENDEES, event_id)
    await tx.execute(DELETE_DEVICES, event_id)
    await tx.execute(DELETE_LISTS, event_id)
    await tx.execute(DELETE_EVENT, event_id)


async def get_organizer_by_token(tx: Tx, event_id: UUID, *, token_hash: bytes) -> Principal | None:
    return await row(tx, Principal, GET_ORGANIZER_BY_HASH, event_id, token_hash)


async def insert_organizer(tx: Tx, event_id: UUID, *, organizer_id: UUID, name: str, token_hash: bytes) -> None:
    await tx.execute(INSERT_ORGANIZER, event_id, organizer_id, name, token_hash)


async def revoke_organizer(tx: Tx, event_id: UUID, *, token_hash: bytes) -> UUID | None:
    """The organizer's id, or None where there is no such valid token."""
    found: UUID | None = await tx.fetchval(REVOKE_ORGANIZER, event_id, token_hash)
    return found
