"""Statements on announcements."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from server.announcement.types import AnnouncementRow, PublishAnnouncement
from server.db import Tx, row, rows

INSERT_ANNOUNCEMENT = """
    INSERT INTO announcement (event_id, announcement_id, title, body, urgent, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    RETURNING announcement_id, title, body, urgent, published_at, expires_at
"""

LIST_NEWEST = """
    SELECT announcement_id, title, body, urgent, published_at, expires_at
    FROM announcement
    WHERE event_id = $1 AND (published_at, announcement_id) < ($2, $3)
      AND (expires_at IS NULL OR expires_at > now())
    ORDER BY published_at DESC, announcement_id DESC
    LIMIT $4
"""


async def insert_announcement(
    tx: Tx, event_id: UUID, *, announcement_id: UUID, command: PublishAnnouncement
) -> AnnouncementRow | None:
    return await row(
        tx,
        AnnouncementRow,
        INSERT_ANNOUNCEMENT,
        event_id,
        announcement_id,
        command.title,
        command.body,
        command.urgent,
        command.expires_at,
    )


async def list_newest(
    tx: Tx, event_id: UUID, *, before: datetime, before_id: UUID, limit: int
) -> list[AnnouncementRow]:
    return await rows(tx, AnnouncementRow, LIST_NEWEST, event_id, before, before_id, limit)
