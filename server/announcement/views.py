"""An announcement's row as it is read."""

from __future__ import annotations

from msgspec import structs

from server.announcement.types import Announcement, AnnouncementRow, StoredAnnouncement
from server.event.reader import EVERY_LANGUAGE, Reader
from server.feed.topics import audience_of


def view(row: AnnouncementRow, reader: Reader) -> Announcement:
    """As its readers get it."""
    return Announcement(
        id=row.announcement_id,
        audience=audience_of(row.channel),
        title=reader.text(row.title),
        body=reader.text(row.body),
        urgent=row.urgent,
        status=row.status,
        publish_at=row.publish_at,
        published_at=row.published_at,
        edited_at=row.edited_at,
        expires_at=row.expires_at,
        ended_at=row.withdrawn_at or row.expired_at,
    )


def in_all_languages(row: AnnouncementRow) -> Announcement:
    """As it is told in the feed."""
    return view(row, EVERY_LANGUAGE)


def stored(row: AnnouncementRow) -> StoredAnnouncement:
    """As its sender gets it back."""
    return StoredAnnouncement(**structs.asdict(in_all_languages(row)), seq=row.seq)
