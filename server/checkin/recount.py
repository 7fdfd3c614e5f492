"""How many are inside, counted anew from the log: for a list that gets a capacity after people have gone in.

A list without one is not counted (see `checkin_count` in the schema), so its count begins here.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from server.checkin import queries
from server.checkin.history import seats, stand
from server.db import Tx

CHUNK = 2000
"""Facts read at a time."""


async def recount(tx: Tx, event_id: UUID, list_id: UUID, *, capacity: int) -> None:
    """Sets the count of a list that is no room's. Until the transaction ends, scans at this list wait."""
    await queries.lock_count(tx, event_id, list_id)
    counts = Counter[bool]()
    async for facts in queries.iterate_people(tx, event_id, area_id=list_id, chunk=CHUNK):
        for (_, _, offline), people in seats(stand(facts, {})).items():
            counts[offline] += people
    await queries.set_count(tx, event_id, list_id, granted=counts[False], merged=counts[True], capacity=capacity)
