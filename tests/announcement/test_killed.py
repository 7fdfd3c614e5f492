"""Processes that publish, one of which is killed outright in the middle of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.announcement.speaking import Table
from tests.waiting import until_answered

CHECKOUT = Path(__file__).resolve().parents[2]
MANY = 200
PROCESS = """
import asyncio, sys
from server.announcement.clock import Clock
from server.db import open_database

async def run():
    async with open_database(sys.argv[1], size=2, name="test process") as db, Clock(db).run():
        await asyncio.Event().wait()

asyncio.run(run())
"""


@asynccontextmanager
async def process(database_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One with a clock, killed at the end if not before."""
    started = await asyncio.create_subprocess_exec(sys.executable, "-c", PROCESS, database_url, cwd=CHECKOUT)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_who_is_killed_in_the_middle_is_made_up_for(table: Table, database_url: str) -> None:
    scheduled = await table.schedule(MANY)
    await table.let_time_pass()
    async with process(database_url) as first:
        await until_answered(lambda: table.has_told(10), wanted=True)
        first.kill()
        await first.wait()
        assert not await table.told_once(scheduled), "it was in the middle"
    async with process(database_url), process(database_url):
        await until_answered(lambda: table.told_once(scheduled), wanted=True)
    assert set((await table.statuses()).values()) == {"published"}
