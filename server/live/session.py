"""One connection: its hello, its channels, its manners. Knows the protocol; leaves rings and databases to others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from msgspec import Struct
from websockets.asyncio.server import ServerConnection

from server.auth import Principal
from server.feed import topics
from server.live import wire
from server.live.board import Board, Viewer
from server.live.hub import Cursor, Log
from server.live.protocol import (
    HEARTBEAT_SECONDS,
    HELLO_SECONDS,
    MAX_CHANNELS,
    REASONS,
    RETRY_MILLISECONDS,
    VERSION,
    Ack,
    Bye,
    ClientFrame,
    Close,
    Hello,
    Joined,
    Ready,
    Subscribe,
    Unsubscribe,
    Wanted,
    client_frames,
)
from server.live.ticket import TicketExpired, TicketInvalid

MAX_BUFFERED = 32 * 1024
"""Bytes a client may leave untaken before it is passed over until it has caught up."""
FRAME_BURST = 30
"""Frames a client may send at once after its hello; then one every `FRAME_SECONDS`."""
FRAME_SECONDS = 2.0
ACK_SECONDS = 3 * HEARTBEAT_SECONDS

FindChannel = Callable[[UUID, str, Wanted], Awaitable[Log | Board | None]]
VerifyTicket = Callable[[str], Principal]


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

    __slots__ = ("_acked_at", "_allowance", "_counted_at", "connection", "cursors", "place", "principal", "viewers")

    def __init__(self, connection: ServerConnection, place: Place) -> None:
        self.connection = connection
        self.place = place
        self.principal: Principal | None = None
        self.cursors: dict[str, Cursor] = {}
        """Its log channels."""
        self.viewers: dict[str, Viewer] = {}
        """Its state channels."""
        self._acked_at: float | None = None
        self._allowance = float(FRAME_BURST)
        self._counted_at = _now()

    # What a cursor or a viewer writes to.

    def takes(self) -> bool:
        return wire.is_open(self.connection) and wire.buffered(self.connection) <= MAX_BUFFERED

    def write(self, frame: bytes) -> None:
        wire.write_frame(self.connection, frame)

    # The conversation.

    async def greet(self, verify: VerifyTicket) -> Hello:
        """Waits for the client's hello and settles who it is. Raises `Closing`."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                frame = _decode(await self.connection.recv())
        except TimeoutError:
            raise Closing(Close.BAD_PROTOCOL) from None
        if not isinstance(frame, Hello):
            raise Closing(Close.BAD_PROTOCOL)
        if frame.version != VERSION:
            raise Closing(Close.VERSION)
        if frame.ticket is not None:
            self.principal = self._admit(verify, frame.ticket)
        return frame

    def _admit(self, verify: VerifyTicket, ticket: str) -> Principal:
        try:
            principal = verify(ticket)
        except TicketExpired:
            raise Closing(Close.TICKET_EXPIRED) from None
        except TicketInvalid:
            raise Closing(Close.FORBIDDEN) from None
        if principal.event_id != self.place.event_id:
            raise Closing(Close.FORBIDDEN)
        return principal

    async def enter(self, wanted: list[Wanted], find: FindChannel) -> None:
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
        ready = Ready(heartbeat_seconds=HEARTBEAT_SECONDS, channels=joined)
        if not wire.is_open(self.connection):
            return
        self.write(wire.text_frame(msgspec.json.encode(ready)))
        for name in found:
            if name in self.viewers:
                self.viewers[name].look()
            elif name in self.cursors and not self.cursors[name].advance():
                self.cursors[name].behind_since = _now()

    async def _find(self, wanted: Wanted, find: FindChannel) -> Log | Board | None:
        channel = topics.resolve(self.principal, wanted.name)
        return None if channel is None else await find(self.place.event_id, channel, wanted)

    def _join(self, wanted: Wanted, channel: Log | Board | None) -> Joined:
        if channel is None:
            return _refused(wanted.name)
        self._leave(wanted.name)
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
            catch_up = f"/v1/events/{self.place.slug}/feed/{wanted.name}?epoch={log.epoch}&after={after}"
        resumed = wanted.seq is not None and reason is None
        fields = {"resumed": resumed, "reason": reason, "catch_up": catch_up}
        return msgspec.convert({"name": wanted.name, "epoch": log.epoch, "seq": log.seq, **fields}, Joined)

    async def converse(self, find: FindChannel) -> None:
        """Answers the client's frames until the connection ends. Raises `Closing`."""
        async for message in self.connection:
            self._count_frame()
            frame = _decode(message)
            match frame:
                case Subscribe(channels):
                    await self.enter(channels, find)
                case Unsubscribe(channels):
                    for one in channels:
                        self._leave(one.name)
                case Ack():
                    self._acked_at = _now()
                case Hello():
                    raise Closing(Close.BAD_PROTOCOL)

    def _count_frame(self) -> None:
        now = _now()
        self._allowance = min(FRAME_BURST, self._allowance + (now - self._counted_at) / FRAME_SECONDS) - 1
        self._counted_at = now
        if self._allowance < 0:
            raise Closing(Close.RATE_LIMITED)

    def check_ack(self) -> None:
        """Raises `Closing` where a client that used to acknowledge has stopped: it is most likely no longer there."""
        if self._acked_at is not None and _now() - self._acked_at > ACK_SECONDS:
            raise Closing(Close.NO_ACK)

    def _leave(self, channel: str) -> None:
        entered = self.cursors.pop(channel, None) or self.viewers.pop(channel, None)
        if entered is not None:
            entered.leave()

    async def end(self, code: int) -> None:
        """Says why and when to come back, then closes."""
        self.leave_all()
        if code in RETRY_MILLISECONDS and self.takes():
            self.write(wire.text_frame(msgspec.json.encode(Bye(code, RETRY_MILLISECONDS[code]))))
        await wire.close(self.connection, code, REASONS[code])

    def leave_all(self) -> None:
        for channel in [*self.cursors, *self.viewers]:
            self._leave(channel)


def _decode(message: str | bytes) -> ClientFrame:
    if isinstance(message, bytes):
        raise Closing(Close.BAD_PROTOCOL)
    try:
        frame: ClientFrame = client_frames.decode(message)
    except (msgspec.DecodeError, RecursionError):  # 4 KiB are room for thousands of brackets
        raise Closing(Close.BAD_PROTOCOL) from None
    return frame


def _refused(name: str) -> Joined:
    return Joined(name=name, epoch=None, seq=None, resumed=False, reason="forbidden", catch_up=None)


def _now() -> float:
    return asyncio.get_running_loop().time()
