"""The feed's shapes on the wire and in rows."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from msgspec import Raw, Struct

ANNOUNCEMENTS: Final = "announcements"
SCHEDULE: Final = "schedule"
CHECKIN: Final = "checkin"
PUBLIC_CHANNELS: Final = (ANNOUNCEMENTS, SCHEDULE)

HINT_CHANNEL: Final = "digitalnow_feed"
"""PostgreSQL's notification channel; the payload is `event_id:channel:seq`."""


class Position(Struct, frozen=True):
    """How far a channel's log has come. `seq` 0: nothing happened yet."""

    channel: str
    epoch: str
    seq: int


class ChannelHead(Struct, frozen=True):
    """A channel of any event and how far it has come."""

    event_id: UUID
    channel: str
    epoch: str
    seq: int


class FeedEvent(Struct, frozen=True, tag_field="type", tag="event"):
    """One entry of a channel's log, the same over HTTP and on the websocket."""

    channel: str
    seq: int
    id: UUID
    at: datetime
    kind: str
    data: Raw
    """JSON as it was written."""


class FeedEventRow(Struct, frozen=True):
    channel: str
    seq: int
    id: UUID
    at: datetime
    kind: str
    data: str

    def to_event(self) -> FeedEvent:
        return FeedEvent(self.channel, self.seq, self.id, self.at, self.kind, Raw(self.data.encode()))


class Emitted(Struct, frozen=True):
    """Where an event went."""

    seq: int
    at: datetime


class TokenRevoked(Struct, frozen=True):
    """The data of the events on channel `checkin` by which every process learns that a token is no longer worth anything."""

    KINDS: ClassVar = ("organizer.revoked", "device.revoked", "exhibitor.revoked")

    subject_id: UUID


class TokenReplaced(Struct, frozen=True):
    """The data of the events by which every process learns that only one's newest token is worth anything."""

    KINDS: ClassVar = ("device.paired",)

    subject_id: UUID
    since: datetime
    """When the newest was given out; older ones are void."""


class FeedPage(Struct, frozen=True, kw_only=True):
    """A stretch of a channel's log, oldest first."""

    channel: str
    epoch: str
    seq: int
    """The channel's end when the page was read; `events` may stop before it."""
    events: list[FeedEvent]
    more: bool
    """Whether there is more after the last of `events`."""
