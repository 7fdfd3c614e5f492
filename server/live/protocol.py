"""The frames of the feed, version 1. JSON text; unknown fields are ignored by both sides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

VERSION = 1
HEARTBEAT_SECONDS = 25
HELLO_SECONDS = 5.0
MAX_FRAME_BYTES = 4096
MAX_CHANNELS = 50


class Close:
    """Close codes. 40xx: reconnect with jitter and resume; 41xx: act, then resume; 45xx: stop."""

    SLOW = 4001
    NO_ACK = 4002
    DRAINING = 4003
    TICKET_EXPIRED = 4101
    REPLACED = 4102
    RATE_LIMITED = 4103
    REVOKED = 4501
    BAD_PROTOCOL = 4502
    VERSION = 4503
    FORBIDDEN = 4504


REASONS = {
    Close.SLOW: "too slow",
    Close.NO_ACK: "no ack",
    Close.DRAINING: "draining",
    Close.TICKET_EXPIRED: "ticket expired",
    Close.REPLACED: "replaced by a newer connection",
    Close.RATE_LIMITED: "too many frames",
    Close.REVOKED: "revoked",
    Close.BAD_PROTOCOL: "bad protocol",
    Close.VERSION: "unsupported version",
    Close.FORBIDDEN: "forbidden",
}

RETRY_MILLISECONDS = {
    Close.SLOW: (0, 8000),
    Close.NO_ACK: (0, 8000),
    Close.DRAINING: (0, 8000),
    Close.RATE_LIMITED: (30_000, 60_000),
}
"""After which of these a client may come back, and between which times it picks one at random."""

ChannelName = Annotated[str, Meta(min_length=1, max_length=80)]
Reason = Literal["epoch", "too_old", "ahead", "forbidden"]


class Wanted(Struct, frozen=True):
    """A channel, and how far the client has read it. Without a position it starts at the channel's present end."""

    name: ChannelName
    epoch: str | None = None
    seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    version: int
    ticket: str | None = None
    channels: Annotated[list[Wanted], Meta(max_length=MAX_CHANNELS)] = []


class Subscribe(Struct, frozen=True, tag_field="type", tag="subscribe"):
    channels: Annotated[list[Wanted], Meta(max_length=MAX_CHANNELS)]


class Unsubscribe(Struct, frozen=True, tag_field="type", tag="unsubscribe"):
    channels: Annotated[list[Wanted], Meta(max_length=MAX_CHANNELS)]


class Ack(Struct, frozen=True, tag_field="type", tag="ack"):
    """How far the client has read, channel by channel. Whoever sends one goes on sending them at every heartbeat."""

    seq: dict[str, int] = {}


ClientFrame = Hello | Subscribe | Unsubscribe | Ack


class Joined(Struct, frozen=True, kw_only=True):
    """How a channel was entered.

    A state channel has no position: all is null. The client forgets what it held of it; a `state` frame for each present key
    follows, and later one for each that changed, at most one a second and key. Null data: the key is no more.
    """

    name: str
    epoch: str | None
    seq: int | None
    """The channel's end: events after it come over this socket, those up to it are the resumed ones or the past."""
    resumed: bool
    """Every event after the position given follows, in order."""
    reason: Reason | None
    catch_up: str | None
    """Where to read what was missed, when a position was given that cannot be resumed from."""


class Ready(Struct, frozen=True, tag_field="type", tag="ready", kw_only=True):
    heartbeat_seconds: int
    channels: list[Joined]


class Heartbeat(Struct, frozen=True, tag_field="type", tag="heartbeat"):
    at: datetime
    seq: dict[str, int]
    """Each log channel's end: a client that has read less knows that it missed something."""


class Bye(Struct, frozen=True, tag_field="type", tag="bye"):
    code: int
    retry_after_ms: tuple[int, int] | None
    """When to come back: a moment between these, picked at random. Null: not before one has done something about it."""


client_frames = msgspec.json.Decoder(ClientFrame)
