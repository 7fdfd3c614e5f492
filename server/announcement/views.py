"""An announcement's row as it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.announcement.types import Announcement, AnnouncementRow, StoredAnnouncement
from server.feed.topics import audience_of
from server.texts import Texts

PickText = Callable[[Texts], str | Texts]
"""Chooses the reader's language."""


def view(row: AnnouncementRow, pick: PickText) -> Announcement:
    """As its readers get it."""
    return Announcement(**_fields(row, pick))


def in_all_languages(row: AnnouncementRow) -> Announcement:
    """As it is told in the feed."""
    return view(row, _whole)


def stored(row: AnnouncementRow) -> StoredAnnouncement:
    """As its sender gets it back."""
    return StoredAnnouncement(**_fields(row, _whole), seq=row.seq)


def _whole(texts: Texts) -> Texts:
    return texts


def _fields(row: AnnouncementRow, pick: PickText) -> dict[str, Any]:
    return {
        "id": row.announcement_id,
        "audience": audience_of(row.channel),
        "title": pick(row.title),
        "body": pick(row.body),
        "urgent": row.urgent,
        "status": row.status,
        "publish_at": row.publish_at,
        "published_at": row.published_at,
        "edited_at": row.edited_at,
        "expires_at": row.expires_at,
        "ended_at": row.withdrawn_at or row.expired_at,
    }
