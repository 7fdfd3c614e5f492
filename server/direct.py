"""Requests that are answered by the HTTP protocol itself, before there is an application, a scope or a task.

For a path so busy that the framework costs more than the answer. An answerer is asked in three steps, and may pass at each of
the first two: then the application answers, as it answers everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from msgspec import Struct

OK = 200
MAX_KNOWN, MAX_KNOWN_BYTES = 4096, 1024
"""Heads to remember, and how long each may be: 4 MB at most."""


class Reply(Struct, frozen=True):
    """A whole answer."""

    status: int
    media_type: str
    body: bytes
    headers: dict[str, str] = {}


class Direct(Protocol):
    """Who answers. Nothing of it may raise or block: it runs inside the parser."""

    def recognise(self, target: bytes, headers: Mapping[bytes, bytes]) -> Any | None:
        """What a POST to this request target, with these headers, asks for; None for another path.

        The same bytes must always give the same: what is returned is kept with them.
        """

    def open(self, asked: Any) -> Any | None:
        """What it takes to answer that now; None where something is missing or refused."""

    def answer(self, opened: Any, body: bytes, reply: Callable[[Reply], None]) -> None:
        """Answers a body: calls `reply` once, at once or later."""


class Heads:
    """The heads of answers as bytes. What comes before the length changes once a second, with the date."""

    def __init__(self) -> None:
        self._defaults: list[tuple[bytes, bytes]] | None = None
        self._ok: dict[str, bytes] = {}

    def whole(self, reply: Reply, defaults: list[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
        """The answer as it is sent. `defaults` are the headers of every answer: another list where they have changed."""
        if defaults is not self._defaults:
            self._defaults = defaults
            self._ok.clear()
        if reply.status == OK and keep_alive and not reply.headers:
            before = self._ok.get(reply.media_type) or self._ok.setdefault(
                reply.media_type, _before_length(reply, defaults)
            )
            return b"%b%d\r\n\r\n%b" % (before, len(reply.body), reply.body)
        after = "".join(f"{name.lower()}: {value}\r\n" for name, value in reply.headers.items())
        if not keep_alive:
            after += "connection: close\r\n"
        before = _before_length(reply, defaults)
        return b"%b%d\r\n%b\r\n%b" % (before, len(reply.body), after.encode("latin-1"), reply.body)


class ShortWay:
    """What the connections of a process share: who answers, and the heads of requests it has answered before.

    A scanner sends the same head with every scan. What a head means depends on nothing but its bytes, so one that the parser
    has read once needs no second reading: that is half of what HTTP costs at the door. Only heads whose sender was let in are
    kept, and whether it still is gets asked each time.
    """

    def __init__(self, direct: Direct) -> None:
        self.direct = direct
        self.heads = Heads()
        self._known: dict[bytes, tuple[int, Any]] = {}

    def recall(self, data: bytes) -> tuple[Any, bytes] | None:
        """What is asked for and with which body, if `data` is one whole request whose head is known."""
        end = data.find(b"\r\n\r\n") + 4
        known = self._known.get(data[:end])
        if known is None or known[0] != len(data) - end:
            return None
        return known[1], data[end:]

    def remember(self, data: bytes, length: int, asked: Any) -> None:
        """Keeps the head of a request that the parser has read, if it came whole and alone.

        That it did shows in the lengths: had the parser seen another end of the head, or another request behind it, they
        could not add up.
        """
        end = data.find(b"\r\n\r\n") + 4
        if length == len(data) - end and end <= MAX_KNOWN_BYTES:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[data[:end]] = (length, asked)


def _before_length(reply: Reply, defaults: list[tuple[bytes, bytes]]) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (reply.status, HTTPStatus(reply.status).phrase.encode())]
    lines += [b"%b: %b" % header for header in defaults]
    lines += [b"content-type: " + reply.media_type.encode(), b"content-length: "]
    return b"\r\n".join(lines)
