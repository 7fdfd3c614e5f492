"""Holds what scanners were told against what the log says. Pure: the same evidence gives the same verdict.

A scanner that was told nothing (the connection broke, 503) claims nothing; its scan may or may not be in the log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

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


class Row(Struct, frozen=True):
    """A row of the table `scan`."""

    device: str
    scan_id: str
    list_id: str
    attendee_id: str | None
    code: str
    direction: str
    outcome: str
    reason: str | None
    stay: int | None


class Violation(Struct, frozen=True):
    """A promise that was broken: `kind` names it."""

    kind: str
    """lost, contradicted, altered, changed_answer, admitted_twice, broken_stays."""
    what: str


def check(told: Sequence[Told], rows: Sequence[Row]) -> list[Violation]:
    """Everything that should not be, in no particular order. `told` comes in the order in which it was heard."""
    return [*_check_log(told, rows), *_check_answers(told), *_check_stays(rows)]


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


def _check_stays(rows: Iterable[Row]) -> list[Violation]:
    """A person's stays on a list are 1, 2, 3 …, each begun once, ended at most once, and ended before the next."""
    entries: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    exits: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for row in rows:
        if row.attendee_id is not None and row.stay is not None and row.outcome in ("admitted", "exited"):
            kind = entries if row.outcome == "admitted" else exits
            kind[(row.list_id, row.attendee_id)][row.stay] += 1
    found = []
    for person in entries.keys() | exits.keys():
        begun, ended = entries[person], exits[person]
        if begun and max(begun.values()) > 1:
            found.append(Violation("admitted_twice", f"{person[1]} was admitted twice into one stay"))
        if sorted(begun) != list(range(1, len(begun) + 1)):
            found.append(Violation("broken_stays", f"the stays of {person[1]} are {sorted(begun)}"))
        if any(count > 1 or stay not in begun for stay, count in ended.items()):
            found.append(Violation("broken_stays", f"{person[1]} left a stay twice, or one never begun"))
        if any(stay not in ended for stay in list(begun) if stay < len(begun)):
            found.append(Violation("admitted_twice", f"{person[1]} was admitted again without having left"))
    return found


def _name(key: ScanKey) -> str:
    return f"scan {key[1]} of {key[0]}"
