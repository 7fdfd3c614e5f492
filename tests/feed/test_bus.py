"""Hints over a real NATS: quicker than the look every second, and nothing depends on them."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import nats
import pytest

from server.config import Settings
from server.db import Database, open_database
from server.feed import Watch, emit, emit_to_each, set_states, watch as watch_module
from server.feed.bus import SUBJECT, Bus
from server.feed.types import HINT_CHANNEL
from server.ids import new_id
from tests.conftest import Demo, bearer, running_api, running_gateway
from tests.sockets import phone
from tests.waiting import PATIENCE, until

PROGRAM = Path(sys.executable).with_name("nats-server")


class Nats:
    """A NATS server on a port of its own, which it keeps from one start to the next."""

    def __init__(self) -> None:
        self._kept = socket.socket()
        """Bound and not listening: nobody else is given the port while the server is away."""
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind(("127.0.0.1", 0))
        self.port = self._kept.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._running: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        words = [str(PROGRAM), "--addr", "127.0.0.1", "--port", str(self.port), "--log", os.devnull]
        self._running = subprocess.Popen(words, stdin=subprocess.DEVNULL)  # noqa: ASYNC220 - it returns at once
        await until(self._answers)

    def stop(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def leave(self) -> None:
        self.stop()
        self._kept.close()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
async def server() -> AsyncIterator[Nats]:
    running = Nats()
    await running.start()
    yield running
    running.leave()


@pytest.fixture
def never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a hint makes a watch read the table."""
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 3600.0)


@asynccontextmanager
async def process(database_url: str, bus_url: str) -> AsyncIterator[tuple[Database, Watch, Bus]]:
    """What a process of the server has of all this."""
    async with Bus(bus_url, name="test").run() as bus, AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(database_url, size=1, name="test", on_told=bus.tell))
        watch = await stack.enter_async_context(Watch(database_url, name="test", bus=bus).run())
        yield db, watch, bus


async def happen(db: Database, event_id: UUID, count: int = 1) -> None:
    for _ in range(count):
        async with db.tx() as tx:
            await emit(tx, event_id, channel="schedule", kind="test.happened", data={})


def reached(watch: Watch, event_id: UUID, channel: str = "schedule") -> int:
    position = watch.position(event_id, channel)
    return 0 if position is None else position.seq


@pytest.mark.usefixtures("never_looks")
async def test_one_process_hears_of_what_another_did(database_url: str, event_id: UUID, server: Nats) -> None:
    async with (
        process(database_url, server.url) as (db, _, here),
        process(database_url, server.url) as (_, watch, there),
    ):
        await until(lambda: here.connected.is_set() and there.connected.is_set())
        await happen(db, event_id, 20)
        await until(lambda: reached(watch, event_id) == 20)
        async with db.tx() as tx:
            await set_states(tx, event_id, "occupancy", {"list:main": 1})
            await emit_to_each(tx, event_id, [new_id(), new_id()], kind="test.told", data={})
        await until(lambda: reached(watch, event_id, "occupancy") == 1 and reached(watch, event_id, "me") == 2)


async def test_postgresql_is_not_asked_to_notify_as_well(database_url: str, event_id: UUID, server: Nats) -> None:
    """Its notifications take a lock that every committing transaction of the cluster waits for."""
    heard: list[object] = []
    listener = await asyncpg.connect(database_url)
    try:
        await listener.add_listener(HINT_CHANNEL, lambda *told: heard.append(told[-1]))
        async with process(database_url, server.url) as (db, _, _):
            await happen(db, event_id)
            async with db.tx() as tx:
                await set_states(tx, event_id, "occupancy", {"list:main": 1})
                await emit_to_each(tx, event_id, [new_id()], kind="test.told", data={})
        async with open_database(database_url, size=1, name="test without") as db:
            await happen(db, event_id)
        await until(lambda: heard)
        assert heard == [f"{event_id}:schedule:2"]
    finally:
        await listener.close()


async def break_off(db: Database, event_id: UUID) -> None:
    async with db.tx() as tx:
        await emit(tx, event_id, channel="schedule", kind="test.happened", data={})
        await tx.execute("SELECT 1 / 0")


async def test_what_did_not_happen_is_not_told(database_url: str, event_id: UUID, server: Nats) -> None:
    told: list[int] = []
    async with open_database(database_url, size=1, name="test", on_told=lambda: told.append(1)) as db:
        with pytest.raises(asyncpg.PostgresError):
            await break_off(db, event_id)
        async with db.tx() as tx:
            await tx.fetchval("SELECT 1")
            await set_states(tx, event_id, "occupancy", {})
        assert told == []
        await happen(db, event_id)
        assert told == [1]


async def test_without_nats_everything_is_heard_of_all_the_same(
    database_url: str, event_id: UUID, server: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is not there at the start nor when it goes; and when it is back, hints are."""
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr("server.feed.bus.RECONNECT_SECONDS", 0.05)
    server.stop()
    async with process(database_url, server.url) as (db, watch, bus):
        await happen(db, event_id)
        await until(lambda: reached(watch, event_id) == 1)
        await server.start()
        await until(bus.connected.is_set)
        server.stop()
        await until(lambda: not bus.connected.is_set())
        await happen(db, event_id)
        await until(lambda: reached(watch, event_id) == 2)
        await server.start()
        await until(bus.connected.is_set)
        monkeypatch.setattr(watch_module, "POLL_SECONDS", 3600.0)
        await happen(db, event_id)
        await until(lambda: reached(watch, event_id) == 3)


@pytest.mark.usefixtures("never_looks")
async def test_what_strangers_say_is_a_reason_to_look_and_no_more(
    database_url: str, event_id: UUID, server: Nats
) -> None:
    async with process(database_url, server.url) as (_, watch, bus):
        await until(bus.connected.is_set)
        stranger = await nats.connect(server.url)
        for words in (b"", b"junk", f"{event_id}:schedule:99999".encode(), bytes(100_000)):
            await stranger.publish(SUBJECT, words)
        await stranger.flush()
        async with open_database(database_url, size=1, name="test, silent", on_told=lambda: None) as db:
            await happen(db, event_id)
            await stranger.publish(SUBJECT, b"look")
            await until(lambda: reached(watch, event_id) == 1)
        await stranger.close()


@pytest.mark.usefixtures("never_looks")
async def test_a_phone_hears_over_nats(settings: Settings, demo: Demo, server: Nats) -> None:
    """From the organizer's request through the API's process and the gateway's to the socket."""
    settings = msgspec.structs.replace(settings, nats_url=server.url)
    async with running_api(settings) as api, running_gateway(settings) as feed, phone(feed) as client:
        await client.hello("announcements")
        async with httpx.AsyncClient() as outside:
            answer = await outside.post(
                f"{api}/announcements", json={"title": {"fr": "Bonjour"}}, headers=bearer(demo.file.organizer_token)
            )
        assert answer.status_code == 201
        async with asyncio.timeout(PATIENCE):
            assert (await client.frame("event"))["kind"] == "announcement.published"


async def test_whatever_is_wrong_with_it_the_feed_works_and_it_is_said(
    database_url: str, event_id: UUID, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.02)
    async with process(database_url, "nats://[::1") as (db, watch, _):
        await happen(db, event_id)
        await until(lambda: reached(watch, event_id) == 1 and "NATS cannot be used" in caplog.text)


@pytest.fixture
def without_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "nats"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nats", None)


@pytest.mark.usefixtures("without_client")
async def test_a_missing_client_is_said_in_a_sentence() -> None:
    bus: Any = Bus("nats://127.0.0.1:1", name="test")
    with pytest.raises(Exception, match="install digitalnow"):
        async with bus.run():
            pass
