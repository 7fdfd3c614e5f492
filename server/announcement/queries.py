"""Statements on announcements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.announcement.types import AnnouncementRow, DueRow, LockedRow, PublishAnnouncement, Status
from server.db import Tx, row, rows

INSERT_ANNOUNCEMENT = """
    INSERT INTO announcement (event_id, announcement_id, channel, title, body, urgent, content, publish_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, GREATEST($8, now()), $9)
    ON CONFLICT (event_id, announcement_id) DO NOTHING
    RETURNING announcement_id, channel, title, body, urgent, status, publish_at, published_at, edited_at, expires_at,
              withdrawn_at, expired_at, changed_at, seq, now() AS now
"""

HAS_CONTENT = "SELECT content = $3 FROM announcement WHERE event_id = $1 AND announcement_id = $2"

GET_ANNOUNCEMENT = """
    SELECT announcement_id, channel, title, body, urgent, status, publish_at, published_at, edited_at, expires_at,
           withdrawn_at, expired_at, changed_at, seq
    FROM announcement
    WHERE event_id = $1 AND announcement_id = $2
"""

LOCK_ANNOUNCEMENT = """
    SELECT announcement_id, channel, title, body, urgent, status, publish_at, published_at, edited_at, expires_at,
           withdrawn_at, expired_at, changed_at, seq, clock_timestamp() AS now
    FROM announcement
    WHERE event_id = $1 AND announcement_id = $2
    FOR UPDATE
"""

# Whoever holds the row takes the step, or has just taken it: nobody waits for that.
LOCK_DUE = """
    SELECT announcement_id, channel, title, body, urgent, status, publish_at, published_at, edited_at, expires_at,
           withdrawn_at, expired_at, changed_at, seq, clock_timestamp() AS now
    FROM announcement
    WHERE event_id = $1 AND announcement_id = $2 AND due_at <= now()
    FOR UPDATE SKIP LOCKED
"""

UPDATE_ANNOUNCEMENT = """
    UPDATE announcement
    SET channel = $3, title = $4, body = $5, urgent = $6, publish_at = $7, published_at = $8, edited_at = $9,
        expires_at = $10, withdrawn_at = $11, expired_at = $12, seq = $13, changed_at = clock_timestamp()
    WHERE event_id = $1 AND announcement_id = $2
    RETURNING announcement_id, channel, title, body, urgent, status, publish_at, published_at, edited_at, expires_at,
              withdrawn_at, expired_at, changed_at, seq
"""

# A track or ticket type that is found here stays until the commit.
LOCK_TRACK = "SELECT true FROM track WHERE event_id = $1 AND track_id = $2 FOR KEY SHARE"
LOCK_TICKET = "SELECT true FROM ticket_type WHERE event_id = $1 AND ticket = $2 FOR KEY SHARE"

# `event` has few rows, and each is asked for the beginning of an index.
LIST_DUE = """
    SELECT event.event_id, due.announcement_id,
           ceil(1000 * EXTRACT(epoch FROM due.due_at - clock_timestamp()))::bigint AS milliseconds
    FROM event
    CROSS JOIN LATERAL (
        SELECT announcement_id, due_at
        FROM announcement
        WHERE announcement.event_id = event.event_id AND due_at <= now() + make_interval(secs => $1)
    ) AS due
    ORDER BY due.due_at, due.announcement_id
"""

LIST_AUDIENCES = """
    SELECT ARRAY(
        SELECT 'track:' || track_id FROM track WHERE event_id = $1
        UNION ALL
        SELECT 'ticket:' || ticket FROM ticket_type WHERE event_id = $1
    )
"""

GET_AS_OF = "SELECT now() - make_interval(secs => $1)"

# Each combination is a stretch of the index, in the order of the answer: however much there is, `limit` rows of each are read.
LIST_NEWEST = """
    SELECT found.announcement_id, found.channel, found.title, found.body, found.urgent, found.status, found.publish_at,
           found.published_at, found.edited_at, found.expires_at, found.withdrawn_at, found.expired_at, found.changed_at,
           found.seq
    FROM unnest($2::text[]) AS heard (channel)
    CROSS JOIN unnest($3::text[]) AS wanted (status)
    CROSS JOIN (VALUES (true), (false)) AS marked (urgent)
    CROSS JOIN LATERAL (
        SELECT announcement_id, announcement.channel, title, body, announcement.urgent, announcement.status, publish_at,
               published_at, edited_at, expires_at, withdrawn_at, expired_at, changed_at, seq, listed_at
        FROM announcement
        WHERE event_id = $1 AND announcement.channel = heard.channel AND announcement.status = wanted.status
          AND announcement.urgent = marked.urgent AND (listed_at, announcement_id) < ($5, $6)
        ORDER BY listed_at DESC, announcement_id DESC
        LIMIT $7
    ) AS found
    WHERE marked.urgent = COALESCE($4, marked.urgent)
    ORDER BY found.listed_at DESC, found.announcement_id DESC
    LIMIT $7
"""

LIST_CHANGED = """
    SELECT found.announcement_id, found.channel, found.title, found.body, found.urgent, found.status, found.publish_at,
           found.published_at, found.edited_at, found.expires_at, found.withdrawn_at, found.expired_at, found.changed_at,
           found.seq
    FROM unnest($2::text[]) AS heard (channel)
    CROSS JOIN LATERAL (
        SELECT announcement_id, announcement.channel, title, body, urgent, status, publish_at, published_at, edited_at,
               expires_at, withdrawn_at, expired_at, changed_at, seq
        FROM announcement
        WHERE event_id = $1 AND announcement.channel = heard.channel AND (changed_at, announcement_id) > ($4, $5)
          AND ($3 OR published_at IS NOT NULL)
        ORDER BY changed_at, announcement_id
        LIMIT $6
    ) AS found
    ORDER BY found.changed_at, found.announcement_id
    LIMIT $6
"""


async def insert_announcement(
    tx: Tx, event_id: UUID, announcement_id: UUID, *, channel: str, new: PublishAnnouncement, content: bytes
) -> LockedRow | None:
    """Stores it as scheduled, for now if its time is past or not given; None where its id is taken.

    Raises `asyncpg.CheckViolationError` (constraint `announcement_expires_after_publication`).
    """
    return await row(
        tx,
        LockedRow,
        INSERT_ANNOUNCEMENT,
        event_id,
        announcement_id,
        channel,
        new.title,
        new.body,
        new.urgent,
        content,
        new.publish_at,
        new.expires_at,
    )


async def has_content(tx: Tx, event_id: UUID, announcement_id: UUID, *, content: bytes) -> bool | None:
    """Whether an announcement was made by a request of this content; None where there is none of this id."""
    same: bool | None = await tx.fetchval(HAS_CONTENT, event_id, announcement_id, content)
    return same


async def get_announcement(tx: Tx, event_id: UUID, announcement_id: UUID) -> AnnouncementRow | None:
    return await row(tx, AnnouncementRow, GET_ANNOUNCEMENT, event_id, announcement_id)


async def lock_announcement(tx: Tx, event_id: UUID, announcement_id: UUID) -> LockedRow | None:
    return await row(tx, LockedRow, LOCK_ANNOUNCEMENT, event_id, announcement_id)


async def lock_due(tx: Tx, event_id: UUID, announcement_id: UUID) -> LockedRow | None:
    """None where nothing is due any more, or somebody else is at it."""
    return await row(tx, LockedRow, LOCK_DUE, event_id, announcement_id)


async def update_announcement(tx: Tx, event_id: UUID, *, after: AnnouncementRow) -> AnnouncementRow:
    """Writes what may change of an announcement, which must be locked.

    Raises `asyncpg.CheckViolationError` (constraint `announcement_expires_after_publication`).
    """
    written = await row(
        tx,
        AnnouncementRow,
        UPDATE_ANNOUNCEMENT,
        event_id,
        after.announcement_id,
        after.channel,
        after.title,
        after.body,
        after.urgent,
        after.publish_at,
        after.published_at,
        after.edited_at,
        after.expires_at,
        after.withdrawn_at,
        after.expired_at,
        after.seq,
    )
    assert written is not None, "the row is locked"  # noqa: S101 - for the type checker
    return written


async def lock_track(tx: Tx, event_id: UUID, track_id: UUID) -> bool:
    """Whether there is such a track, which then stays until the commit."""
    return bool(await tx.fetchval(LOCK_TRACK, event_id, track_id))


async def lock_ticket(tx: Tx, event_id: UUID, ticket: str) -> bool:
    """Whether there is such a type of ticket, which then stays until the commit."""
    return bool(await tx.fetchval(LOCK_TICKET, event_id, ticket))


async def list_due(tx: Tx, *, within_seconds: float) -> list[DueRow]:
    """What is due or will be soon, in any event, the earliest first."""
    return await rows(tx, DueRow, LIST_DUE, within_seconds)


async def list_audiences(tx: Tx, event_id: UUID) -> list[str]:
    """Those of the event's tracks and ticket types."""
    found: list[str] = await tx.fetchval(LIST_AUDIENCES, event_id)
    return found


async def get_as_of(tx: Tx, *, seconds_ago: float) -> datetime:
    """A moment by the database's clock: so long before the transaction began."""
    found: datetime = await tx.fetchval(GET_AS_OF, seconds_ago)
    return found


async def list_newest(
    tx: Tx,
    event_id: UUID,
    *,
    channels: list[str],
    statuses: Sequence[Status],
    urgent: bool | None,
    before: datetime,
    before_id: UUID,
    limit: int,
) -> list[AnnouncementRow]:
    """By when they went out or shall, the latest first."""
    return await rows(
        tx, AnnouncementRow, LIST_NEWEST, event_id, channels, list(statuses), urgent, before, before_id, limit
    )


async def list_changed(
    tx: Tx,
    event_id: UUID,
    *,
    channels: list[str],
    unpublished_too: bool,
    after: datetime,
    after_id: UUID,
    limit: int,
) -> list[AnnouncementRow]:
    """By when they changed, the earliest first; `unpublished_too`: also those that never went out."""
    return await rows(tx, AnnouncementRow, LIST_CHANGED, event_id, channels, unpublished_too, after, after_id, limit)
