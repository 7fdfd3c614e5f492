"""The programme's shapes: rows, the document an app reads, an organizer's change, the event it makes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from server.feed import Position
from server.instants import Instant
from server.texts import LineTexts, ParagraphTexts, Texts

Status = Literal["scheduled", "moved", "delayed", "cancelled"]


class VersionRow(Struct, frozen=True):
    version: int
    updated_at: datetime


class RoomRow(Struct, frozen=True):
    room_id: UUID
    name: Texts
    capacity: int | None
    floor: str | None


class TrackRow(Struct, frozen=True):
    track_id: UUID
    name: Texts
    color: str | None


class SpeakerRow(Struct, frozen=True):
    speaker_id: UUID
    name: Texts
    organisation: Texts
    bio: Texts


class SessionRow(Struct, frozen=True):
    session_id: UUID
    title: Texts
    subtitle: Texts
    abstract: Texts
    description: Texts
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None
    track_id: UUID | None
    speaker_ids: list[UUID]
    kind: str
    language: str | None
    url: str | None
    status: Status


class Room(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    capacity: int | None
    floor: str | None


class Track(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    color: str | None


class Speaker(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    organisation: str | Texts
    bio: str | Texts


class SpeakerPage(Struct, frozen=True, kw_only=True):
    speakers: list[Speaker]
    next_cursor: str | None


class Session(Struct, frozen=True, kw_only=True):
    id: UUID
    title: str | Texts
    subtitle: str | Texts
    abstract: str | Texts
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None
    track_id: UUID | None
    speaker_ids: list[UUID]
    kind: str
    language: str | None
    url: str | None
    status: Status


class SessionDetail(Session, frozen=True, kw_only=True):
    """One session with its long text."""

    description: str | Texts


class Day(Struct, frozen=True, kw_only=True):
    date: str
    """A date in the event's zone, `2026-12-18`; a session belongs to the day on which it starts there."""
    session_ids: list[UUID]


class Schedule(Struct, frozen=True, kw_only=True):
    """The whole programme in one language."""

    version: int
    updated_at: datetime
    feed: Position
    """Where channel `schedule` stood in this document: listen from here and nothing is missed."""
    timezone: str
    days: list[Day]
    rooms: list[Room]
    tracks: list[Track]
    speakers: list[Speaker]
    sessions: list[Session]
    """By start, then room."""


class ChangeSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of a session; what is left out stays.

    A new start without a new end keeps the length. Without a `status`, another room or an earlier start makes it `moved`, a
    later start `delayed`; a cancelled session stays cancelled until a status says otherwise.
    """

    starts_at: Instant | UnsetType = UNSET
    ends_at: Instant | UnsetType = UNSET
    room_id: UUID | UnsetType | None = UNSET
    track_id: UUID | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    title: LineTexts | UnsetType = UNSET
    subtitle: ParagraphTexts | UnsetType = UNSET
    abstract: ParagraphTexts | UnsetType = UNSET
    description: ParagraphTexts | UnsetType = UNSET
    language: (
        Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)", max_length=35)] | UnsetType | None
    ) = UNSET


class FieldChange(Struct, frozen=True):
    old: Any
    new: Any


class SessionChanged(Struct, frozen=True, kw_only=True):
    """The data of a `session.changed` event."""

    version: int
    """The programme's version that this change made."""
    session: SessionDetail
    """The session as it is now, in all languages."""
    changed: dict[str, FieldChange]
