"""Where a person is follows from the set of facts, not from the order in which they came in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, strategies as st

from server.checkin import history
from server.checkin.history import Standing, stand
from server.checkin.types import Fact
from tests.checkin.histories import MORNING, summary

EVENT = UUID(int=1)
DOOR, LUNCH, ROOM = UUID(int=10), UUID(int=11), UUID(int=12)
DEVICES = [UUID(int=100 + n) for n in range(4)]


def fact(number: int, second: int, **more: Any) -> Fact:
    fields: dict[str, Any] = {
        "event_id": EVENT,
        "area_id": DOOR,
        "attendee_id": UUID(int=7),
        "turn": number + 1,
        "device_id": DEVICES[number % 4],
        "scan_id": f"s{number}",
        "list_id": DOOR,
        "session_id": None,
        "gate_id": EVENT,
        "direction": "entry",
        "at": MORNING + timedelta(seconds=second),
        "offline": True,
        "undoes": None,
    }
    return Fact(**(fields | more))


def leaving(number: int, second: int, **more: Any) -> Fact:
    return fact(number, second, direction="exit", **more)


@st.composite
def fact_sets(draw: st.DrawFn) -> list[Fact]:
    facts: list[Fact] = []
    for number in range(draw(st.integers(0, 12))):
        one = fact(
            number,
            draw(st.integers(0, 6)),
            device_id=draw(st.sampled_from(DEVICES)),
            list_id=draw(st.sampled_from([DOOR, LUNCH, ROOM])),
            direction=draw(st.sampled_from(["entry", "entry", "exit"])),
            offline=draw(st.booleans()),
        )
        undone = draw(st.sampled_from([None, None, None, *facts]))
        if undone is not None and undone.undoes is None:
            one = msgspec.structs.replace(
                one, device_id=undone.device_id, scan_id=f"~{undone.scan_id}", undoes=undone.scan_id
            )
        facts.append(one)
    return facts


def check_order_does_not_matter(facts: Sequence[Fact], shuffled: Sequence[Fact]) -> None:
    rules = {LUNCH: "never", ROOM: "always"}
    assert summary(stand(facts, rules)) == summary(stand(shuffled, rules))


@given(fact_sets(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(facts: list[Fact], draw: random.Random) -> None:
    # A turn is a place in the order of arrival, so it changes with it.
    shuffled = draw.sample(facts, len(facts))
    renumbered = [msgspec.structs.replace(one, turn=turn) for turn, one in enumerate(shuffled, start=1)]
    check_order_does_not_matter(facts, renumbered)


def test_a_history_in_the_order_of_arrival_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_turn(facts: Iterable[Fact]) -> Sequence[Fact]:
        return sorted(facts, key=lambda one: one.turn)

    early, late = fact(0, 0), fact(1, 60)
    monkeypatch.setattr(history, "in_order", by_turn)
    with pytest.raises(AssertionError):
        check_order_does_not_matter(
            [early, late], [msgspec.structs.replace(late, turn=1), msgspec.structs.replace(early, turn=2)]
        )


@given(fact_sets())
def test_a_person_is_in_one_place_of_an_area(facts: list[Fact]) -> None:
    standing = stand(facts, {})
    in_order = history.in_order(facts)
    assert set(standing.roles) == {one.key for one in in_order}
    inside: Fact | None = None
    for one in in_order:
        kind = standing.roles[one.key].kind
        if kind == "begins":
            inside = one
        elif kind == "ends":
            assert inside is not None
            assert inside.list_id == one.list_id, "nobody leaves where they are not"
            inside = None
    assert standing.since == inside, "the last beginning without an end"
    assert {standing.place} <= {None, *standing.visited}


def told(facts: Sequence[Fact], rules: Mapping[UUID, str] | None = None) -> tuple[str | None, list[tuple[str, str]]]:
    standing: Standing = stand(facts, rules or {})
    return (
        standing.since.scan_id if standing.since else None,
        [(first.scan_id, later.scan_id) for first, later in standing.conflicts],
    )


def test_the_earliest_is_the_admission_and_a_second_door_a_conflict() -> None:
    assert told([fact(0, 60), fact(1, 0)]) == ("s1", [("s1", "s0")])


def test_an_exit_between_explains_two_entries() -> None:
    assert told([fact(0, 0), fact(1, 60), leaving(2, 30)]) == ("s1", [])


def test_two_scans_of_one_device_are_no_conflict() -> None:
    assert told([fact(0, 0), fact(4, 1, device_id=DEVICES[0])]) == ("s0", [])


def test_two_online_entries_are_never_a_conflict() -> None:
    assert told([fact(0, 0, offline=False), fact(1, 1, offline=False)], {DOOR: "always"}) == ("s0", [])


def test_an_undone_entry_never_was() -> None:
    undo = fact(1, 30, device_id=DEVICES[0], scan_id="~s0", undoes="s0")
    assert told([fact(0, 0), undo]) == (None, [])
    assert told([fact(0, 0), undo, fact(2, 60)]) == ("s2", [])


def test_entering_another_room_leaves_the_first() -> None:
    rooms = {"area_id": EVENT}
    facts = [fact(0, 0, list_id=DOOR, **rooms), fact(1, 60, list_id=ROOM, **rooms)]
    assert told(facts) == ("s1", [])
    assert told([*facts, leaving(2, 90, list_id=DOOR, **rooms)]) == ("s1", []), "nobody leaves where they are not"


def test_the_next_session_in_the_same_room_is_another_place() -> None:
    one, two = UUID(int=50), UUID(int=51)
    facts = [fact(0, 0, session_id=one), fact(1, 3600, session_id=two)]
    assert told(facts) == ("s1", [])


def test_a_meal_is_eaten_once() -> None:
    facts = [fact(0, 0), leaving(1, 10), fact(2, 20)]
    assert told(facts, {DOOR: "never"}) == ("s2", [("s0", "s2")])
    assert told(facts, {DOOR: "after_exit"}) == ("s2", [])
