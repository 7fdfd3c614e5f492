"""Announcements' shapes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.instants import Instant
from server.texts import LineTexts, ParagraphTexts, Texts


class PublishAnnouncement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An announcement to everybody, at once."""

    title: LineTexts
    body: ParagraphTexts = {}
    urgent: bool = False
    expires_at: Instant | None = None
    """From then on it is no longer listed; phones hide it."""


class AnnouncementRow(Struct, frozen=True):
    announcement_id: UUID
    title: Texts
    body: Texts
    urgent: bool
    published_at: datetime
    expires_at: datetime | None


class Announcement(Struct, frozen=True, kw_only=True):
    """An announcement as it is read; in all languages it is also the data of an `announcement.published` event."""

    id: UUID
    title: str | Texts
    body: str | Texts
    urgent: bool
    published_at: datetime
    expires_at: datetime | None


class Published(Announcement, frozen=True, kw_only=True):
    """An announcement as its sender gets it back, in all languages."""

    seq: int
    """Its place in channel `announcements`."""


class AnnouncementPage(Struct, frozen=True, kw_only=True):
    announcements: list[Announcement]
    """Newest first; expired ones are left out."""
    next_cursor: str | None
