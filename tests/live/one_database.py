"""A database for a whole folder of tests: what they change is put back, which is quicker than another copy for each."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.conftest import TEMPLATE, _administer, _database

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
async def copied_database(postgres: str) -> AsyncIterator[str]:
    """The URL of a database with the sample event in it."""
    name = f"test_{uuid.uuid4().hex}"
    await _administer(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY file_copy')
    url = _database(postgres, name)
    await _administer(url, "CREATE TABLE device_before AS SELECT device_id, token_hash, paired_at FROM device")
    await _administer(url, "CREATE TABLE channel_before AS SELECT event_id, channel FROM feed_channel")
    yield url
    await _administer(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


async def put_back(url: str) -> None:
    """Empties the logs, which thereby become other ones, and lets every token be good again."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(PUT_BACK)
    finally:
        await connection.close()
