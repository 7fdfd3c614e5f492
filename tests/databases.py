"""Databases of the tests' own: empty ones, copies of the sample event, and one that many tests share.

What tests change in the shared one is put back, which is quicker than another copy for each.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

TEMPLATE = "digitalnow_template"
"""The sample event, which is only copied."""

PUT_BACK = """
    TRUNCATE feed_event, feed_state;
    DELETE FROM event WHERE slug <> 'digital-now';
    DELETE FROM feed_channel WHERE (event_id, channel) NOT IN (SELECT event_id, channel FROM channel_before);
    UPDATE attendee
    SET speaker_id = NULL, cancelled_at = NULL, rights_at = NULL
    WHERE rights_at IS NOT NULL OR speaker_id IS NOT NULL OR cancelled_at IS NOT NULL;
    DELETE FROM announcement;
    UPDATE feed_channel SET seq = 0, epoch = md5(random()::text);
    DELETE FROM device WHERE device_id NOT IN (SELECT device_id FROM device_before);
    UPDATE device
    SET revoked_at = NULL, pairing_hash = NULL, pairing_expires_at = NULL, token_hash = before.token_hash,
        paired_at = before.paired_at
    FROM device_before AS before
    WHERE before.device_id = device.device_id;
    UPDATE exhibitor_staff SET revoked_at = NULL;
    UPDATE organizer SET revoked_at = NULL;
"""


@asynccontextmanager
async def new_database(server: str, *, template: str = "template1") -> AsyncIterator[str]:
    """The URL of a database that lasts as long as the block, empty or a copy of another."""
    name = f"test_{uuid.uuid4().hex}"
    # As files: a tenth of what it takes to copy it block by block through the log, as PostgreSQL does unless it is told.
    await administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    try:
        yield database_of(server, name)
    finally:
        await administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def copied_database(server: str) -> AsyncIterator[str]:
    """The URL of a copy of the sample event that `put_back` can put back."""
    async with new_database(server, template=TEMPLATE) as url:
        await administer(
            url,
            "CREATE TABLE device_before AS SELECT device_id, token_hash, paired_at FROM device",
            "CREATE TABLE channel_before AS SELECT event_id, channel FROM feed_channel",
        )
        yield url


async def put_back(url: str) -> None:
    """Empties the logs, which thereby become other ones, and lets every token be good again."""
    await administer(url, PUT_BACK)


@pytest.fixture
async def database_url(one_database: str) -> str:
    """The sample event, in which nothing has happened: for the `conftest.py` of folders whose changes `put_back` knows."""
    await put_back(one_database)
    return one_database


def database_of(server: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


async def administer(url: str, *statements: str) -> None:
    """Runs statements over a connection of their own."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
