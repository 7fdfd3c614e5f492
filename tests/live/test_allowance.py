"""So many at once, then one after each pause."""

from __future__ import annotations

from hypothesis import given, strategies as st

from server.live.allowance import Allowance


def test_a_burst_then_one_after_each_pause() -> None:
    allowance = Allowance(3, 2.0, 100.0)
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(at) for at in (101.9, 102.0, 102.1, 104.0)] == [False, True, False, True]


def test_it_is_whole_again_when_nothing_is_used_up() -> None:
    allowance = Allowance(2, 1.0, 0.0)
    assert allowance.is_whole(0.0)
    allowance.take(0.0)
    assert [allowance.is_whole(at) for at in (0.0, 0.9, 1.0)] == [False, False, True]


@given(st.lists(st.floats(0, 50), max_size=200).map(sorted))
def test_no_more_than_the_burst_and_the_pauses_that_have_passed(times: list[float]) -> None:
    allowance = Allowance(5, 2.0, 0.0)
    taken = [at for at in times if allowance.take(at)]
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= 5 + (taken[last] - taken[first]) / 2 + 1e-6
