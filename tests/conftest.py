"""What the tests stand on: one real PostgreSQL for the run, a database of its own for each test that asks for one, the API
and the gateway on real sockets in the test's own loop."""

from __future__ import annotations

import asyncio
import csv
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from msgspec import Struct

from server.api import run_api
from server.child import Child
from server.config import Settings
from server.db import Database, open_database
from server.demo import load
from server.demo.credentials import DemoFile, Options, first_attendee, folder_of
from server.embedded import EmbeddedPostgres
from server.event.queries import get_event_by_slug
from server.feed import emit
from server.live.__main__ import run_gateway
from server.migrate import migrate
from tests.databases import TEMPLATE, administer, copied_database, database_of, new_database

ATTENDEES = 60
OTHER = "other-event"

Publish = Callable[..., Awaitable[list[int]]]


class Demo(Struct, frozen=True):
    """The sample event as loaded into every test's database."""

    file: DemoFile
    attendees: list[dict[str, str]]
    """Lines of `attendees.csv` by column."""

    def device(self, number: int = 0) -> str:
        return self.file.devices[number].token

    def badge(self, number: int = 0) -> str:
        return self.attendees[number]["badge_code"]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A run in the background of a script inherits an ignored SIGINT, and would hand it on to what it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a PostgreSQL that is fast because it may lose everything."""
    with EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres"), durable=False, settings={"max_connections": "200"}
    ) as server:
        yield server.start()


@pytest.fixture(scope="session")
async def template(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The sample event, small, in a database that is only copied."""
    folder = tmp_path_factory.mktemp("demo")
    await administer(postgres, f'CREATE DATABASE "{TEMPLATE}"')
    url = database_of(postgres, TEMPLATE)
    await migrate(url, durable=False)
    async with open_database(url, size=1, name="tests") as db:
        options = Options(attendees=ATTENDEES, exhibitors=6, seed=7, starts_on=date(2026, 12, 18))
        file = await load.load_demo(
            db, options, None, lambda event_id: folder_of(folder, event_id), lambda _done, _of: None
        )
    lines = next(folder.glob("demo/*/attendees.csv")).read_text(encoding="utf-8").splitlines()
    return Demo(file, list(csv.DictReader(lines)))


@pytest.fixture
async def database_url(postgres: str, template: Demo) -> AsyncIterator[str]:
    """A database of the test's own with the sample event in it."""
    async with new_database(postgres, template=TEMPLATE) as url:
        yield url


@pytest.fixture(scope="session")
async def one_database(postgres: str, template: Demo) -> AsyncIterator[str]:
    """The one that tests share which put back what they change: see `tests/databases.py`."""
    async with copied_database(postgres) as url:
        yield url


@pytest.fixture
async def empty_database_url(postgres: str) -> AsyncIterator[str]:
    """A database of the test's own with nothing in it."""
    async with new_database(postgres) as url:
        yield url


@pytest.fixture
def demo(template: Demo) -> Demo:
    return template


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4, name="test") as database:
        yield database


@pytest.fixture
async def event_id(db: Database) -> UUID:
    """The sample event's."""
    async with db.read() as connection:
        event = await get_event_by_slug(connection, load.SLUG)
    assert event is not None
    return event.event_id


@pytest.fixture
def publish(db: Database, event_id: UUID) -> Publish:
    """Appends events to a channel, each in a transaction of its own; returns where they went."""

    async def publish(channel: str = "announcements", count: int = 1, data: object = "hello") -> list[int]:
        places = []
        for _ in range(count):
            async with db.tx() as tx:
                places.append((await emit(tx, event_id, channel=channel, kind="test.happened", data=data)).seq)
        return places

    return publish


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, data_dir=tmp_path, durable=False, drain_seconds=0.2)


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, which runs in this loop; its base is the sample event."""
    async with running_api(settings) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        yield client


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[str]:
    """The URL of the sample event's live feed, whose gateway runs in this loop."""
    async with running_gateway(settings) as url:
        yield url


@pytest.fixture
async def stranger(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """A second event in the same database, with tokens and badges of its own."""
    monkeypatch.setattr(load, "SLUG", OTHER)
    options = Options(attendees=5, exhibitors=3, seed=9, starts_on=date(2026, 12, 18))
    file = await load.load_demo(db, options, None, lambda _event_id: tmp_path / "other", lambda _done, _of: None)
    return Demo(file, [first_attendee(tmp_path / "other")])


@asynccontextmanager
async def running_api(settings: Settings) -> AsyncIterator[str]:
    """One API process' worth of server; yields the sample event's URL."""
    listening, child = _listen(), Child()
    task = asyncio.create_task(run_api(settings, listening, child))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/events/{load.SLUG}"
    finally:
        child.stopping.set()
        await task
        listening.close()


@asynccontextmanager
async def running_gateway(settings: Settings) -> AsyncIterator[str]:
    """One gateway process' worth of server; yields the feed's URL."""
    listening, child = _listen(), Child()
    task = asyncio.create_task(run_gateway(settings, listening, child))
    try:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/v1/events/{load.SLUG}/live"
    finally:
        child.stopping.set()
        await task
        listening.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _listen() -> socket.socket:
    # asyncio sends small answers at once (TCP_NODELAY) only where it sees from the protocol's number that this is TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(100)
    return listening
