"""Websocket frames as bytes, written past the library: the only file that knows its insides.

`websockets` frames a message anew for every connection. Without compression a server's frame is the same for everybody
(RFC 6455 §5.1: a server does not mask), so it is made once. Writing it straight to the transport is right as long as no
fragmented message is under way and the connection is open; we send no fragments, and `takes` is asked before each write.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.protocol import Event, State

from server.live.protocol import HELLO_SECONDS

MAX_BUFFERED = 32 * 1024
"""Bytes a client may leave untaken before it is passed over until it has caught up."""
SEND_BUFFER = 64 * 1024
"""What the kernel holds for a client beyond that. Left to itself it would take megabytes for each that does not read."""
CLOSE_SECONDS = 3.0
MAX_FIRST_LINE = 4096
_TEXT_FINAL = 0x81
_SHORT, _MEDIUM = 125, 0xFFFF
_USER_TIMEOUT_MILLISECONDS = 30_000

TakeOver = Callable[[asyncio.Transport, bytes], bool]
"""Is shown a connection's first bytes, its first line among them, and says whether it has taken the connection for its own."""


def text_frame(payload: bytes) -> bytes:
    """One unmasked, unfragmented text frame (RFC 6455 §5.2). `payload` is UTF-8."""
    length = len(payload)
    if length <= _SHORT:
        return struct.pack("!BB", _TEXT_FINAL, length) + payload
    if length <= _MEDIUM:
        return struct.pack("!BBH", _TEXT_FINAL, 126, length) + payload
    return struct.pack("!BBQ", _TEXT_FINAL, 127, length) + payload


def payloads(frames: bytes) -> Iterator[bytes]:
    """What `text_frame` was given, of one frame or several in a row."""
    place = 0
    while place < len(frames):
        length, head = frames[place + 1], 2
        if length == 126:
            (length,), head = struct.unpack_from("!H", frames, place + 2), 4
        elif length == 127:
            (length,), head = struct.unpack_from("!Q", frames, place + 2), 10
        place += head + length
        yield frames[place - length : place]


class Socket(ServerConnection):
    """A client's websocket. What comes over its port and asks for something else is offered to `take_over` first."""

    # Beside the library's attributes, not among them: one more there and Python stops sharing their names between connections,
    # which costs a kilobyte each.
    __slots__ = ("_first", "_giving_up", "_take_over", "on_frame", "on_room", "place")

    def __init__(self, *arguments: Any, take_over: TakeOver, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._take_over = take_over
        self._first: bytes | None = b""
        self._giving_up: asyncio.TimerHandle | None = None
        self.on_room: Callable[[], None] | None = None
        """Called when it takes again."""
        self.on_frame: Callable[[], None] | None = None
        """Called for each frame that comes in: pings and pieces of a message, which nobody reads one by one, cost work too."""
        self.place: Any = None
        """For whom it was opened, once that is known: the gateway's `Place`."""

    # Until the first line is there, the library knows of nothing.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._giving_up = self.loop.call_later(HELLO_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._first is None:
            super().data_received(data)
            return
        self._first += data
        if b"\n" in self._first or len(self._first) > MAX_FIRST_LINE:
            first, self._first = self._first, None
            self._stop_giving_up()
            if not self._take_over(self.transport, first):
                super().connection_made(self.transport)
                super().data_received(first)

    def eof_received(self) -> None:
        if self._first is None:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_giving_up()
        if self._first is None:
            super().connection_lost(exc)

    def _stop_giving_up(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def process_event(self, event: Event) -> None:
        if self.on_frame is not None and self.request is not None:
            self.on_frame()
        super().process_event(event)

    # What a session asks of a line.

    def takes(self) -> bool:
        """Whether a frame may be written: neither side has begun to close, and the client has taken most of what it was sent."""
        return self.protocol.state is State.OPEN and self.transport.get_write_buffer_size() <= MAX_BUFFERED

    def is_open(self) -> bool:
        return self.protocol.state is State.OPEN

    def write(self, frame: bytes) -> None:
        """Hands frames to the kernel, or to the transport's buffer where the client is slow. Never waits."""
        self.transport.write(frame)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_room is not None:
            self.on_room()

    async def end(self, code: int, reason: str) -> None:
        """Says good-bye, and hangs up on a client that does not answer within `CLOSE_SECONDS`.

        The library's own time-out begins only when its good-bye has left the transport's buffer, which a client that has
        stopped reading can put off for ever.
        """
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close(code, reason)
        except TimeoutError:
            self.transport.abort()


def end_when_dead(transport: asyncio.BaseTransport) -> None:
    """Lets the kernel end a connection whose peer has acknowledged nothing for 30 s: a phone in a lift sends no goodbye."""
    raw = transport.get_extra_info("socket")
    if raw is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MILLISECONDS)
