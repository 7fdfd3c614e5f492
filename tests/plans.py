"""How PostgreSQL would answer in a crowd: a look at the plan, not at a clock."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.databases import TEMPLATE, new_database


@asynccontextmanager
async def crowded_event(postgres: str, crowd: str) -> AsyncIterator[Any]:
    """A connection to a copy of the sample event after these statements, which fill it."""
    async with new_database(postgres, template=TEMPLATE) as url:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(crowd)
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def taken_back(connection: Any, change: str) -> AsyncIterator[None]:
    """Without an index, say, for the length of the block."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(change)
        yield
    finally:
        await transaction.rollback()


async def generic_plan(connection: Any, sql: str) -> str:
    """How PostgreSQL would run a statement whatever its values are: what a pooled connection comes to after five runs."""
    count = max((int(number) for number in re.findall(r"\$(\d+)", sql)), default=0)
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE looked_at AS {sql}")
    try:
        lines = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE looked_at{values}")
    finally:
        await connection.execute("DEALLOCATE looked_at")
    return "\n".join(line for (line,) in lines)


def read_whole(plan: str, big: Collection[str]) -> list[str]:
    """The big tables of which a plan reads all, or all of an event: no index, or one that is asked for the event alone.

    What a bitmap was asked for stands twice, and once right below the table: as what is checked again.
    """
    found = []
    lines = plan.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        scan = re.search(r"(Seq|Index|Index Only|Bitmap Heap) Scan(?: Backward)?(?: using \w+)? on (\w+)", line)
        if scan and scan[2] in big:
            condition = re.search(r"(?:Index|Recheck) Cond: (.*)", following)
            if scan[1] == "Seq" or condition is None or re.fullmatch(r"\(event_id = [^()]*\)", condition[1]):
                found.append(scan[2])
    return found
