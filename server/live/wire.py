"""Websocket frames as bytes, written past the library: the only file that knows its insides.

`websockets` frames a message anew for every connection. Without compression a server's frame is the same for everybody
(RFC 6455 §5.1: a server does not mask), so it is made once. Writing it straight to the transport is right as long as no
fragmented message is under way and the connection is open; we send no fragments, and `is_open` is asked before each write.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

_TEXT_FINAL = 0x81
_SHORT, _MEDIUM = 125, 0xFFFF
_USER_TIMEOUT_MILLISECONDS = 30_000
CLOSE_SECONDS = 3.0


def text_frame(payload: bytes) -> bytes:
    """One unmasked, unfragmented text frame (RFC 6455 §5.2). `payload` is UTF-8."""
    length = len(payload)
    if length <= _SHORT:
        return struct.pack("!BB", _TEXT_FINAL, length) + payload
    if length <= _MEDIUM:
        return struct.pack("!BBH", _TEXT_FINAL, 126, length) + payload
    return struct.pack("!BBQ", _TEXT_FINAL, 127, length) + payload


def is_open(connection: ServerConnection) -> bool:
    """Whether a frame may be written: neither side has begun to close."""
    return connection.protocol.state is State.OPEN


def write_frame(connection: ServerConnection, frame: bytes) -> None:
    """Hands a frame to the kernel, or to the transport's buffer where the client is slow. Never waits."""
    connection.transport.write(frame)


def buffered(connection: ServerConnection) -> int:
    """Bytes that the client has not taken yet, beyond what the kernel holds."""
    return connection.transport.get_write_buffer_size()


async def close(connection: ServerConnection, code: int, reason: str) -> None:
    """Says good-bye, and hangs up on a client that does not answer within `CLOSE_SECONDS`.

    The library's own time-out begins only when its good-bye has left the transport's buffer, which a client that has stopped
    reading can put off for ever.
    """
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close(code, reason)
    except TimeoutError:
        connection.transport.abort()


def end_when_dead(connection: ServerConnection) -> None:
    """Lets the kernel end a connection whose peer has acknowledged nothing for 30 s: a phone in a lift sends no goodbye."""
    raw = connection.transport.get_extra_info("socket")
    if raw is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MILLISECONDS)
