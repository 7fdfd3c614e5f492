"""Publishing announcements."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from server.announcement import queries
from server.announcement.types import Announcement, PublishAnnouncement, Published
from server.db import Database
from server.errors import InvalidRequest
from server.feed import emit
from server.feed.types import ANNOUNCEMENTS
from server.ids import new_id
from server.instants import check_instant


async def publish_announcement(db: Database, event_id: UUID, command: PublishAnnouncement) -> Published:
    """Stores an announcement and tells the feed. Raises `InvalidRequest` for one that has already expired."""
    check_instant(command.expires_at, "expires_at")
    try:
        async with db.tx() as tx:
            announcement = await queries.insert_announcement(tx, event_id, announcement_id=new_id(), command=command)
            assert announcement is not None, "INSERT … RETURNING one row"  # noqa: S101 - for the type checker
            fields = {
                name: getattr(announcement, name) for name in ("title", "body", "urgent", "published_at", "expires_at")
            }
            data = Announcement(id=announcement.announcement_id, **fields)
            emitted = await emit(tx, event_id, channel=ANNOUNCEMENTS, kind="announcement.published", data=data)
            return Published(id=announcement.announcement_id, seq=emitted.seq, **fields)
    except asyncpg.CheckViolationError as error:
        if error.constraint_name == "announcement_expires_after_publication":
            raise InvalidRequest("The announcement would expire before it is published - at `$.expires_at`") from error
        raise
