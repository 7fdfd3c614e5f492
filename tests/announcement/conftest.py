"""An event in which nothing has been announced, its organizer, and its announcements by the back door."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from server.db import Database
from tests.announcement.speaking import Speaker, Table
from tests.conftest import Demo
from tests.databases import database_url

__all__ = ["database_url"]


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Speaker:
    return Speaker(api, demo.file.organizer_token)


@pytest.fixture
def table(db: Database, event_id: UUID) -> Table:
    return Table(db, event_id)
