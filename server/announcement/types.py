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


class AnnouncementPublished(Struct, frozen=True, kw_only=True):
    """The data of an `announcement.published` event: the whole announcement in all languages."""

    id: UUID
    title: Texts
    body: Texts
    urgent: bool
    published_at: datetime
    expires_at: datetime | None


class Published(Struct, frozen=True, kw_only=True):
    """An announcement as its sender gets it back."""

    id: UUID
    seq: int
    """Its place in channel `announcements`."""
    title: Texts
    body: Texts
    urgent: bool
    published_at: datetime
    expires_at: datetime | None


class Announcement(Struct, frozen=True, kw_only=True):
    id: UUID
    title: str | Texts
    body: str | Texts
    urgent: bool
    published_at: datetime
    expires_at: datetime | None


class AnnouncementPage(Struct, frozen=True, kw_only=True):
    announcements: list[Announcement]
    """Newest first; expired ones are left out."""
    next_cursor: str | None
