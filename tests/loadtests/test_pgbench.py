"""The yardstick inserts the row that the server writes."""

from __future__ import annotations

from typing import Any

import httpx

from loadtests import pgbench
from loadtests.database import DOOR
from server.db import Database
from tests.conftest import Demo, bearer

OF_THEIR_OWN = {"device_id", "gate_id", "scan_id", "attendee_id", "code", "received_at", "at"}
"""Columns that differ from scan to scan."""
AS_LONG = ("device_id", "gate_id", "scan_id", "attendee_id", "code")


async def test_the_row_is_the_one_the_server_writes_for_an_admission(
    api: httpx.AsyncClient, db: Database, demo: Demo
) -> None:
    async with db.tx() as tx:
        door = pgbench.Door(*await tx.fetchrow(DOOR))
    body = {"scan_id": "00000000-0000-4000-8000-000000000001", "list": "main", "code": demo.badge()}
    answer = await api.post("/checkins", json=body, headers=bearer(demo.device()))
    assert answer.json()["outcome"] == "admitted"

    insert = pgbench.script(door).splitlines()[-1]
    for name, number in zip((":scan", ":person"), pgbench.DIGITS, strict=True):
        insert = insert.replace(name, str(number))
    async with db.tx() as tx:
        for statement in pgbench.RECREATE[:2]:
            await tx.execute(statement)
        await tx.execute(insert)
        own = await tx.fetchrow(f"SELECT * FROM {pgbench.TABLE}")  # noqa: S608 - a constant
        servers = await tx.fetchrow("SELECT * FROM scan")
    assert common(own) == common(servers)
    assert [len(str(own[name])) for name in AS_LONG] == [len(str(servers[name])) for name in AS_LONG]


def common(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OF_THEIR_OWN}
