"""Where a person is, and what of their scans does not go together: a pure function of the facts, whatever order they came in.

The facts of one person in one area are put in the order of `at` (ties by device and scan id) and walked through. An entry into
the place where the person already is repeats the one before: the earliest is the admission. An entry elsewhere in the area moves
them. Facts that were undone are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal
from uuid import UUID

from msgspec import Struct

from server.checkin.types import Fact

Place = tuple[UUID, UUID | None]
Key = tuple[UUID, str]

NEVER, ALWAYS = "never", "always"


class Role(Struct, frozen=True):
    """What a fact turned out to be."""

    kind: Literal["begins", "repeats", "ends", "nothing"]
    """`nothing`: an exit of somebody who was not inside."""
    before: Fact | None = None
    """`repeats`: the admission that stands. `begins`: None, or the first admission where the list admits only once."""


class Standing(Struct, frozen=True):
    """How a person stands in an area."""

    since: Fact | None
    """The entry by which the person is where they are; None: they are in no place of this area."""
    visited: dict[Place, Fact]
    """Where they have been admitted, and first by what."""
    roles: dict[Key, Role]
    conflicts: list[tuple[Fact, Fact]]
    """Two doors that admitted the same person, at least one of them offline: the admission and the one too many."""

    @property
    def place(self) -> Place | None:
        return self.since.place if self.since else None


NOBODY = Standing(None, {}, {}, [])
"""Somebody of whom there is no fact."""


def stand(facts: Iterable[Fact], reentry: Mapping[UUID, str]) -> Standing:
    """How the facts of one person in one area leave that person. `reentry` has the lists' rules (default `after_exit`)."""
    since: Fact | None = None
    visited: dict[Place, Fact] = {}
    roles: dict[Key, Role] = {}
    conflicts: list[tuple[Fact, Fact]] = []
    for fact in in_order(facts):
        rule = reentry.get(fact.list_id, "after_exit")
        if fact.direction == "exit":
            leaves = since is not None and since.list_id == fact.list_id
            roles[fact.key] = Role("ends" if leaves else "nothing")
            since = None if leaves else since
            continue
        if since is not None and since.place == fact.place:
            roles[fact.key] = Role("repeats", since)
            before: Fact | None = since
        else:
            since = fact
            before = visited.get(fact.place) if rule == NEVER else None
            roles[fact.key] = Role("begins", before)
            visited.setdefault(fact.place, fact)
        if before is not None and rule != ALWAYS and are_two_doors(before, fact):
            conflicts.append((before, fact))
    return Standing(since, visited, roles, conflicts)


def in_order(facts: Iterable[Fact]) -> Sequence[Fact]:
    """The facts that count, oldest first."""
    facts = list(facts)
    undone = {(fact.device_id, fact.undoes) for fact in facts if fact.undoes is not None}
    standing = [fact for fact in facts if fact.undoes is None and fact.key not in undone]
    return sorted(standing, key=lambda fact: (fact.at, fact.device_id, fact.scan_id))


def are_two_doors(one: Fact, other: Fact) -> bool:
    """Whether two admissions contradict each other: made by different devices, at least one of which was offline."""
    return one.device_id != other.device_id and (one.offline or other.offline)


def seats(standing: Standing) -> dict[tuple[UUID, UUID | None, bool], int]:
    """What the person adds to which count: list, session, and whether an offline scanner let them in."""
    fact = standing.since
    return {} if fact is None else {(fact.list_id, fact.session_id, fact.offline): 1}
