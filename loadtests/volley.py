"""Many requests at once, or at fixed times, each with its own answer kept.

`generator` counts, because it measures; this remembers, because it is evidence. As many connections as it is given, one request
under way on each; an answer that never comes is kept as one that says nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from loadtests.generator import Connection, now
from loadtests.line import Place

OPEN_AT_A_TIME = 200
"""Fewer than the server's backlog holds."""
FINEST_SECONDS = 0.001
"""What is due sooner is sent at once: a timer for each would cost more than the request."""
PATIENCE_SECONDS = 15.0
"""Longer than anybody may be kept waiting: what has no answer by then has none."""


class Heard(Struct, frozen=True, gc=False):
    """What came of one request."""

    place: int
    """Of the request, from 0."""
    status: int
    """0: the connection ended, or nothing came in `PATIENCE_SECONDS`."""
    retry_after: bool
    body: bytes
    began: float
    """When it was handed to the kernel: from then on the server could have it."""
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Volley:
    """Connections to a server, for one volley after the other. A `generator.Source`."""

    def __init__(self, *servers: Place) -> None:
        """With several, connections are spread over them."""
        self.late = 0
        """Requests that found every connection busy and were sent later than they should have been."""
        self._servers = servers
        self._idle: deque[Connection] = deque()
        self._under_way: dict[Connection, tuple[int, float]] = {}
        self._due: deque[tuple[int, bytes]] = deque()
        self._heard: list[Heard] = []
        self._wanted = math.inf
        self._done: asyncio.Future[None] | None = None
        self._same: dict[bytes, bytes] = {}

    async def open(self, count: int) -> None:
        """Opens so many connections more."""
        loop = asyncio.get_running_loop()
        for first in range(0, count, OPEN_AT_A_TIME):
            places = range(first, min(count, first + OPEN_AT_A_TIME))
            servers = [self._servers[place % len(self._servers)] for place in places]
            await asyncio.gather(
                *(loop.create_connection(lambda: Connection(self), server.host, server.port) for server in servers)
            )

    def close(self) -> None:
        for connection in [*self._idle, *self._under_way]:
            connection.close()

    async def fire(self, requests: Sequence[bytes]) -> list[Heard]:
        """Sends all at once, as far as there are connections. One answer each, in the order in which they came."""
        return await self.send(iter(requests), len(requests), math.inf)

    async def send(self, requests: Iterator[bytes], count: int, rate: float) -> list[Heard]:
        """Sends one every `1 / rate` seconds, whatever becomes of those before. One answer each, as they came."""
        loop = asyncio.get_running_loop()
        self._heard, self._wanted, self._done = [], count, loop.create_future()
        began = now()
        for place, request in enumerate(requests):
            wait = began + place / rate - now()
            if wait > FINEST_SECONDS:
                await asyncio.sleep(wait)
            elif place % 64 == 63:
                await asyncio.sleep(0)  # answers are heard while a volley goes out
            self._hand_over(place, request)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS + len(self._due) / 100):
                await self._done
        except TimeoutError:
            self._give_up()
        return self._heard

    def _hand_over(self, place: int, request: bytes) -> None:
        if self._idle:
            self._send(self._idle.popleft(), place, request)  # the one that has waited longest: every process gets some
        else:
            self.late += 1
            self._due.append((place, request))

    def _send(self, connection: Connection, place: int, request: bytes) -> None:
        began = now()
        self._under_way[connection] = (place, began)
        connection.send(request, began)

    def _give_up(self) -> None:
        for connection in list(self._under_way):
            self.lost(connection)
            connection.close()
        self._heard += [Heard(place, 0, False, b"", now(), now()) for place, _ in self._due]  # noqa: FBT003 - a row
        self._due.clear()

    # What the connections tell.

    def free(self, connection: Connection) -> None:
        if self._due:
            self._send(connection, *self._due.popleft())
        else:
            self._idle.append(connection)

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        place, began = self._under_way.pop(connection)
        head = connection.answer.partition(b"\r\n\r\n")[0].lower()
        kept = self._same.setdefault(body, body) if status != b"200" else body  # thousands of 503 are one object
        self._keep(Heard(place, int(status), b"\r\nretry-after:" in head, kept, began, now()))

    def lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if connection in self._under_way:
            place, began = self._under_way.pop(connection)
            self._keep(Heard(place, 0, False, b"", began, now()))  # noqa: FBT003 - a row

    def _keep(self, heard: Heard) -> None:
        self._heard.append(heard)
        if len(self._heard) >= self._wanted and self._done is not None and not self._done.done():
            self._done.set_result(None)


def unhelpful(heard: Iterable[Heard]) -> list[str]:
    """Answers that no scanner should get: neither 200 nor a 503 that says when to come back."""
    return [
        f"{one.status or 'nothing'} after {one.seconds:.1f} s {one.body[:120].decode('utf-8', 'replace')}"
        for one in heard
        if not (one.status == 200 or (one.status == 503 and one.retry_after))
    ]
