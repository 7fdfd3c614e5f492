"""What a scenario asks the server's database directly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from loadtests import pgbench
from loadtests.evidence import Row

DOOR = """
    SELECT device.event_id, device.device_id, checkin_list.list_id, device.gate_id, badge.code
    FROM device JOIN checkin_list USING (event_id) JOIN badge USING (event_id)
    WHERE checkin_list.key = 'main' ORDER BY device.name LIMIT 1
"""

LOG = """
    SELECT device.name, scan.scan_id, scan.area_id::text, scan.attendee_id::text, scan.code, scan.direction,
           scan.outcome, scan.reason, scan.turn
    FROM scan JOIN device USING (event_id, device_id)
"""

TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'digitalnow'"


def execute(dsn: str, statements: Sequence[str]) -> None:
    """Runs statements one after the other, each by itself."""

    async def work(connection: Any) -> None:
        for statement in statements:
            await connection.execute(statement)

    _with_connection(dsn, work)


def fetch(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    found: list[tuple[Any, ...]] = []

    async def work(connection: Any) -> None:
        found.extend(tuple(row) for row in await connection.fetch(statement))

    _with_connection(dsn, work)
    return found


def transactions(dsn: str) -> int:
    """How many the server's database has seen; asked from another database, so that the question does not count."""
    count: int = fetch(dsn.replace("/digitalnow?", "/postgres?"), TRANSACTIONS)[0][0]
    return count


def door_of(dsn: str) -> pgbench.Door:
    """The constants of the demo event's rows in `scan`."""
    return pgbench.Door(*fetch(dsn, DOOR)[0])


def log_of(dsn: str) -> list[Row]:
    """Every scan that the log has, in no order."""
    return [Row(*row) for row in fetch(dsn, LOG)]


def sockets_of(dsn: str) -> tuple[Path, str]:
    """The folder of the Unix socket, and the database's name."""
    parts = urlsplit(dsn)
    return Path(parse_qs(parts.query)["host"][0]), parts.path.strip("/")


def _with_connection(dsn: str, work: Any) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn, command_timeout=120)
        try:
            await work(connection)
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(run())
