"""uvicorn's HTTP protocol, with one write for a whole small answer, and a short way for the busiest requests.

ASGI hands over an answer in two messages, and uvicorn writes each: two system calls here, two packets on the way, two wake-ups
of the client. At the door that is a fifth of what an answer costs. Here the head waits for the body that follows it.

The short way (`direct`) is for requests as every client sends them: a POST with a length or a GET or HEAD without a body, kept
alive, on a connection on which nothing else is under way. Whatever is unusual goes uvicorn's way.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.direct import MAX_JOINED, Direct, Reply, ShortWay

_STATUS_LINE = b"HTTP/1.1 "
_CONTINUE = b"HTTP/1.1 100"
_POST = b"POST"
_HEAD = b"HEAD"
_UNUSUAL = {b"transfer-encoding", b"expect", b"upgrade"}
MAX_DIRECT_BYTES = 64 * 1024
"""Longer bodies are read by the application, which knows how much it takes."""


class OneWriteTransport:
    """A transport that keeps the head of an answer until its body comes."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            if len(data) > MAX_JOINED:
                self._transport.write(head)
            else:
                data = head + data
        elif data.startswith(_STATUS_LINE) and not data.startswith(_CONTINUE):
            self._head = data
            return
        if data:
            self._transport.write(data)

    def flush(self) -> None:
        """Sends the head of an answer that ends with it: a HEAD's has a body of which nothing is ever written."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Ear:
    """Nobody waits for the messages of a direct request."""

    def set(self) -> None:
        pass


class Turn:
    """A direct request under way. Stands where uvicorn keeps its cycle and has what uvicorn looks for there."""

    __slots__ = (
        "asked",
        "body",
        "direct",
        "disconnected",
        "keep_alive",
        "length",
        "method",
        "more_body",
        "opened",
        "response_complete",
    )
    message_event = _Ear()

    def __init__(self, method: bytes, direct: Direct, asked: Any, opened: Any, length: int) -> None:
        self.method = method
        self.direct = direct
        self.asked = asked
        self.opened = opened
        self.length = length
        self.body = b""
        self.more_body = True
        self.keep_alive = True
        """False as soon as the server is to end: the connection then ends with this answer."""
        self.disconnected = False
        self.response_complete = False


class HttpProtocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=…)`, with `short_way` filled in by `functools.partial`.

    Requests that go the short way appear in no access log and do not count for `limit_concurrency`.
    """

    cycle: Any  # uvicorn's or a `Turn`

    def __init__(self, *arguments: Any, short_way: ShortWay | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._short_way = short_way
        self._between = False
        """The parser has nothing of a next request yet."""
        self._idle_since = 0.0
        self._raw: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(OneWriteTransport(transport))  # type: ignore[arg-type]
        self._raw = transport
        self._between = self._short_way is not None

    def data_received(self, data: bytes) -> None:
        short_way = self._short_way
        if short_way is None or not self._between or self._is_busy():
            super().data_received(data)
            return
        recalled = short_way.recall(data)
        if recalled is not None:
            method, asked, body = recalled
            direct = short_way.direct_for(method)
            opened = direct.open(asked) if direct else None
            if direct is not None and opened is not None:
                self.cycle = turn = Turn(method, direct, asked, opened, len(body))
                direct.answer(opened, body, partial(self._reply, turn))
                return
        last = self.cycle
        super().data_received(data)
        if self._between and self.cycle is not last:
            short_way.remember(self.cycle.method, data, self.cycle.length, self.cycle.asked)

    def on_message_begin(self) -> None:
        self._between = False
        self._unset_keepalive_if_required()  # an answer given at once has set it, and the next request came with the last
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        turn = self._begin_turn()
        if turn is None:
            super().on_headers_complete()
        else:
            self.cycle = turn

    def on_message_complete(self) -> None:
        super().on_message_complete()
        turn = self.cycle
        if isinstance(turn, Turn) and self._short_way is not None and not turn.response_complete:
            self._between = True
            turn.direct.answer(turn.opened, turn.body, partial(self._reply, turn))

    def on_response_complete(self) -> None:
        self.transport.flush()  # type: ignore[attr-defined]
        super().on_response_complete()

    def _is_busy(self) -> bool:
        """Whether an answer is under way, or waits for a client that does not read."""
        return (self.cycle is not None and not self.cycle.response_complete) or self.flow.write_paused

    def _begin_turn(self) -> Turn | None:
        """The request whose head has been read, if it can be answered directly."""
        method = self.parser.get_method()
        direct = None if self._short_way is None else self._short_way.direct_for(method)
        if (
            direct is None
            or not self.parser.should_keep_alive()
            or self.parser.get_http_version() != "1.1"
            or self._is_busy()
        ):
            return None
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"" if method == _POST else b"0")
        if len(headers) != len(self.headers) or not _UNUSUAL.isdisjoint(headers) or not length.isdigit():
            return None
        asked = direct.recognise(self.url, headers)
        if asked is None or int(length) > MAX_DIRECT_BYTES:
            return None
        opened = direct.open(asked)
        return None if opened is None else Turn(method, direct, asked, opened, int(length))

    def _reply(self, turn: Turn, reply: Reply) -> None:
        """Sends the answer of a request, unless its sender has gone."""
        if turn.disconnected or self._short_way is None:
            return
        turn.response_complete = True
        if self._raw.is_closing():
            self.on_response_complete()
            return
        defaults = self.server_state.default_headers
        before = self._short_way.heads.before(reply, defaults, keep_alive=turn.keep_alive)
        self._write(before, b"" if turn.method == _HEAD else reply.body)
        if not turn.keep_alive:
            self._raw.close()
        if self.pipeline or not turn.keep_alive:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._await_next()

    def _write(self, before: bytes, body: bytes) -> None:
        if len(body) > MAX_JOINED:
            self._raw.write(before)
            self._raw.write(body)
        else:
            self._raw.write(before + body)

    def _await_next(self) -> None:
        """As uvicorn at the end of an answer, but one timer serves many requests: setting one anew each time is dear."""
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._set_timer(self.timeout_keep_alive)

    def _set_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        self.timeout_keep_alive_task = None
        if left > 0:
            self._set_timer(left)
        elif self.cycle is None or self.cycle.response_complete:
            super().timeout_keep_alive_handler()
