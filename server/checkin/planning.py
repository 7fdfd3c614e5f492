"""What to log for scans that need a look at the log, given what stands there. Pure.

A plan takes the scans in the order of their arrival. As soon as somebody passes because the server says so, the plan stops for
that person: what comes after depends on whether the log takes it, and is planned next time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from server.checkin.history import Standing, seats, stand
from server.checkin.policy import decide, settle
from server.checkin.types import CountChange, CountRow, Fact, PersonKey, Scan

NO_SESSION = UUID(int=0)
NOW = datetime.max.replace(tzinfo=UTC)
"""When something happens that the database has not dated yet: after everything else."""


class Plan(Struct, frozen=True):
    scans: list[Scan]
    """With the answers they will get."""
    changes: list[CountChange]
    facts: dict[PersonKey, dict[int, Fact]]
    """Everybody's facts by turn, for the answers that speak of one."""


class Planner:
    """One plan in the making."""

    def __init__(self, facts: Iterable[Fact], counts: Iterable[CountRow]) -> None:
        self._facts: defaultdict[PersonKey, list[Fact]] = defaultdict(list)
        for fact in facts:
            self._facts[fact.person].append(fact)
        self._inside = Counter({(row.event_id, row.list_id, row.session_id): row.inside for row in counts})
        self._changes: Counter[tuple[UUID, UUID, UUID, bool]] = Counter()
        self._capacities: dict[UUID, int | None] = {}
        self._reseated: dict[tuple[UUID, UUID, UUID], int] = {}
        """How many were inside when an undone exit gave somebody back a seat, which may be one more than there are."""
        self._passed: set[PersonKey] = set()
        self._scans: list[Scan] = []

    def add(self, scan: Scan) -> None:
        """Plans one scan, or leaves it for later."""
        if scan.counted:
            self._capacities[scan.list_id] = scan.capacity
        if scan.attendee_id is None or (scan.outcome == "refused" and scan.turn is None):
            self._scans.append(scan)
        elif scan.person not in self._passed:
            self._scans.append(self._place(scan))

    def _place(self, scan: Scan) -> Scan:
        known = self._facts[scan.person]
        reentry = {scan.list_id: scan.reentry}
        before = stand(known, reentry)
        turn = max((fact.turn for fact in known), default=0)
        if scan.decided is not None:
            return self._settle(scan, known, before, turn)
        if scan.undoes is not None:
            planned = msgspec.structs.replace(scan, turn=turn + 1)
        else:
            inside = self._inside[(scan.event_id, scan.list_id, scan.session_id or NO_SESSION)]
            planned = decide(scan, before, turn, inside)
        if planned.passes:
            self._passed.add(scan.person)
            self._count(planned, before, stand([*known, as_fact(planned)], reentry))
        return planned

    def _settle(self, scan: Scan, known: list[Fact], before: Standing, turn: int) -> Scan:
        reentry = {scan.list_id: scan.reentry}
        fact = as_fact(msgspec.structs.replace(scan, turn=turn + 1))
        known.append(fact)
        after = stand(known, reentry)
        conflict = any(fact.key in (one.key, other.key) for one, other in after.conflicts)
        planned = settle(scan, after.roles[fact.key], turn, conflict=conflict)
        self._count(planned, before, after)
        return planned

    def _count(self, scan: Scan, before: Standing, after: Standing) -> None:
        if not scan.counted:
            return
        change = Counter(seats(after))
        change.subtract(seats(before))
        for (list_id, session_id, offline), people in change.items():
            if people:
                key = (scan.event_id, list_id, session_id or NO_SESSION)
                self._inside[key] += people
                self._changes[(*key, offline)] += people
                if scan.undoes is not None and people > 0:
                    self._reseated[key] = self._inside[key]

    def plan(self) -> Plan:
        keys = sorted({key[:3] for key, people in self._changes.items() if people})
        changes = [
            CountChange(*key, self._changes[(*key, False)], self._changes[(*key, True)], self._ceiling(key))
            for key in keys
        ]
        return Plan(
            self._scans,
            changes,
            {person: {fact.turn: fact for fact in facts} for person, facts in self._facts.items()},
        )

    def _ceiling(self, key: tuple[UUID, UUID, UUID]) -> int | None:
        capacity = self._capacities.get(key[1])
        return None if capacity is None else max(capacity, self._reseated.get(key, 0))


def make_plan(scans: Sequence[Scan], facts: Iterable[Fact], counts: Iterable[CountRow]) -> Plan:
    """The plan for scans in the order of their arrival."""
    planner = Planner(facts, counts)
    for scan in scans:
        planner.add(scan)
    return planner.plan()


def as_fact(scan: Scan) -> Fact:
    """What a scan will be in the log once it has its turn."""
    assert scan.attendee_id is not None and scan.turn is not None  # noqa: S101, PT018 - only somebody known passes
    return Fact(
        scan.event_id,
        scan.area_id,
        scan.attendee_id,
        scan.turn,
        scan.device_id,
        scan.scan_id,
        scan.list_id,
        scan.session_id,
        scan.gate_id,
        scan.direction,
        scan.at or NOW,
        scan.decided is not None,
        scan.undoes,
    )
