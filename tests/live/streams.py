"""Listeners at the feed's Server-Sent Events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.waiting import PATIENCE


class Message:
    """One of a stream's messages."""

    def __init__(self, lines: list[str]) -> None:
        fields = dict(line.partition(": ")[::2] for line in lines)
        assert fields.keys() <= {"event", "id", "data"}
        self.kind = fields["event"]
        self.id = fields.get("id")
        self.data: dict[str, Any] = json.loads(fields["data"])
        assert self.data["type"] == self.kind


async def lines_of(response: httpx.Response) -> AsyncIterator[str]:
    """A stream's lines; what Unicode calls a line's end besides is none (HTML standard §9.2.5)."""
    rest = b""
    async for part in response.aiter_raw():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.decode()


class Listener:
    """A browser's EventSource, as far as it matters."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = lines_of(response)
        self.retry = 0
        """After how many milliseconds to come back, where the stream just ends."""

    async def message(self) -> Message:
        """The next one, heartbeats left out."""
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if line.startswith("retry: "):
                    self.retry = int(line.removeprefix("retry: "))
                elif line:
                    lines.append(line)
                elif not lines:
                    continue
                elif (message := Message(lines)).kind == "heartbeat":
                    lines = []
                else:
                    return message
        raise EOFError("the stream has ended")

    async def events(self, count: int) -> list[Message]:
        found = [await self.message() for _ in range(count)]
        assert all(one.kind == "event" for one in found)
        return found


@asynccontextmanager
async def listening(feed: str, **request: Any) -> AsyncIterator[Listener]:
    url = feed.replace("ws://", "http://") + "/stream"
    async with httpx.AsyncClient() as client, client.stream("GET", url, timeout=PATIENCE, **request) as response:
        assert response.status_code == 200, await response.aread()
        yield Listener(response)


async def ask(feed: str, method: str = "GET", **request: Any) -> httpx.Response:
    """For what is refused: the whole answer."""
    async with httpx.AsyncClient() as client:
        return await client.request(method, feed.replace("ws://", "http://") + "/stream", timeout=PATIENCE, **request)
