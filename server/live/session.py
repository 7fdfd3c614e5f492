"""One connection: who it is, its channels, its manners. Knows the protocol; leaves rings and databases to others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote
from uuid import UUID

import msgspec
from msgspec import Struct

from server.auth import Principal
from server.feed import topics
from server.live.allowance import Allowance
from server.live.board import Board, Viewer
from server.live.hub import Cursor, Log
from server.live.protocol import (
    HEARTBEAT_SECONDS,
    MAX_CHANNELS,
    REASONS,
    RETRY_MILLISECONDS,
    Bye,
    Close,
    Joined,
    Ready,
    Wanted,
)
from server.live.stream import Stream
from server.live.ticket import Pass
from server.live.wire import Socket, text_frame

FRAME_BURST = 31
"""Frames a client may send at once, its hello among them; then one every `FRAME_SECONDS`."""
FRAME_SECONDS = 2.0
ACK_SECONDS = 3 * HEARTBEAT_SECONDS

FindChannel = Callable[[UUID, str, Wanted], Awaitable[Log | Board | None]]


class Closing(Exception):
    """The connection has to end with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(REASONS[code])
        self.code = code


class Place(Struct, frozen=True):
    """Which event a connection was opened for."""

    event_id: UUID
    slug: str


class Session:
    """A client's connection from its first frame to its last."""

    __slots__ = ("_acked_at", "cursors", "ends_at", "frames", "line", "place", "takes", "ticket", "viewers", "write")

    def __init__(self, line: Socket | Stream, place: Place) -> None:
        self.line = line
        self.takes = line.takes  # what a cursor or a viewer asks of it, 5,000 times an event: without a step in between
        self.write = line.write
        self.place = place
        self.ticket: Pass | None = None
        self.cursors: dict[str, Cursor] = {}
        """Its log channels, by the names it calls them."""
        self.viewers: dict[str, Viewer] = {}
        """Its state channels."""
        self.ends_at: float | None = None
        """When it has to come back with a fresh ticket; the loop's clock."""
        self.frames: Sequence[Allowance] = (Allowance(FRAME_BURST, FRAME_SECONDS, now()),)
        """What it may still send: as one connection, and together with others of the same token."""
        self._acked_at: float | None = None
        line.on_room = self.catch_up

    @property
    def principal(self) -> Principal | None:
        return None if self.ticket is None else self.ticket.principal

    def say(self, frame: Struct) -> None:
        self.line.write(text_frame(msgspec.json.encode(frame)))

    # Its channels.

    async def enter(self, wanted: Sequence[Wanted], find: FindChannel) -> None:
        """Enters channels, says how, and hands over what is resumed. Raises `Closing`."""
        if len(self.cursors.keys() | self.viewers.keys() | {one.name for one in wanted}) > MAX_CHANNELS:
            raise Closing(Close.BAD_PROTOCOL)
        found = {one.name: await self._find(one, find) for one in wanted}
        if any(
            channel is not None and channel.replaced for channel in found.values()
        ):  # while another one was being found
            raise Closing(Close.DRAINING)
        # From here to the last frame nothing awaits: no event can fall between a place in the ring and its cursor.
        joined = [self._join(one, found[one.name]) for one in wanted]
        if not self.line.is_open():
            return
        self.say(Ready(heartbeat_seconds=HEARTBEAT_SECONDS, channels=joined))
        for name in found:
            if name in self.viewers:
                self.viewers[name].look()
            elif name in self.cursors and not self.cursors[name].advance():
                self.cursors[name].behind_since = now()

    async def _find(self, wanted: Wanted, find: FindChannel) -> Log | Board | None:
        channel = topics.resolve(self.principal, wanted.name)
        return None if channel is None else await find(self.place.event_id, channel, wanted)

    def _join(self, wanted: Wanted, channel: Log | Board | None) -> Joined:
        if channel is None:
            return _refused(wanted.name)
        self.leave(wanted.name)
        if isinstance(channel, Board):
            self.viewers[wanted.name] = channel.join(self)
            return Joined(name=wanted.name, epoch=None, seq=None, resumed=False, reason=None, catch_up=None)
        position, reason = channel.place(wanted)
        self.cursors[wanted.name] = channel.join(self, position)
        return self._joined(wanted, channel, reason)

    def _joined(self, wanted: Wanted, log: Log, reason: str | None) -> Joined:
        catch_up = None
        if reason is not None:
            after = wanted.seq if reason == "too_old" else 0
            catch_up = f"/v1/events/{self.place.slug}/feed/{quote(wanted.name)}?epoch={log.epoch}&after={after}"
        resumed = wanted.seq is not None and reason is None
        fields = {"resumed": resumed, "reason": reason, "catch_up": catch_up}
        return msgspec.convert({"name": wanted.name, "epoch": log.epoch, "seq": log.seq, **fields}, Joined)

    def leave(self, channel: str) -> None:
        entered = self.cursors.pop(channel, None) or self.viewers.pop(channel, None)
        if entered is not None:
            entered.leave()

    def leave_all(self) -> None:
        for channel in [*self.cursors, *self.viewers]:
            self.leave(channel)

    def position(self) -> str:
        """How far each log channel has been read, as a stream's client sends it back."""
        return ",".join(f"{quote(name)}={one.log.epoch}:{one.seq}" for name, one in self.cursors.items())

    def catch_up(self) -> None:
        """Hands over what a slow client was not handed when it happened."""
        for cursor in self.cursors.values():
            if cursor.behind_since is not None and cursor.advance():
                cursor.behind_since = None

    # Its manners.

    def may_send(self) -> bool:
        """Counts a frame of the client's; False: it was one too many."""
        return all(allowance.take(now()) for allowance in self.frames)

    def ack(self) -> None:
        self._acked_at = now()

    def check(self) -> None:
        """Raises `Closing` where a client that used to acknowledge has stopped, most likely because it is no longer there, and
        where its ticket was believed long enough."""
        if self._acked_at is not None and now() - self._acked_at > ACK_SECONDS:
            raise Closing(Close.NO_ACK)
        if self.ends_at is not None and now() > self.ends_at:
            raise Closing(Close.TICKET_EXPIRED)

    async def end(self, code: int) -> None:
        """Says why and when to come back, then closes."""
        self.leave_all()
        if self.takes() and (
            code in RETRY_MILLISECONDS or isinstance(self.line, Stream)
        ):  # a stream knows no close codes
            self.say(Bye(code, RETRY_MILLISECONDS.get(code)))
        await self.line.end(code, REASONS[code])


def _refused(name: str) -> Joined:
    return Joined(name=name, epoch=None, seq=None, resumed=False, reason="forbidden", catch_up=None)


def now() -> float:
    """The gateway's clock."""
    return asyncio.get_running_loop().time()
