"""Holds what scanners were told against what the log says. Pure: the same evidence gives the same verdict.

A scanner that was told nothing (the connection broke, 503) claims nothing; its scan may or may not be in the log. Whether the
answers fit the moments at which they came is `linearizability`'s question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

ScanKey = tuple[str, str]
"""Device and scan id: what makes a scan the same scan."""


class Asked(Struct, frozen=True):
    """One scan as its device sent it, each time with the same words."""

    device: str
    scan_id: str
    code: str
    direction: str

    @property
    def key(self) -> ScanKey:
        return (self.device, self.scan_id)


class Told(Struct, frozen=True):
    """An answer that reached the device: status 200 and all of its body."""

    asked: Asked
    outcome: str
    reason: str | None
    body: bytes
    began: float = 0.0
    ended: float = 0.0
    """When the question was sent and the answer was there, by the clock of whoever keeps the record."""


class Row(Struct, frozen=True):
    """A row of the table `scan`."""

    device: str
    scan_id: str
    area_id: str
    attendee_id: str | None
    code: str
    direction: str
    outcome: str
    reason: str | None
    turn: int | None


class Violation(Struct, frozen=True):
    """A promise that was broken: `kind` names it."""

    kind: str
    """Here: lost, contradicted, altered, changed_answer, admitted_twice, broken_turns. Of `linearizability`: impossible. Of
    `seats`: over, under. Of `screens`: count, occupancy, statistics. Of `duplicate_storm`: not_once. Of `capacity`: not_full."""
    what: str


def check(told: Sequence[Told], rows: Sequence[Row]) -> list[Violation]:
    """Everything that should not be, in no particular order. `told` comes in the order in which it was heard."""
    return [*_check_log(told, rows), *_check_answers(told), *_check_turns(rows)]


def _check_log(told: Iterable[Told], rows: Iterable[Row]) -> list[Violation]:
    """What was answered is in the log, as it was asked and as it was answered."""
    logged = {(row.device, row.scan_id): row for row in rows}
    found = {}
    for each in told:
        row = logged.get(each.asked.key)
        name = _name(each.asked.key)
        if row is None:
            found[each.asked.key] = Violation("lost", f"{name} was answered {each.outcome} and is not in the log")
        elif (row.outcome, row.reason) != (each.outcome, each.reason):
            found[each.asked.key] = Violation("contradicted", f"{name} was answered {each.outcome}; log: {row.outcome}")
        elif (row.code, row.direction) != (each.asked.code, each.asked.direction):
            found[each.asked.key] = Violation("altered", f"{name} is in the log with another badge or direction")
    return list(found.values())


def _check_answers(told: Iterable[Told]) -> list[Violation]:
    """The same question gets the same answer, to the letter."""
    first: dict[ScanKey, bytes] = {}
    changed = {each.asked.key for each in told if first.setdefault(each.asked.key, each.body) != each.body}
    return [Violation("changed_answer", f"{_name(key)} was answered in two ways") for key in sorted(changed)]


def _check_turns(rows: Iterable[Row]) -> list[Violation]:
    """A person's turns in an area are 1, 2, 3 … without a gap. Taken one after the other at one list, as these scanners do who
    always ask first and never undo, they are in, out, in, out …"""
    passings: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.turn is not None and row.attendee_id is not None:
            passings[(row.area_id, row.attendee_id)].append(row)
    found = []
    for (_, person), passed in passings.items():
        passed.sort(key=lambda row: row.turn or 0)
        turns = [row.turn for row in passed]
        outcomes = [row.outcome for row in passed]
        if turns != list(range(1, len(turns) + 1)):
            found.append(Violation("broken_turns", f"the turns of {person} are {turns}"))
        elif any(one == other == "admitted" for one, other in pairwise(outcomes)):
            found.append(Violation("admitted_twice", f"{person} was admitted again without having left"))
        elif outcomes != [("admitted", "exited")[place % 2] for place in range(len(outcomes))]:
            found.append(Violation("broken_turns", f"{person} left without having been inside: {outcomes}"))
    return found


def _name(key: ScanKey) -> str:
    return f"scan {key[1]} of {key[0]}"
