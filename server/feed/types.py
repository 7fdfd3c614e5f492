"""The feed's shapes on the wire and in rows."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from msgspec import Raw, Struct

ANNOUNCEMENTS: Final = "announcements"
SCHEDULE: Final = "schedule"
CHECKIN: Final = "checkin"
OCCUPANCY: Final = "occupancy"
ME: Final = "me"
LEADS: Final = "leads"
PUBLIC_CHANNELS: Final = (ANNOUNCEMENTS, SCHEDULE)
"""The logs that anybody may read."""
STATE_CHANNELS: Final = (OCCUPANCY,)
"""The channels that keep only the latest value of each key. Anybody may read them."""

SEPARATOR: Final = ":"
"""Between what a channel is and whose or for whom: `announcements:staff`, `me:0192…`."""

HINT_CHANNEL: Final = "digitalnow_feed"
"""PostgreSQL's notification channel; the payload is `event_id:channel:seq`."""


def new_epoch() -> str:
    """A name for a new life of a log: 48 random bits, so that no two lives are ever taken for one."""
    return secrets.token_hex(6)


def name_of(channel: str) -> str:
    """What its reader calls a log: `me` for `me:0192…`."""
    name, _, _ = channel.partition(SEPARATOR)
    return name if name in (ME, LEADS) else channel


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
        return FeedEvent(name_of(self.channel), self.seq, self.id, self.at, self.kind, Raw(self.data.encode()))


class LetterRow(FeedEventRow, frozen=True):
    """An event of somebody's own log, and its place in channel `me`."""

    note: int


class LogEnd(Struct, frozen=True):
    """How far a log has come."""

    channel: str
    seq: int


class State(Struct, frozen=True, tag_field="type", tag="state"):
    """The latest value of a key of a state channel, the same over HTTP and on the websocket."""

    channel: str
    key: str
    version: int
    """Grows with every change of the value, not always by one."""
    data: Raw
    """JSON as it was written. On the websocket null: the key is no more."""


class StateRow(Struct, frozen=True):
    channel: str
    key: str
    version: int
    data: str | None

    def to_state(self) -> State:
        return State(self.channel, self.key, self.version, Raw(b"null" if self.data is None else self.data.encode()))


class Emitted(Struct, frozen=True):
    """Where an event went."""

    seq: int
    at: datetime


class TokenRevoked(Struct, frozen=True):
    """The data of the events on channel `checkin` by which every process learns that a token is no longer worth anything."""

    KINDS: ClassVar = ("organizer.revoked", "device.revoked", "exhibitor.revoked")

    subject_id: UUID


class TokenReplaced(Struct, frozen=True):
    """The data of the events by which every process learns that only one's newest token, or ticket, is worth anything."""

    KINDS: ClassVar = ("device.paired", "attendee.rights_changed")

    subject_id: UUID
    since: datetime
    """When the newest was given out; older ones are void."""


class AttendeeCancelled(Struct, frozen=True):
    """The data of the events by which every process learns that a registration was taken back, or stands again."""

    KINDS: ClassVar = ("attendee.cancelled",)

    attendee_id: UUID
    cancelled: bool


EVENTS: dict[str, type] = {
    **dict.fromkeys(TokenRevoked.KINDS, TokenRevoked),
    **dict.fromkeys(TokenReplaced.KINDS, TokenReplaced),
}
"""Kind → data of what is told of tokens. Each noun has such a table of its own, which the document of the feed is made of."""


class FeedPage(Struct, frozen=True, kw_only=True):
    """A stretch of a channel's log, oldest first."""

    channel: str
    epoch: str
    seq: int
    """The channel's end when the page was read; `events` may stop before it."""
    events: list[FeedEvent]
    more: bool
    """Whether there is more after the last of `events`."""


class StatePage(Struct, frozen=True, kw_only=True):
    """All of a state channel."""

    channel: str
    states: list[State]
    """The one changed last comes last."""
