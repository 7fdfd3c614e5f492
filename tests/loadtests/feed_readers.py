"""A reader of the feed for tests: the reference client, a clock that does not wait, an application that keeps what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from loadtests.feed_client import FeedClient, Manners, Stopped
from loadtests.feed_client_http import FeedHttp
from loadtests.feed_client_state import Event, Place, State
from loadtests.scanner_network import NoAnswer
from tests.loadtests.feed_logs import LoggedReading, faults_of
from tests.waiting import until

CHANNEL = "announcements"


class Clock:
    """A clock that does not wait, and a chance that is always the middle."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.001)

    def manners(self, **more: Any) -> Manners:
        return Manners(sleep=self.sleep, chance=lambda: 0.5, **more)


class Reader:
    """A client with an application that keeps what it hears."""

    def __init__(self, http: FeedHttp, live_url: str, channels: tuple[str, ...] = (CHANNEL,), **options: Any) -> None:
        self.clock = Clock()
        self.heard: list[Event] = []
        self.begun: list[str] = []
        self.board: dict[str, Any] = {}
        self.unable = 0
        """Events that it cannot take at first."""
        options.setdefault("manners", self.clock.manners())
        self.client = FeedClient(
            http, live_url, channels, on_event=self._hear, refetch=self._refetch, on_state=self._show, **options
        )
        self.reading = self.client.reading = LoggedReading(channels, options.get("places"))

    def place(self, channel: str = CHANNEL) -> Place | None:
        return self.reading.places.get(channel)

    async def _hear(self, event: Event) -> None:
        if self.unable:
            self.unable -= 1
            raise NoAnswer("the data behind the event cannot be read")
        self.heard.append(event)

    async def _refetch(self, channel: str) -> None:
        self.begun.append(channel)

    async def _show(self, _channel: str, state: State | None) -> None:
        if state is None:
            self.board.clear()
        else:
            self.board[state.key] = msgspec.json.decode(state.data)

    async def reaches(self, seq: int, channel: str = CHANNEL) -> None:
        await until(lambda: (place := self.place(channel)) is not None and place.seq == seq)


@asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[asyncio.Task[None]]:
    """Reads for the length of the block; what the log then lacks is a failure."""
    task = asyncio.create_task(reader.client.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Stopped):
            await task
    assert faults_of(reader.reading.log) == []
