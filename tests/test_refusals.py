"""What a transaction makes of a constraint that is violated."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from server.db import Database, Refusals, Tx
from server.device.queries import insert_gate
from server.ids import new_id

GATE = "Porte qui n’est pas encore là"


class Taken(Exception):
    """There is one already."""


async def _make_twice(db: Database, refusals: Refusals) -> None:
    async with db.tx(refusals) as tx:
        event_id: UUID = await tx.fetchval("SELECT event_id FROM event")
        for _ in range(2):
            await insert_gate(tx, event_id, gate_id=new_id(), name=GATE)


async def _gates(tx: Tx) -> int:
    found: int = await tx.fetchval("SELECT count(*) FROM gate WHERE name = $1", GATE)
    return found


async def test_a_constraint_is_refused_by_its_name(db: Database) -> None:
    with pytest.raises(Taken) as refused:
        await _make_twice(db, {"gate_name": Taken})
    assert isinstance(refused.value.__cause__, asyncpg.UniqueViolationError)
    async with db.read() as connection:
        assert await _gates(connection) == 0, "nothing of a refused transaction stays"


@pytest.mark.parametrize("refusals", [{}, {"device_name": Taken}])
async def test_any_other_one_stays_what_it_is(db: Database, refusals: Refusals) -> None:
    """A mistake of ours must be logged whole, not told to a client as theirs."""
    with pytest.raises(asyncpg.UniqueViolationError) as violated:
        await _make_twice(db, refusals)
    assert violated.value.constraint_name == "gate_name"
    assert violated.value.__cause__ is None
