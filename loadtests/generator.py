"""An HTTP load generator that costs little: raw protocols, requests made beforehand, answers hardly looked at.

It shares the machine with what it measures, so every microsecond it takes is missing there. HTTP/1.1 with keep-alive,
one request under way per connection, answers with Content-Length; nothing else is understood.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast

import uvloop

from loadtests.histogram import Histogram
from loadtests.scenario import Aborted

if TYPE_CHECKING:
    from loadtests.server_under_test import Server

now = time.monotonic
"""The kernel's one clock: readings in two processes may be compared."""


class Source(Protocol):
    """Decides what is sent when, and hears of the answers."""

    def free(self, connection: Connection) -> None:
        """The connection can take a request."""

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        """The answer to the connection's request. `free` follows."""

    def lost(self, connection: Connection) -> None:
        """The connection has ended; its request, if one was under way, has no answer."""


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    __slots__ = ("_buffer", "_transport", "answer", "began", "busy", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.answer = b""
        """The last one, whole: for a source that wants to know its headers."""
        self.began = 0.0
        """From when the latency of the request under way counts."""
        self.busy = False
        self._buffer = b""
        self._transport: asyncio.Transport

    def send(self, request: bytes, began: float) -> None:
        self.began = began
        self.busy = True
        self._transport.write(request)

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self.source.free(self)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        answer = parse_answer(data)
        if answer is None:
            self._buffer = data
            return
        self._buffer = b""
        self.answer = data
        self.busy = False
        self.source.answered(self, *answer)
        self.source.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.source.lost(self)


def parse_answer(data: bytes) -> tuple[bytes, bytes] | None:
    """Status and body, or None as long as something is missing. Raises `ValueError` for what has no Content-Length; a 304 needs
    none."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    if data[9:12] == b"304":
        return data[9:12], data[end + 4 :]
    head = data[: end + 2].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError("an answer without Content-Length")
    length = int(head[at + 17 : head.find(b"\r\n", at + 17)])
    body = data[end + 4 :]
    if len(body) < length:
        return None
    return data[9:12], body


class Tally:
    """What came back: latencies, answers other than the expected one, answers in each tenth of a second."""

    def __init__(self, expected: bytes, status: bytes = b"200") -> None:
        """An answer is right when it has this status and its body contains `expected`."""
        self.expected = expected
        self.status = status
        self.latencies = Histogram()
        self.right = 0
        self.wrong: Counter[str] = Counter()
        self.tenths: Counter[int] = Counter()
        self.began = self.ended = 0.0

    def note(self, status: bytes, body: bytes, latency: float, at: float) -> None:
        if status == self.status and self.expected in body:
            self.right += 1
        else:
            self.wrong[f"{status.decode('ascii', 'replace')} {body[:120].decode('utf-8', 'replace')}"] += 1
        self.latencies.record(latency)
        self.tenths[int((at - self.began) * 10)] += 1

    @property
    def seconds(self) -> float:
        return max(self.ended - self.began, 1e-9)


class ClosedLoop:
    """Every connection sends its next request the moment it has its answer: saturation. Ends when the time is over or
    the requests are used up."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self.used_up = False
        self._requests = requests
        self._tally = tally
        self._stopping = True
        self._under_way = 0
        self._waiting: list[Connection] = []

    def begin(self, seconds: float) -> None:
        """All connections are there: lets them send."""
        self._stopping = False
        self._tally.began = now()
        asyncio.get_running_loop().call_later(seconds, self._stop)
        for connection in self._waiting:
            self.free(connection)

    def _stop(self) -> None:
        self._stopping = True

    def free(self, connection: Connection) -> None:
        if not self._tally.began:
            self._waiting.append(connection)
            return
        if not self._stopping:
            request = next(self._requests, None)
            if request is not None:
                self._under_way += 1
                connection.send(request, now())
                return
            self._stopping = self.used_up = True
        if not self._under_way and not self.done.done():
            self._tally.ended = now()
            self.done.set_result(None)

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        at = now()
        self._under_way -= 1
        self._tally.note(status, body, at - connection.began, at)

    def lost(self, connection: Connection) -> None:
        if connection.busy and not self.done.done():
            self.done.set_exception(ConnectionResetError("the server closed a connection under load"))


class OpenModel:
    """Requests at times fixed beforehand, whatever the server does: a stall is felt by all who come during it.

    Latency counts from the scheduled time. A request that finds every connection busy waits for one, and the wait counts.
    """

    def __init__(self, requests: Sequence[bytes], rate: float, tally: Tally) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self.lag = Histogram()
        """How late requests were handed to a connection: the generator's own share, and that of too few connections."""
        self.waited = 0
        self._requests = requests
        self._rate = rate
        self._tally = tally
        self._next = 0
        self._left = len(requests)
        self._idle: list[Connection] = []
        self._due: deque[tuple[bytes, float]] = deque()

    def begin(self) -> None:
        self._tally.began = now() + 0.1
        self._send_due()

    def _send_due(self) -> None:
        """Sends whatever is due, then sleeps until the next one is."""
        at = now()
        while self._next < len(self._requests):
            scheduled = self._tally.began + self._next / self._rate
            if scheduled > at:
                asyncio.get_running_loop().call_later(scheduled - at, self._send_due)
                return
            self._hand_over(self._requests[self._next], scheduled)
            self._next += 1

    def _hand_over(self, request: bytes, scheduled: float) -> None:
        if self._idle:
            self._send(self._idle.pop(), request, scheduled)
        else:
            self.waited += 1
            self._due.append((request, scheduled))

    def _send(self, connection: Connection, request: bytes, scheduled: float) -> None:
        self.lag.record(now() - scheduled)
        connection.send(request, scheduled)

    def free(self, connection: Connection) -> None:
        if self._due:
            self._send(connection, *self._due.popleft())
        else:
            self._idle.append(connection)

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        at = now()
        self._tally.note(status, body, at - connection.began, at)
        self._left -= 1
        if not self._left and not self.done.done():
            self._tally.ended = at
            self.done.set_result(None)

    def lost(self, connection: Connection) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionResetError("the server closed a connection under load"))


async def connect(source: Source, host: str, port: int, count: int) -> list[Connection]:
    """Opens connections, one after the other."""
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(lambda: Connection(source), host, port))[1] for _ in range(count)]


async def saturate(
    host: str, port: int, requests: Iterator[bytes], tally: Tally, *, connections: int, seconds: float
) -> None:
    """Closed loop over that many connections, counted into `tally`. Raises `ConnectionError` when the server drops one."""
    source = ClosedLoop(requests, tally)
    opened = await connect(source, host, port, connections)
    source.begin(seconds)
    async with asyncio.timeout(seconds + 30):
        await source.done
    _close(opened)


def saturate_server(
    server: Server, requests: Iterator[bytes], tally: Tally, *, connections: int, seconds: float
) -> None:
    """The same in a loop of its own. Raises `Aborted` when the server drops a connection, or has ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, without_collection():
        try:
            runner.run(saturate(server.host, server.port, requests, tally, connections=connections, seconds=seconds))
        except (ConnectionError, TimeoutError) as error:
            server.check_alive()
            raise Aborted(f"the server failed under load ({error}): {server.last_words()}") from None


async def send_at_rate(
    host: str, port: int, requests: Sequence[bytes], tally: Tally, *, connections: int, rate: float
) -> OpenModel:
    """Open model, counted into `tally`. Raises `ConnectionError` when the server drops a connection."""
    source = OpenModel(requests, rate, tally)
    opened = await connect(source, host, port, connections)
    source.begin()
    async with asyncio.timeout(len(requests) / rate + 60):
        await source.done
    _close(opened)
    return source


def _close(connections: Sequence[Connection]) -> None:
    for connection in connections:
        connection.close()


@contextmanager
def without_collection() -> Iterator[None]:
    """For the length of a measurement: the collector's pauses would count as the server's."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def rates(tally: Tally) -> list[tuple[float, float]]:
    """Answers a second over time, for a plot; the last, incomplete step is left out."""
    steps = range(max(0, int(tally.seconds * 10) - 1))
    return [(step / 10, tally.tenths[step] * 10.0) for step in steps]
