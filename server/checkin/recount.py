"""How many are inside, counted anew from the log: for a list that gets a capacity after people have gone in.

A list without one is not counted (see `checkin_count` in the schema), so its count begins here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from server.checkin import queries
from server.checkin.history import seats, stand
from server.checkin.types import Fact
from server.db import Tx

CHUNK = 2000
"""Facts read at a time: others' scans go in between."""


async def recount(tx: Tx, event_id: UUID, list_id: UUID, *, capacity: int) -> None:
    """Sets the count of a list that is no room's. Until the transaction ends, scans at this list wait."""
    await queries.lock_count(tx, event_id, list_id)
    counts = Counter[bool]()
    person: list[Fact] = []
    async for facts in queries.iterate_area_facts(tx, event_id, list_id, chunk=CHUNK):
        for fact in facts:
            if person and fact.attendee_id != person[0].attendee_id:
                _add(counts, person)
                person = []
            person.append(fact)
        await asyncio.sleep(0)
    _add(counts, person)
    await queries.set_count(tx, event_id, list_id, granted=counts[False], merged=counts[True], capacity=capacity)


def _add(counts: Counter[bool], facts: list[Fact]) -> None:
    for (_, _, offline), people in seats(stand(facts, {})).items():
        counts[offline] += people
