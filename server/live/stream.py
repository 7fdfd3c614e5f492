"""Server-Sent Events: the same frames for clients and networks without websockets.

`text/event-stream` as the HTML standard has it (§9.2). A message's `event` is the frame's type, its `data` the frame, and after
an event its `id` is how far each channel has been read; a browser sends the last one back as `Last-Event-ID` and thereby
resumes. One connection, one request: the head is read by uvicorn's parser, nothing after it is.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httptools
from msgspec import Struct

from server.live import wire
from server.live.protocol import HELLO_SECONDS

logger = logging.getLogger(__name__)

RETRY_MILLISECONDS = (1000, 5000)
"""When a browser comes back by itself: a moment between these, another for each, so that a hall does not come at once."""
MAX_HEAD = 8 * 1024
OURS = re.compile(rb"[A-Z]+ /v1/events/[^/ ]+/live/stream[? ]")
_TYPE = re.compile(rb'\{"type":"(\w+)"')
_OPENING = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"


class Asked(Struct, frozen=True):
    """A request for a stream."""

    method: str
    event: str
    query: dict[str, str]
    headers: dict[str, str]
    """Their names in lower case."""


class Refusal(Exception):
    """The stream is not opened; says so as plain HTTP."""

    def __init__(self, status: HTTPStatus, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Stream(asyncio.Protocol):
    """One client's stream, from the bytes of its request on."""

    def __init__(self, transport: asyncio.Transport, serve: Callable[[Stream, Asked], Awaitable[None]]) -> None:
        self.transport = transport
        self.on_room: Callable[[], None] | None = None
        """Called when it takes again."""
        self.position: Callable[[], str] = str
        """Says how far each channel has been read; asked after each event."""
        self.gone = asyncio.Event()
        self._serve = serve
        self._task: asyncio.Task[None] | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._length = 0
        self._open = False
        transport.set_write_buffer_limits(wire.MAX_BUFFERED)
        self._giving_up = asyncio.get_running_loop().call_later(HELLO_SECONDS, transport.abort)

    # The transport's calls.

    def data_received(self, data: bytes) -> None:
        if self._task is not None:
            return  # it has nothing more to say
        self._length += len(data)
        if self._length > MAX_HEAD:
            self.refuse(Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is too long."))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.refuse(Refusal(HTTPStatus.BAD_REQUEST, "This is no request."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._giving_up.cancel()
        self._open = False
        self.gone.set()

    def resume_writing(self) -> None:
        if self.on_room is not None:
            self.on_room()

    # The parser's calls.

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._giving_up.cancel()
        parts = urlsplit(self._target.decode("latin-1"))
        asked = Asked(
            self._parser.get_method().decode(),
            parts.path.split("/")[3],
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            self._headers,
        )
        self._task = asyncio.create_task(self._answer(asked), name="stream")

    async def _answer(self, asked: Asked) -> None:
        try:
            await self._serve(self, asked)
        except Refusal as refusal:
            self.refuse(refusal)
        except Exception:
            logger.exception("a stream failed in a way nobody foresaw")
        finally:
            self.transport.close()

    # What a session asks of a line.

    def open(self, **headers: str) -> None:
        """Says that what follows is a stream."""
        self._open = True
        retry = f"retry: {random.randint(*RETRY_MILLISECONDS)}\n\n"  # noqa: S311 - no herd, no secret
        self.transport.write((_OPENING + _fields(headers) + "\r\n" + retry).encode("latin-1"))

    def refuse(self, refusal: Refusal) -> None:
        body = f"{refusal}\n".encode()
        head = f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\n"
        if refusal.status is not HTTPStatus.NO_CONTENT:
            head += f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        self.transport.write((head + _fields(refusal.headers) + "\r\n").encode("latin-1"))
        if refusal.status is not HTTPStatus.NO_CONTENT:
            self.transport.write(body)
        self.transport.close()

    def takes(self) -> bool:
        return self.is_open() and self.transport.get_write_buffer_size() <= wire.MAX_BUFFERED

    def is_open(self) -> bool:
        return self._open and not self.transport.is_closing()

    def write(self, frame: bytes) -> None:
        """Hands frames over as messages. Never waits."""
        self.transport.write(b"".join(self._message(payload) for payload in wire.payloads(frame)))

    def _message(self, payload: bytes) -> bytes:
        found = _TYPE.match(payload)
        kind = found[1] if found else b"message"
        position = b"id: " + self.position().encode() + b"\n" if kind in (b"event", b"ready") else b""
        return b"event: " + kind + b"\n" + position + b"data: " + payload + b"\n\n"

    async def end(self, _code: int, _reason: str) -> None:
        """Closes when everything written has left, or after `CLOSE_SECONDS`."""
        self._open = False
        self.transport.close()
        try:
            async with asyncio.timeout(wire.CLOSE_SECONDS):
                await self.gone.wait()
        except TimeoutError:
            self.transport.abort()


def _fields(headers: dict[str, Any]) -> str:
    given = {"Connection": "close", "Cache-Control": "no-store", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return "".join(f"{name}: {value}\r\n" for name, value in given.items())
