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
NOT_MODIFIED = 304
MAX_JOINED = 16 * 1024
"""A body that is longer is handed to the socket as it is: copying it behind its head costs more than a second write."""
MAX_KNOWN, MAX_KNOWN_BYTES = 4096, 1024
"""Heads to remember of each method, and how long each may be: 4 MB at most."""


class Reply(Struct, frozen=True):
    """A whole answer."""

    status: int
    media_type: str
    body: bytes
    """Of the answer to a HEAD too, which says how long it would be."""
    headers: dict[str, str] = {}

    @property
    def has_content(self) -> bool:
        """A 304 has none, and must not say that it has none of its length (RFC 9110 §8.6)."""
        return self.status != NOT_MODIFIED


class Direct(Protocol):
    """Who answers. Nothing of it may raise or block: it runs inside the parser."""

    def recognise(self, target: bytes, headers: Mapping[bytes, bytes]) -> Any | None:
        """What a request to this target, with these headers, asks for; None for another path.

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

    def before(self, reply: Reply, defaults: list[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
        """What is sent before the body. `defaults` are the headers of every answer: another list where they have changed."""
        if defaults is not self._defaults:
            self._defaults = defaults
            self._ok.clear()
        if reply.status == OK and keep_alive and not reply.headers:
            before = self._ok.get(reply.media_type) or self._ok.setdefault(
                reply.media_type, _before_length(reply, defaults)
            )
            return b"%b%d\r\n\r\n" % (before, len(reply.body))
        after = "".join([f"{name.lower()}: {value}\r\n" for name, value in reply.headers.items()])
        if not keep_alive:
            after += "connection: close\r\n"
        if not reply.has_content:
            return b"%b%b\r\n" % (_status_and(reply, defaults), after.encode("latin-1"))
        return b"%b%d\r\n%b\r\n" % (_before_length(reply, defaults), len(reply.body), after.encode("latin-1"))


class ShortWay:
    """What the connections of a process share: who answers, and the heads of requests they have answered before.

    A scanner sends the same head with every scan, and an app with every look at the programme. What a head means depends on
    nothing but its bytes, so one that the parser has read once needs no second reading: that is half of what HTTP costs at the
    door. Only heads that were answered are kept, and whether they still are gets asked each time. Each method has its own
    memory: strangers who read push no scanner out.
    """

    def __init__(self, directs: Mapping[bytes, Direct]) -> None:
        """`directs` by method; a HEAD is answered as a GET is, and its body not sent."""
        self.heads = Heads()
        self._directs = dict(directs)
        self._known: dict[bytes, dict[bytes, tuple[int, Any]]] = {method: {} for method in directs}

    def direct_for(self, method: bytes) -> Direct | None:
        return self._directs.get(method)

    def recall(self, data: bytes) -> tuple[bytes, Any, bytes] | None:
        """Method, what is asked for and with which body, if `data` is one whole request whose head is known."""
        method = data[: data.find(b" ")]
        heads = self._known.get(method)
        if not heads:
            return None
        end = data.find(b"\r\n\r\n") + 4
        known = heads.get(data[:end])
        if known is None or known[0] != len(data) - end:
            return None
        return method, known[1], data[end:]

    def remember(self, method: bytes, data: bytes, length: int, asked: Any) -> None:
        """Keeps the head of a request that the parser has read, if it came whole and alone.

        That it did shows in the lengths: had the parser seen another end of the head, or another request behind it, they
        could not add up.
        """
        end = data.find(b"\r\n\r\n") + 4
        if length == len(data) - end and end <= MAX_KNOWN_BYTES and data.startswith(method):
            heads = self._known[method]
            if len(heads) >= MAX_KNOWN:
                heads.clear()
            heads[data[:end]] = (length, asked)


def _before_length(reply: Reply, defaults: list[tuple[bytes, bytes]]) -> bytes:
    return b"%bcontent-type: %b\r\ncontent-length: " % (_status_and(reply, defaults), reply.media_type.encode())


def _status_and(reply: Reply, defaults: list[tuple[bytes, bytes]]) -> bytes:
    lines = [b"HTTP/1.1 %d %b\r\n" % (reply.status, HTTPStatus(reply.status).phrase.encode())]
    lines += [b"%b: %b\r\n" % header for header in defaults]
    return b"".join(lines)
