"""Whatever is in between (a cut, a restart, another gateway), every event comes in order and exactly once."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from uuid import UUID

import httpx
import pytest

from server.config import Settings
from server.db import Database
from server.feed import emit, watch
from server.live import gateway as gateway_module
from server.live.gateway import Gateway
from tests.conftest import Publish, running_gateway
from tests.sockets import Phone, at, phone
from tests.waiting import until


def position_in(ready: dict[str, list[dict[str, str]]]) -> tuple[str, int]:
    channel = ready["channels"][0]
    return channel["epoch"], int(channel["seq"])


async def seqs(client: Phone, count: int) -> list[int]:
    return [event["seq"] for event in await client.events(count)]


async def test_what_was_missed_while_away_comes_first(
    feed: str, gateways: list[Gateway], event_id: UUID, publish: Publish
) -> None:
    async with phone(feed) as client:
        epoch, _ = position_in(await client.hello("announcements"))
        await publish(count=3)
        assert await seqs(client, 3) == [1, 2, 3]
    await publish(count=4)
    log = gateways[0].relay._followed.get((event_id, "announcements"))
    await until(lambda: log and log.seq == 7)
    async with phone(feed) as client:
        ready = await client.hello(at("announcements", epoch, 3))
        assert (ready["channels"][0]["seq"], ready["channels"][0]["resumed"]) == (7, True)
        await publish(count=2)
        assert await seqs(client, 6) == [4, 5, 6, 7, 8, 9]


async def test_a_client_that_read_less_than_was_sent_resumes_from_where_it_read(feed: str, publish: Publish) -> None:
    async with phone(feed) as client:
        epoch, _ = position_in(await client.hello("announcements"))
        await publish(count=5)
        assert await seqs(client, 2) == [1, 2]
    async with phone(feed) as client:
        await client.hello(at("announcements", epoch, 2))
        assert await seqs(client, 3) == [3, 4, 5]


async def test_a_resume_outlives_a_restart_of_the_gateway(settings: Settings, publish: Publish) -> None:
    async with running_gateway(settings) as feed, phone(feed) as client:
        epoch, _ = position_in(await client.hello("announcements"))
        await publish(count=2)
        assert await seqs(client, 2) == [1, 2]
    await publish(count=2)
    async with running_gateway(settings) as feed, phone(feed) as client:
        await client.hello(at("announcements", epoch, 2))
        await publish(count=1)
        assert await seqs(client, 3) == [3, 4, 5]


async def test_a_resume_may_go_to_another_gateway(settings: Settings, publish: Publish) -> None:
    async with running_gateway(settings) as one, running_gateway(settings) as other:
        async with phone(one) as client:
            epoch, _ = position_in(await client.hello("announcements"))
            await publish(count=3)
            assert await seqs(client, 3) == [1, 2, 3]
        async with phone(other) as client, phone(one) as stayed:
            await stayed.hello(at("announcements", epoch, 0))
            await client.hello(at("announcements", epoch, 2))
            await publish(count=2)
            assert await seqs(client, 3) == [3, 4, 5]
            assert await seqs(stayed, 5) == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("looks_often")
async def test_a_log_that_was_replaced_sends_everybody_to_start_over(
    feed: str, api: httpx.AsyncClient, db: Database, event_id: UUID, publish: Publish
) -> None:
    async with phone(feed) as client, phone(feed) as elsewhere:
        epoch, _ = position_in(await client.hello("announcements"))
        await elsewhere.hello("schedule")
        await publish(count=3)
        assert await seqs(client, 3) == [1, 2, 3]
        async with db.tx() as tx:  # what a restore to an earlier moment has to do
            await tx.execute("DELETE FROM feed_event WHERE channel = 'announcements' AND seq = 3")
            await tx.execute("UPDATE feed_channel SET epoch = 'e2', seq = 2 WHERE channel = 'announcements'")
        code, frames = await client.ending()
        assert (code, frames) == (4003, [{"type": "bye", "code": 4003, "retry_after_ms": [0, 8000]}])
        await publish("schedule")
        assert await seqs(elsewhere, 1) == [1], "other channels go on"
    async with phone(feed) as client:
        channel = (await client.hello(at("announcements", epoch, 3)))["channels"][0]
        assert (channel["epoch"], channel["seq"], channel["reason"]) == ("e2", 2, "epoch")
        await publish()
        assert await seqs(client, 1) == [3]


@pytest.mark.usefixtures("looks_often")
async def test_lost_hints_cost_nothing_but_time(
    settings: Settings, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.Watch, "_on_hint", lambda *_hint: None)
    async with running_gateway(settings) as feed, phone(feed) as client:
        await client.hello("announcements")
        await publish(count=5)
        assert await seqs(client, 5) == [1, 2, 3, 4, 5]


async def test_phones_that_come_and_go_all_read_the_table(
    settings: Settings, db: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Concurrent writers, phones that are cut off at random and come back to either gateway; small chunks, so that turns mix."""
    monkeypatch.setattr(gateway_module, "CHUNK", 2)
    total, choice = 150, random.Random(11)
    async with AsyncExitStack() as stack:
        feeds = [await stack.enter_async_context(running_gateway(settings)) for _ in range(2)]
        phones = [asyncio.create_task(wander(feeds, total, random.Random(seed))) for seed in range(8)]
        await asyncio.gather(*(write(db, event_id, total // 5, random.Random(choice.random())) for _ in range(5)))
        logs = await asyncio.gather(*phones)
    async with db.read() as connection:
        table = [
            (row["seq"], str(row["id"]))
            for row in await connection.fetch(
                "SELECT seq, id FROM feed_event WHERE channel = 'announcements' ORDER BY seq"
            )
        ]
    assert [seq for seq, _ in table] == list(range(1, total + 1))
    assert all(log == table for log in logs)


async def write(db: Database, event_id: UUID, count: int, choice: random.Random) -> None:
    for _ in range(count):
        async with db.tx() as tx:
            await emit(tx, event_id, channel="announcements", kind="test.happened", data=None)
            for _ in range(choice.randrange(3)):
                await tx.execute("SELECT 1")


async def wander(feeds: list[str], total: int, choice: random.Random) -> list[tuple[int, str]]:
    """A phone's log: it reads some, is cut off without a good-bye or leaves politely, and resumes from what it has."""
    log: list[tuple[int, str]] = []
    epoch = None
    while len(log) < total:
        async with phone(choice.choice(feeds)) as client:
            wanted = {"name": "announcements"} if epoch is None else at("announcements", epoch, len(log))
            channel = (await client.hello(wanted))["channels"][0]
            assert channel["reason"] is None
            if epoch is None and channel["seq"]:  # too late for the first ones: from the beginning, then
                epoch = channel["epoch"]
                continue
            epoch = channel["epoch"]
            events = await client.events(min(total - len(log), choice.randrange(1, 40)))
            log += [(event["seq"], event["id"]) for event in events]
            if choice.random() < 0.5:
                client.socket.transport.abort()
    return log


async def test_idle_phones_cost_no_queries(feed: str, gateways: list[Gateway], publish: Publish) -> None:
    """A storm of returning phones is answered from memory."""
    await publish(count=3)
    async with phone(feed) as first:
        epoch, _ = position_in(await first.hello("announcements"))
    before = gateways[0].relay.queries
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(phone(feed)) for _ in range(20)]
        await asyncio.gather(*(one.hello(at("announcements", epoch, 1)) for one in phones))
        assert [await seqs(one, 2) for one in phones] == [[2, 3]] * 20
    assert gateways[0].relay.queries == before
    await until(lambda: not gateways[0].sessions)
