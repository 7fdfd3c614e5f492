"""The gateways that phones talk to, within reach of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from server.auth import Kind, Principal
from server.config import Settings
from server.db import Database
from server.feed import watch
from server.live import __main__ as gateway_process, ticket as tickets
from server.live.gateway import Gateway
from server.migrate import ticket_key
from server.principals import Principals
from tests.conftest import running_gateway
from tests.databases import database_url
from tests.waiting import until

__all__ = ["database_url"]

TicketFor = Callable[[Kind, str], Awaitable[str]]


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
