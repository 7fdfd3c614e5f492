"""The reference of the merge: few scans of which one knows what has to come of them, and orders that lose nothing."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from loadtests.merging import AHEAD, BEHIND, Made, World, expected, make_scans
from loadtests.offline_merge import batches_of
from server.checkin.snapshot import ListRules
from server.checkin.types import CheckIn, Decided, Direction

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def rules(key: str, **more: object) -> ListRules:
    fields: dict[str, object] = {
        "key": key,
        "kind": "door",
        "tickets": ["visitor"],
        "opens_at": None,
        "closes_at": None,
        "capacity": None,
        "reentry": "after_exit",
        "early_minutes": 15,
        "sessions": [],
        "inside": "",
        "been": "",
    }
    return ListRules(**(fields | more))  # type: ignore[arg-type]


WORLD = World(
    {"door": rules("door"), "vip": rules("vip", tickets=[])}, ["visitor"] * 8, [str(n) for n in range(8)], BEGAN
)


def scan(
    device: int, minutes_ago: float, *, name: str = "door", direction: Direction = "entry", number: int = 0
) -> Made:
    decided: Decided = "admitted" if direction == "entry" else "exited"
    at = BEGAN - timedelta(minutes=minutes_ago)
    checkin = CheckIn(
        scan_id=f"x-{device}-{number:05}",
        list=name,
        code="0",
        direction=direction,
        scanned_at=at,
        synced_at=BEGAN - timedelta(hours=3),
        decided=decided,
    )
    return Made(device, 0, checkin)


def test_two_doors_one_person() -> None:
    outcome = expected(WORLD, [scan(1, 50, number=2), scan(0, 60, number=1)], BEGAN)
    assert outcome.inside == {"door": [0], "vip": []}
    assert outcome.conflicts == [("double_admission", "door", "00002", "00001")]
    assert outcome.tally == {("door", "11:00", "admitted", ""): 1, ("door", "11:10", "already_admitted", ""): 1}


def test_the_exit_between_two_entries_explains_them() -> None:
    scans = [scan(1, 50), scan(0, 60), scan(0, 55, direction="exit", number=1)]
    outcome = expected(WORLD, scans, BEGAN)
    assert (outcome.conflicts, outcome.inside["door"], outcome.been["door"]) == ([], [0], [])


def test_whom_a_list_does_not_admit_is_a_conflict_and_not_inside() -> None:
    outcome = expected(WORLD, [scan(0, 60, name="vip", number=7)], BEGAN)
    assert outcome.conflicts == [("not_entitled", "vip", "00007", "")]
    assert outcome.inside["vip"] == []
    assert outcome.tally == {("vip", "11:00", "refused", "wrong_ticket"): 1}


def test_differences_are_named_by_their_part() -> None:
    one = expected(WORLD, [scan(0, 60)], BEGAN)
    other = expected(WORLD, [scan(0, 60), scan(0, 50, direction="exit")], BEGAN)
    assert {difference.partition(":")[0] for difference in one.differences(other)} == {
        "inside",
        "been",
        "occupancy",
        "tally",
    }


@pytest.mark.parametrize("seed", range(5))
def test_every_order_has_every_scan_and_some_twice(seed: int) -> None:
    made = make_scans(random.Random(seed), WORLD, "x", 300)
    batches = batches_of(made, random.Random(seed))
    counted = Counter(one.checkin.scan_id for batch in batches for one in batch)
    assert counted.keys() == {one.checkin.scan_id for one in made}
    assert max(counted.values()) == 2
    assert all(len({one.device for one in batch}) == 1 for batch in batches)


def test_wrong_clocks_are_among_them() -> None:
    made = make_scans(random.Random(1), WORLD, "x", 300)
    assert {AHEAD, BEHIND} <= {one.device for one in made}
    late = [one.person for one in made if one.device == AHEAD]
    assert len(late) == len(set(late)), "two scans at the moment of their arrival would have an order of arrival"
