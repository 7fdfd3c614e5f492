"""An event in which nothing has been announced, its organizer, and its announcements by the back door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from server.db import Database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug
from tests.announcement.speaking import Speaker, Table
from tests.conftest import Demo
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
def organizer(api: httpx.AsyncClient, demo: Demo) -> Speaker:
    return Speaker(api, demo.file.organizer_token)


@pytest.fixture
def table(db: Database, event_id: UUID) -> Table:
    return Table(db, event_id)
