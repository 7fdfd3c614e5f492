"""Processes that publish, one of which is killed outright in the middle of it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.announcement.speaking import Table
from tests.waiting import until_answered

CHECKOUT = Path(__file__).resolve().parents[2]
MANY = 20
PROCESS = """
import asyncio, os, signal, sys
from server.announcement import actions
from server.announcement.clock import Clock
from server.db import open_database

emit, told = actions.emit, []

async def emit_and_die(*arguments, **more):
    emitted = await emit(*arguments, **more)
    told.append(emitted)
    if len(told) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return emitted

actions.emit = emit_and_die

async def run():
    async with open_database(sys.argv[1], size=2, name="test process") as db, Clock(db).run():
        await asyncio.Event().wait()

asyncio.run(run())
"""


@asynccontextmanager
async def process(database_url: str, dies_at: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    """One with a clock: killed when it has told so many and not committed the last, else at the end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, database_url, str(dies_at), cwd=CHECKOUT
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_who_is_killed_in_the_middle_is_made_up_for(table: Table, database_url: str) -> None:
    scheduled = await table.schedule(MANY)
    await table.let_time_pass()
    async with process(database_url, MANY // 2) as first:
        assert await first.wait() == -signal.SIGKILL
    assert len(await table.told()) == MANY // 2 - 1, "the last one was not committed"
    async with process(database_url), process(database_url):
        await until_answered(lambda: table.told_once(scheduled), wanted=True)
    assert set((await table.statuses()).values()) == {"published"}
