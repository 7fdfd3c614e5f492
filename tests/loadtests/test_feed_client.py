"""The reference client at a real server: cut off, late, replaced, revoked, and in a network without websockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from loadtests import feed_client_http
from loadtests.feed_client import Stopped
from loadtests.feed_client_http import FeedHttp
from loadtests.feed_client_state import Event, Place
from loadtests.scanner_network import Wifi
from server.access.actions import revoke
from server.auth import Principal
from server.child import Child
from server.config import Settings
from server.db import Database, open_database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug
from server.feed import emit, emit_to_each, set_states, watch
from server.ids import new_id
from server.live import __main__ as gateway_process, relay, ticket as tickets
from server.live.__main__ import run_gateway
from server.live.gateway import Gateway
from server.migrate import ticket_key
from tests.conftest import Demo, running_api
from tests.databases import put_back
from tests.loadtests.addresses import address_of
from tests.loadtests.feed_readers import CHANNEL, Reader, reading
from tests.waiting import until


class Hall:
    """The sample event, an API that is always there, and a gateway that comes and goes at one address."""

    def __init__(self, settings: Settings, base: str, db: Database, event_id: UUID, key: bytes) -> None:
        self.settings = settings
        self.db = db
        self.event_id = event_id
        self.key = key
        self.wifi = Wifi(address_of(base))
        self.path = urlsplit(base).path
        self.gateways: list[Gateway] = []
        self._kept = _listen(0)
        """Bound and not listening: keeps the port while no gateway has it, and refuses whoever comes."""
        self.port = self._kept.getsockname()[1]
        self._running: tuple[asyncio.Task[None], Child] | None = None

    @property
    def live_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{self.path}/live"

    def http(self, token: str = "") -> FeedHttp:
        return FeedHttp(self.wifi, self.path, token)

    async def open(self) -> None:
        child, began = Child(), len(self.gateways)
        self._running = asyncio.create_task(run_gateway(self.settings, _listen(self.port), child)), child
        await until(lambda: len(self.gateways) > began)

    async def close(self) -> None:
        """Says good-bye to everybody."""
        if self._running is not None:
            task, child = self._running
            child.stopping.set()
            await task
            self._running = None

    async def leave(self) -> None:
        await self.close()
        self.wifi.close()
        self._kept.close()

    def cut(self) -> None:
        """Hangs up on everybody, without a word."""
        for session in list(self.gateways[-1].sessions):
            session.line.transport.abort()

    async def publish(self, count: int = 1, channel: str = CHANNEL) -> int:
        last = 0
        for _ in range(count):
            async with self.db.tx() as tx:
                last = (await emit(tx, self.event_id, channel=channel, kind="test.happened", data="hello")).seq
        return last

    async def table(self, channel: str = CHANNEL) -> list[tuple[int, UUID]]:
        query = "SELECT seq, id FROM feed_event WHERE channel = $1 ORDER BY seq"
        async with self.db.read() as connection:
            return [(row["seq"], row["id"]) for row in await connection.fetch(query, channel)]

    async def restore(self, seq: int) -> None:
        """To an earlier moment, in which the log was shorter."""
        async with self.db.tx() as tx:
            await tx.execute("DELETE FROM feed_event WHERE channel = $1 AND seq > $2", CHANNEL, seq)
            await tx.execute("UPDATE feed_channel SET epoch = 'restored', seq = $2 WHERE channel = $1", CHANNEL, seq)


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    return listening


@pytest.fixture
async def hall(one_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    await put_back(one_database)
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.02)
    settings = Settings(database_url=one_database, data_dir=tmp_path, durable=False, drain_seconds=0.05)
    async with running_api(settings) as base, open_database(one_database, size=2, name="test") as db:
        async with db.read() as connection:
            event = await get_event_by_slug(connection, SLUG)
        assert event is not None
        hall = Hall(settings, base, db, event.event_id, await ticket_key(one_database))

        class Seen(Gateway):
            def __init__(self, *given: Any, **options: Any) -> None:
                super().__init__(*given, **options)
                hall.gateways.append(self)

        monkeypatch.setattr(gateway_process, "Gateway", Seen)
        yield hall
        await hall.leave()


def numbers(reader: Reader) -> list[tuple[int, UUID]]:
    return [(event.seq, event.id) for event in reader.heard if event.channel == CHANNEL]


async def test_it_reads_the_data_once_and_then_everything(hall: Hall) -> None:
    await hall.open()
    await hall.publish(2)
    reader = Reader(hall.http(), hall.live_url, (CHANNEL, "schedule"))
    async with reading(reader):
        await until(lambda: len(reader.begun) == 2)
        await reader.reaches(2)
        await hall.publish(3)
        await hall.publish(1, "schedule")
        await reader.reaches(5)
        await reader.reaches(1, "schedule")
    assert numbers(reader) == (await hall.table())[2:]
    assert (sorted(reader.begun), reader.client.connections) == ([CHANNEL, "schedule"], 1)


async def test_it_resumes_after_a_cut(hall: Hall) -> None:
    await hall.open()
    reader = Reader(hall.http(), hall.live_url)
    async with reading(reader):
        await reader.reaches(0)
        for total in (3, 6, 9):
            await hall.publish(2)
            await reader.reaches(total - 1)
            hall.cut()
            await hall.publish()
            await reader.reaches(total)
    assert numbers(reader) == await hall.table()
    assert (reader.begun, reader.client.connections) == ([CHANNEL], 4)


async def test_a_position_that_it_had_kept_is_where_it_goes_on(hall: Hall) -> None:
    await hall.open()
    await hall.publish(4)
    reader = Reader(hall.http(), hall.live_url, places={CHANNEL: Place(await epoch_of(hall), 1)})
    async with reading(reader):
        await reader.reaches(4)
    assert (numbers(reader), reader.begun) == ((await hall.table())[1:], [])


async def epoch_of(hall: Hall) -> str:
    return (await hall.http().end(CHANNEL)).epoch


async def test_it_catches_up_by_http_with_what_the_ring_no_longer_has(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "RING_LENGTH", 3)
    monkeypatch.setattr(feed_client_http, "PAGE", 4)
    await hall.open()
    reader = Reader(hall.http(), hall.live_url)
    async with reading(reader):
        await reader.reaches(0)
        await hall.publish(1)
        await reader.reaches(1)
        await hall.close()
        await hall.publish(18)
        await hall.open()
        await reader.reaches(19)
        await hall.publish(2)
        await reader.reaches(21)
    assert numbers(reader) == await hall.table()
    assert reader.begun == [CHANNEL]


@pytest.mark.parametrize("websocket", [True, False])
async def test_another_log_is_begun_with_its_data(hall: Hall, websocket: bool) -> None:  # noqa: FBT001 - a parameter
    await hall.open()
    reader = Reader(hall.http(), hall.live_url)
    async with reading(reader):
        await reader.reaches(0)
        await hall.publish(3)
        await reader.reaches(3)
        if not websocket:
            await hall.close()
        await hall.restore(1)
        await until(lambda: reader.place() == Place("restored", 1))
        await hall.publish(2)
        await reader.reaches(3)
    assert [(one.seq, one.id) for one in reader.heard[3:]] == (await hall.table())[1:]
    assert reader.begun == [CHANNEL, CHANNEL]


async def test_data_with_a_position_of_its_own_is_where_it_goes_on(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the data holds already is not heard again."""
    await hall.open()
    reader = Reader(hall.http(), hall.live_url)

    async def refetch(_channel: str) -> Place:
        await hall.publish(3)
        return await hall.http().end(CHANNEL)

    monkeypatch.setattr(reader.client, "_refetch", refetch)
    async with reading(reader):
        await reader.reaches(3)
        await hall.publish()
        await reader.reaches(4)
    assert numbers(reader) == (await hall.table())[3:]


async def test_whoever_is_revoked_stops(hall: Hall, demo: Demo) -> None:
    await hall.open()
    reader = Reader(hall.http(demo.device(2)), hall.live_url, ("checkin",))
    async with reading(reader) as task:
        await until(lambda: reader.begun)
        await revoke(hall.db, hall.event_id, demo.device(2))
        with pytest.raises(Stopped, match="4501"):
            await task
    again = Reader(hall.http(demo.device(2)), hall.live_url, ("checkin",))
    with pytest.raises(Stopped, match="401"):
        await again.client.run()


async def test_an_expired_ticket_is_replaced_by_a_new_one(hall: Hall, demo: Demo) -> None:
    class Slow(FeedHttp):
        """Its first ticket comes too late."""

        first = True

        async def ticket(self) -> str | None:
            fresh = await super().ticket()
            late = tickets.issue(hall.key, Principal("organizer", hall.event_id, new_id(), ""), now=1e9)
            self.first, first = False, self.first
            return late if first else fresh

    await hall.open()
    http = Slow(hall.wifi, hall.path, demo.file.organizer_token)
    reader = Reader(http, hall.live_url, ("checkin",))
    async with reading(reader):
        await until(lambda: reader.begun)
        assert reader.client.closed_with == [4101]
        seq = await hall.publish(1, "checkin")
        await reader.reaches(seq, "checkin")


async def test_one_s_own_log_is_read_with_a_ticket(hall: Hall, demo: Demo) -> None:
    await hall.open()
    person = demo.attendees[0]
    reader = Reader(hall.http(person["token"]), hall.live_url, ("me", "checkin"))
    async with reading(reader):
        await until(lambda: reader.begun)
        for _ in range(2):
            async with hall.db.tx() as tx:
                await emit_to_each(tx, hall.event_id, [UUID(person["id"])], kind="test.told", data="hello")
            hall.cut()
        await reader.reaches(2, "me")
    assert [event.channel for event in reader.heard] == ["me", "me"]
    assert reader.client.reading.forbidden == {"checkin"}


async def test_it_leaves_a_server_that_stops_and_comes_back(hall: Hall) -> None:
    await hall.open()
    reader = Reader(hall.http(), hall.live_url)
    async with reading(reader):
        await reader.reaches(0)
        await hall.publish()
        await reader.reaches(1)
        await hall.close()
        await until(lambda: reader.client.closed_with == [4003])
        assert 4.0 in reader.clock.waits, "between the 0 and the 8 seconds that `bye` said"
        await hall.publish(2)
        await hall.open()
        await until(lambda: reader.client.connections == 2)
        await hall.publish()
        await reader.reaches(4)
    assert numbers(reader) == await hall.table()


async def test_where_no_websocket_can_be_opened_it_reads_by_http(hall: Hall) -> None:
    await hall.publish(2)
    reader = Reader(hall.http(), hall.live_url, boards=("occupancy",))
    async with reading(reader):
        await reader.reaches(2)
        await hall.publish(3)
        await reader.reaches(5)
        await until(lambda: reader.client.rounds >= 2)
        assert reader.client.connections == 0
        await occupy(hall, 7)
        await until(lambda: reader.board.get("list:main") == {"inside": 7})
        await hall.open()
        await until(lambda: reader.client.connections == 1)
        await hall.publish(2)
        await reader.reaches(7)
        rounds = reader.client.rounds
        await hall.publish(1)
        await reader.reaches(8)
        assert reader.client.rounds == rounds, "the websocket does it alone"
    assert numbers(reader) == (await hall.table())[2:]


async def test_what_is_not_for_it_is_left_without_websockets_too(hall: Hall, demo: Demo) -> None:
    reader = Reader(hall.http(demo.device()), hall.live_url, ("leads", "checkin"))
    async with reading(reader):
        await until(lambda: reader.client.rounds >= 1)
    assert (reader.client.reading.forbidden, reader.begun) == ({"leads"}, ["checkin"])


async def occupy(hall: Hall, inside: int | None) -> None:
    value = None if inside is None else {"inside": inside}
    async with hall.db.tx() as tx:
        await set_states(tx, hall.event_id, "occupancy", {"list:main": value})


async def test_boards_show_the_latest_values(hall: Hall) -> None:
    await occupy(hall, 1)
    await hall.open()
    reader = Reader(hall.http(), hall.live_url, (), boards=("occupancy",))
    async with reading(reader):
        await until(lambda: reader.board == {"list:main": {"inside": 1}})
        await occupy(hall, 2)
        await until(lambda: reader.board == {"list:main": {"inside": 2}})
        await occupy(hall, None)
        await until(lambda: reader.board == {"list:main": None})


async def test_an_event_counts_when_it_was_applied(hall: Hall) -> None:
    """An application that cannot take one gets it again."""
    await hall.open()
    reader = Reader(hall.http(), hall.live_url)
    async with reading(reader):
        await reader.reaches(0)
        reader.unable = 2
        await hall.publish(3)
        await reader.reaches(3)
    assert numbers(reader) == await hall.table()
    assert reader.client.connections == 3


@pytest.mark.parametrize("failure", [ZeroDivisionError, OSError, TimeoutError])
async def test_an_application_that_fails_is_not_kept_alive(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    async def fail(_event: Event) -> None:
        raise failure

    await hall.open()
    reader = Reader(hall.http(), hall.live_url)
    monkeypatch.setattr(reader.client, "_on_event", fail)
    task = asyncio.create_task(reader.client.run())
    await reader.reaches(0)
    await hall.publish()
    with pytest.raises(failure):
        await task
    assert reader.place() == Place(await epoch_of(hall), 0)
