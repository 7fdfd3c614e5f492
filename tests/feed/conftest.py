"""Two events in one database, whose logs are empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from server.db import Database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug, insert_event
from server.ids import new_id
from tests.conftest import Demo
from tests.live.conftest import publish
from tests.live.one_database import copied_database, put_back


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
async def event_id(db: Database) -> UUID:
    async with db.read() as connection:
        event = await get_event_by_slug(connection, SLUG)
    assert event is not None
    return event.event_id


@pytest.fixture
async def other_event_id(db: Database) -> UUID:
    """An event that has nothing to do with the first, and no channels yet."""
    async with db.tx() as tx:
        event = await get_event_by_slug(tx, SLUG)
        assert event is not None
        other = msgspec.structs.replace(event, event_id=new_id(), slug="elsewhere")
        await insert_event(tx, other)
    return other.event_id


__all__ = ["publish"]  # the same as for the gateway
