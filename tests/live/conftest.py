"""Phones on real sockets, and the gateways they talk to, within reach of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.auth import Kind, Principal
from server.config import Settings
from server.db import Database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug
from server.feed import emit, watch
from server.live import __main__ as gateway_process, ticket as tickets
from server.live.gateway import Gateway
from server.migrate import ticket_key
from server.principals import Principals
from tests.conftest import Demo, running_gateway
from tests.live.one_database import copied_database, put_back
from tests.waiting import PATIENCE, until

Frame = dict[str, Any]
Publish = Callable[..., Awaitable[list[int]]]
TicketFor = Callable[[Kind, str], Awaitable[str]]


class Phone:
    """A client as an app has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, frame: Frame | str | bytes) -> None:
        await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def hello(self, *channels: str | Frame, ticket: str | None = None) -> Frame:
        """Introduces itself and returns the `ready` frame."""
        wanted = [{"name": one} if isinstance(one, str) else one for one in channels]
        await self.say({"type": "hello", "version": 1, "ticket": ticket, "channels": wanted})
        return await self.frame("ready")

    async def text(self) -> str:
        """The next frame as it came, heartbeats left out: they come between any two others."""
        while True:
            message = await self.raw()
            if not message.startswith('{"type":"heartbeat"'):
                return message

    async def raw(self) -> str:
        async with asyncio.timeout(PATIENCE):
            message = await self.socket.recv()
        assert isinstance(message, str), "the feed sends text frames only"
        return message

    async def frame(self, kind: str) -> Frame:
        """The next frame but heartbeats, which is of this type."""
        frame: Frame = json.loads(await self.text())
        assert frame["type"] == kind, frame
        return frame

    async def events(self, count: int) -> list[Frame]:
        return [await self.frame("event") for _ in range(count)]

    async def ending(self) -> tuple[int, list[Frame]]:
        """The close code, and the frames that came before it, heartbeats left out."""
        frames: list[Frame] = []
        try:
            while True:
                frames.append(json.loads(await self.text()))
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else 1006), frames


@asynccontextmanager
async def phone(url: str, **options: Any) -> AsyncIterator[Phone]:
    """A connected phone that has not said hello yet."""
    # Without a bound to its queue, as a phone that has stopped reading could not hear the end of its own good-bye.
    options = {
        "compression": None,
        "ping_interval": None,
        "proxy": None,
        "max_queue": None,
        "max_size": None,
        **options,
    }
    async with connect(url, **options) as socket:
        yield Phone(socket)


def at(channel: str, epoch: str, seq: int) -> Frame:
    """A channel asked for from a position."""
    return {"name": channel, "epoch": epoch, "seq": seq}


@pytest.fixture(scope="session")
async def one_database(postgres: str, template: Demo) -> AsyncIterator[str]:
    async with copied_database(postgres) as url:
        yield url


@pytest.fixture
async def database_url(one_database: str) -> str:
    """The sample event, in which nothing has happened."""
    await put_back(one_database)
    return one_database


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at the table that makes up for lost hints comes without waiting for its second."""
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.02)


@pytest.fixture
def gateways(monkeypatch: pytest.MonkeyPatch) -> list[Gateway]:
    """Every gateway that starts during the test, to look into."""
    started: list[Gateway] = []

    class Seen(Gateway):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(gateway_process, "Gateway", Seen)
    return started


@pytest.fixture
async def feed(gateways: list[Gateway], settings: Settings) -> AsyncIterator[str]:
    """The URL of the sample event's feed; its gateway is the first of `gateways`."""
    async with running_gateway(settings) as url:
        await until(lambda: gateways)
        yield url


@pytest.fixture
async def event_id(db: Database) -> UUID:
    async with db.read() as connection:
        event = await get_event_by_slug(connection, SLUG)
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
async def key(database_url: str) -> bytes:
    return await ticket_key(database_url)


@pytest.fixture
def ticket_for(db: Database, event_id: UUID, key: bytes) -> TicketFor:
    """A ticket for the holder of a token, as the API would give it out."""

    async def ticket_for(kind: Kind, token: str) -> str:
        principal = await Principals(db).find(event_id, kind, token)
        assert isinstance(principal, Principal)
        return tickets.issue(key, principal)

    return ticket_for
