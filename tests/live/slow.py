"""Those who do not read what they are sent."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from tests.sockets import Frame, Phone, phone

BIG = "x" * 60_000
ENOUGH = 80
"""Events of that size fill every buffer between a gateway and a client that does not read."""


async def stuck_phone(stack: AsyncExitStack, feed: str, wanted: str | Frame = "announcements") -> Phone:
    """A phone that takes nothing after `ready`."""
    client = await stack.enter_async_context(phone(feed, sock=_connected(feed), close_timeout=0))
    await client.hello(wanted)
    client.socket.transport.pause_reading()
    return client


def stuck_stream(feed: str) -> socket.socket:
    """A stream that nobody reads."""
    raw = _connected(feed)
    raw.sendall(f"GET {urlsplit(feed).path}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return raw


def _connected(feed: str) -> socket.socket:
    """With a tiny buffer for what is received."""
    address = urlsplit(feed)
    assert address.hostname
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((address.hostname, address.port or 80))
    return raw
