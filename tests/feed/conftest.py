"""Two events in one database, whose logs are empty."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from server.db import Database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug, insert_event
from server.ids import new_id
from tests.databases import database_url

__all__ = ["database_url"]


@pytest.fixture
async def other_event_id(db: Database) -> UUID:
    """An event that has nothing to do with the first, and no channels yet."""
    async with db.tx() as tx:
        event = await get_event_by_slug(tx, SLUG)
        assert event is not None
        other = msgspec.structs.replace(event, event_id=new_id(), slug="elsewhere")
        await insert_event(tx, other)
    return other.event_id
