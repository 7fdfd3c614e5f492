"""How many were inside a list of limited seats at each moment, from the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from msgspec import Struct

from loadtests.evidence import Violation

NUMBER_ROWS = ["ALTER TABLE scan ADD COLUMN written bigint GENERATED ALWAYS AS IDENTITY"]
"""For a database of the load test's own: its log then knows the order in which rows were written."""

ROWS = """
    SELECT scan.xmin::text, scan.outcome, scan.reason
    FROM scan JOIN checkin_list USING (event_id, list_id)
    WHERE checkin_list.key = '{key}' ORDER BY written
"""
"""With the list's key filled in: its passings, for `Passing`."""

EFFECTS = {"admitted": 1, "exited": -1}


class Passing(Struct, frozen=True):
    """A row of the log, with what tells its place among the others."""

    transaction: str
    outcome: str
    reason: str | None


def course(rows: Iterable[Passing]) -> list[int]:
    """How many were inside after each transaction. `rows` come in the order in which they were written.

    A transaction that changes how many are inside holds the count's lock while it writes, so its rows come before or behind those
    of any other. One in which as many come as leave needs no lock: its rows may lie among others', but they change nothing.
    """
    effects: dict[str, int] = {}
    for row in rows:
        effects[row.transaction] = effects.pop(row.transaction, 0) + EFFECTS.get(row.outcome, 0)
    return list(accumulate(effects.values()))


def check(rows: Sequence[Passing], capacity: int) -> list[Violation]:
    """Moments at which more were inside than there are seats, or fewer than nobody."""
    return [
        Violation("over" if inside > capacity else "under", f"{inside} people in {capacity} seats")
        for inside in course(rows)
        if not 0 <= inside <= capacity
    ]
