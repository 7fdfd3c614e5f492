"""How the reference client behaves towards a server: what it asks, how long it waits, when it gives up. The server is the test's
own, for what a real one does seldom."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from websockets.asyncio.server import ServerConnection, serve

from loadtests.feed_client import Stopped
from loadtests.feed_client_http import FeedHttp
from tests.loadtests.feed_readers import CHANNEL, Reader, reading
from tests.waiting import until

Script = Callable[[ServerConnection], Any]


@asynccontextmanager
async def playing(*scripts: Script) -> AsyncIterator[str]:
    """A server that does one after the other, and the last one again and again."""
    left = list(scripts)

    async def play(connection: ServerConnection) -> None:
        hello = json.loads(await connection.recv())
        assert hello["type"] == "hello"
        script = left.pop(0) if len(left) > 1 else left[0]
        await script(connection)

    async with serve(play, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def say(connection: ServerConnection, *frames: dict[str, Any]) -> None:
    for frame in frames:
        await connection.send(json.dumps(frame))


def ready(seq: int, *, resumed: bool = False, seconds: int = 25) -> dict[str, Any]:
    channel = {"name": CHANNEL, "epoch": "e", "seq": seq, "resumed": resumed, "reason": None, "catch_up": None}
    return {"type": "ready", "heartbeat_seconds": seconds, "channels": [channel]}


def event(seq: int) -> dict[str, Any]:
    told = {"id": str(UUID(int=seq)), "at": "2026-12-18T09:30:00Z", "kind": "test.happened", "data": None}
    return {"type": "event", "channel": CHANNEL, "seq": seq, **told}


class Nowhere:
    """A network over which nothing should be asked."""

    async def send(self, method: str, path: str, token: str, body: bytes = b"") -> Any:
        raise AssertionError(f"{method} {path}")


def reader_at(url: str, **manners: Any) -> Reader:
    reader = Reader(FeedHttp(Nowhere(), ""), url)
    reader.client._manners = reader.clock.manners(**manners)
    return reader


async def test_gaps_repeats_and_heartbeats_lead_to_one_question_each() -> None:
    asked: list[dict[str, Any]] = []

    async def lossy(connection: ServerConnection) -> None:
        await say(connection, ready(0), event(1), event(1), event(3), event(4))
        asked.append(json.loads(await connection.recv()))
        await say(
            connection, ready(4, resumed=True), event(2), event(3), event(4), {"type": "heartbeat", "seq": {CHANNEL: 5}}
        )
        asked.append(json.loads(await connection.recv()))
        await say(connection, ready(5, resumed=True), event(5), {"type": "weather", "sun": True})
        await connection.wait_closed()

    async with playing(lossy) as url:
        reader = reader_at(url)
        async with reading(reader):
            await reader.reaches(5)
    wanted = [{"type": "subscribe", "channels": [{"name": CHANNEL, "epoch": "e", "seq": seq}]} for seq in (1, 4)]
    assert [one for one in asked if one["type"] == "subscribe"] == wanted
    assert [event.seq for event in reader.heard] == [1, 2, 3, 4, 5]
    assert reader.client.connections == 1


async def test_every_heartbeat_is_acknowledged_after_a_moment() -> None:
    acks: list[dict[str, Any]] = []

    async def beating(connection: ServerConnection) -> None:
        await say(connection, ready(7), event(8))
        for _ in range(3):
            await say(connection, {"type": "heartbeat", "seq": {CHANNEL: 8}})
            acks.append(json.loads(await connection.recv()))
        await connection.wait_closed()

    async with playing(beating) as url:
        reader = reader_at(url, ack_within=4.0)
        async with reading(reader):
            await until(lambda: len(acks) == 3)
    assert acks == [{"type": "ack", "seq": {CHANNEL: 8}}] * 3
    assert reader.clock.waits.count(2.0) == 3


async def test_silence_is_the_end_of_a_connection() -> None:
    async def silent(connection: ServerConnection) -> None:
        await say(connection, ready(0, seconds=0))
        await connection.wait_closed()

    async def talking(connection: ServerConnection) -> None:
        await say(connection, ready(1, resumed=True), event(1))
        await connection.wait_closed()

    async with playing(silent, talking) as url:
        reader = reader_at(url, silence=0.05)
        async with reading(reader):
            await reader.reaches(1)
    assert (reader.client.connections, reader.begun) == (2, [CHANNEL])


@pytest.mark.parametrize(
    ("code", "bye", "wait"),
    [
        (4001, None, 0.25),
        (4003, [1000, 3000], 2.0),
        (4101, None, 0.25),
        (4102, None, 45.0),
        (4103, [30_000, 60_000], 45.0),
        (1011, None, 0.25),
    ],
)
async def test_a_code_decides_how_long_it_stays_away(code: int, bye: list[int] | None, wait: float) -> None:
    async def closing(connection: ServerConnection) -> None:
        await say(connection, ready(0))
        if bye:
            await say(connection, {"type": "bye", "code": code, "retry_after_ms": bye})
        await connection.close(code)

    async with playing(closing) as url:
        reader = reader_at(url)
        async with reading(reader):
            await until(lambda: len(reader.client.closed_with) >= 2)
        assert reader.client.closed_with[0] == code
        assert reader.clock.waits[0] == wait


@pytest.mark.parametrize("code", [4501, 4502, 4503, 4504])
async def test_a_code_that_says_stop_is_obeyed(code: int) -> None:
    async with playing(lambda connection: connection.close(code)) as url:
        with pytest.raises(Stopped) as stopped:
            await reader_at(url).client.run()
        assert stopped.value.code == code


async def test_it_waits_longer_each_time_and_never_as_long_as_it_could() -> None:
    """Somewhere below a bound that doubles: 0.5 s, 1 s, 2 s … 30 s."""
    reader = reader_at("ws://127.0.0.1:1/", polling_after=99)
    async with reading(reader):
        await until(lambda: len(reader.clock.waits) >= 9)
    assert reader.clock.waits[:9] == [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]
