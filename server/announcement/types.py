"""Announcements' shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from server.feed import Position
from server.instants import Instant
from server.texts import LineTexts, ParagraphTexts, Texts

Status = Literal["scheduled", "published", "expired", "withdrawn"]

Audience = Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=200)]
"""`attendees`, `exhibitors`, `speakers`, `staff`, `track:{id}` or `ticket:{type}`; null: everybody."""

EVERYBODY: Final = "everybody"
"""How a list is asked for what is not for one audience alone."""


class PublishAnnouncement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An announcement, to go out at once or later."""

    id: UUID | None = None
    """The sender's own: sent again, with the same content, it is the same announcement and goes out once."""
    title: LineTexts
    body: ParagraphTexts = {}
    audience: Audience | None = None
    """`attendees`, `exhibitors`, `speakers`, `staff`, `track:{id}` or `ticket:{type}`; left out: everybody."""
    urgent: bool = False
    publish_at: Instant | None = None
    """Left out, or past: at once."""
    expires_at: Instant | None = None
    """From then on it is no longer listed; phones hide it."""


class ChangeAnnouncement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of an announcement; what is left out stays."""

    title: LineTexts | UnsetType = UNSET
    body: ParagraphTexts | UnsetType = UNSET
    urgent: bool | UnsetType = UNSET
    expires_at: Instant | UnsetType | None = UNSET
    """Null: it no longer expires."""
    audience: Audience | UnsetType | None = UNSET
    """Null: everybody. Only while it is scheduled, like `publish_at`."""
    publish_at: Instant | UnsetType | None = UNSET
    """Null, or past: at once."""


class AnnouncementRow(Struct, frozen=True):
    announcement_id: UUID
    channel: str
    title: Texts
    body: Texts
    urgent: bool
    status: Status
    publish_at: datetime
    published_at: datetime | None
    edited_at: datetime | None
    expires_at: datetime | None
    withdrawn_at: datetime | None
    expired_at: datetime | None
    changed_at: datetime
    seq: int | None


class LockedRow(AnnouncementRow, frozen=True):
    """An announcement that nobody else changes until the commit."""

    now: datetime
    """By the database's clock, when it was locked."""


class DueRow(Struct, frozen=True):
    """An announcement whose next step has come or comes soon."""

    event_id: UUID
    announcement_id: UUID
    milliseconds: int
    """Until then, by the database's clock; 0 or less: it has come."""


class Announcement(Struct, frozen=True, kw_only=True):
    """An announcement as it is read; in all languages it is also the data of `announcement.published` and `.edited`."""

    id: UUID
    audience: str | None
    """Whom it is for; null: everybody."""
    title: str | Texts
    body: str | Texts
    urgent: bool
    status: Status
    publish_at: datetime
    """When it was meant to go out."""
    published_at: datetime | None
    """When it did; null while it is scheduled."""
    edited_at: datetime | None
    """When it was last changed after it had gone out."""
    expires_at: datetime | None
    """From then on phones hide it, whether they have heard `announcement.expired` or not."""
    ended_at: datetime | None
    """When it was withdrawn or expired."""


class StoredAnnouncement(Announcement, frozen=True, kw_only=True):
    """An announcement as its sender gets it back, in all languages."""

    seq: int | None
    """The place of its `announcement.published` in its channel; null while it is scheduled."""


class AnnouncementEnded(Struct, frozen=True):
    """The data of `announcement.withdrawn` and `announcement.expired`: whoever shows it stops."""

    id: UUID


class AnnouncementPage(Struct, frozen=True, kw_only=True):
    announcements: list[Announcement]
    """Newest first; with `since` in the order in which they changed."""
    gone: list[UUID]
    """With `since`: those that changed and are no longer among what is asked for. Whoever shows one of them stops."""
    feed: list[Position]
    """How far the channels of what is listed had come: the events after the first page's positions make the list a later one."""
    as_of: datetime
    """Say it as `since` the next time to get all that has changed after this answer, and perhaps a little of what it shows."""
    next_cursor: str | None


PUBLISHED: Final = "announcement.published"
EDITED: Final = "announcement.edited"
WITHDRAWN: Final = "announcement.withdrawn"
EXPIRED: Final = "announcement.expired"

EVENTS: dict[str, type] = {
    PUBLISHED: Announcement,
    EDITED: Announcement,
    WITHDRAWN: AnnouncementEnded,
    EXPIRED: AnnouncementEnded,
}
"""What is told in the channels of announcements, with each event's data."""
