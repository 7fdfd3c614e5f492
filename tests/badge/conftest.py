"""What tests about badges stand on."""

from __future__ import annotations

from typing import Any

import pytest

from server.db import Database
from server.event.queries import get_event_by_slug


@pytest.fixture
async def event_id(db: Database) -> Any:
    async with db.read() as connection:
        event = await get_event_by_slug(connection, "digital-now")
    assert event is not None
    return event.event_id
