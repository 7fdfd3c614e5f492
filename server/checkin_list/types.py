"""Check-in lists' shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from server.instants import Instant
from server.texts import LineTexts, Texts

Kind = Literal["door", "day", "room", "meal"]
Reentry = Literal["never", "after_exit", "always"]
Key = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)")]
Ticket = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Tickets = Annotated[list[Ticket], Meta(max_length=100)]
Capacity = Annotated[int, Meta(ge=1, le=1_000_000)]
Minutes = Annotated[int, Meta(ge=0, le=1440)]


class CreateList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new check-in list."""

    key: Key
    """What scanners call it."""
    name: LineTexts
    kind: Kind = "door"
    room_id: UUID | None = None
    """Of a room's list: it is open for the session that runs there, and counts each session anew."""
    tickets: Tickets | None = None
    """The ticket types it admits; all of the event's if left out."""
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    capacity: Capacity | None = None
    """How many may be inside at a time. A room's list without one has the room's."""
    reentry: Reentry = "after_exit"
    """Whether somebody who has left may come in again, or even without leaving (`always`: every scan admits)."""
    early_minutes: Minutes = 15
    """How long before its session starts a room lets people in."""


class ChangeList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of a list; what is left out stays. Its key and kind stay what they are."""

    name: LineTexts | UnsetType = UNSET
    room_id: UUID | UnsetType = UNSET
    tickets: Tickets | UnsetType = UNSET
    opens_at: Instant | UnsetType | None = UNSET
    closes_at: Instant | UnsetType | None = UNSET
    capacity: Capacity | UnsetType | None = UNSET
    reentry: Reentry | UnsetType = UNSET
    early_minutes: Minutes | UnsetType = UNSET


class CheckinListDetails(Struct, frozen=True):
    """A list as it is stored."""

    list_id: UUID
    key: str
    name: Texts
    kind: str
    room_id: UUID | None
    opens_at: datetime | None
    closes_at: datetime | None
    capacity: int | None
    reentry: str
    early_minutes: int
    tickets: list[str]
    places: int | None
    """The capacity in force: of a room's list without one of its own, the room's."""


class RoomRow(Struct, frozen=True):
    """A room that may get a list."""

    room_id: UUID
    name: Texts


class CheckinList(Struct, frozen=True, kw_only=True):
    """Something one is let into."""

    id: UUID
    key: str
    """What a check-in names as `list`."""
    name: str | Texts
    kind: str
    room_id: UUID | None
    tickets: list[str]
    """The ticket types it admits."""
    opens_at: datetime | None
    closes_at: datetime | None
    capacity: int | None
    """Its own."""
    places: int | None
    """How many may be inside at a time: its capacity, or its room's; null: any number."""
    reentry: str
    early_minutes: int


class CheckinLists(Struct, frozen=True, kw_only=True):
    lists: list[CheckinList]
