"""The checker of the capacity scenario."""

from __future__ import annotations

from loadtests.seats import Passing, check, course


def rows(*words: str) -> list[Passing]:
    """`7+` is an admission of transaction 7, `7-` an exit, `7.` a refusal."""
    outcomes = {"+": "admitted", "-": "exited", ".": "refused"}
    return [Passing(word[:-1], outcomes[word[-1]], None) for word in words]


def test_only_the_ends_of_transactions_are_moments() -> None:
    assert course(rows("1+", "1+", "2+", "2-", "3.", "4-")) == [2, 2, 2, 1]
    assert check(rows("1+", "1+", "2+", "2-"), 2) == []


def test_rows_among_those_of_a_transaction_that_changes_nothing_keep_their_order() -> None:
    assert check(rows("1+", "1+", "2+", "3.", "2-"), 2) == []


def test_a_seat_too_many_or_too_few_is_noticed() -> None:
    assert [one.kind for one in check(rows("1+", "2+", "3+", "4-"), 2)] == ["over"]
    assert [one.kind for one in check(rows("1-"), 2)] == ["under"]
