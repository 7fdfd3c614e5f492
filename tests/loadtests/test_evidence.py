"""The checker of the crash scenario: silent about an honest history, loud about each way of breaking one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given, strategies as st

from loadtests.evidence import Asked, Row, Told, Violation, check

History = tuple[list[Told], list[Row]]
DEVICES = ("Scanner 01", "Scanner 02", "Scanner 03")


def honest_history(seed: int, scans: int = 60, people: int = 5) -> History:
    """What a server that keeps every promise tells and logs: some answers get lost on the way, some questions come twice."""
    source = random.Random(seed)
    turns: dict[str, int] = {}
    inside: set[str] = set()
    told: list[Told] = []
    rows: list[Row] = []
    for number in range(scans):
        code = f"BADGE{source.randrange(people)}"
        asked = Asked(source.choice(DEVICES), f"scan-{number}", code, source.choice(("entry", "entry", "exit")))
        reason = None
        if asked.direction == "exit":
            outcome = "exited" if code in inside else "refused"
            reason = None if code in inside else "not_inside"
            inside.discard(code)
        else:
            outcome = "already_admitted" if code in inside else "admitted"
            inside.add(code)
        turn = None
        if outcome in ("admitted", "exited"):
            turn = turns[code] = turns.get(code, 0) + 1
        rows.append(
            Row(asked.device, asked.scan_id, "main", f"of {code}", code, asked.direction, outcome, reason, turn)
        )
        answer = Told(asked, outcome, reason, f"{outcome} {number}".encode())
        told += [answer] * source.choice((0, 1, 1, 1, 2))
    return told, rows


def kinds(violations: Sequence[Violation]) -> set[str]:
    return {violation.kind for violation in violations}


def first(told: Sequence[Told], outcome: str) -> Told:
    return next(each for each in told if each.outcome == outcome)


def row_of(rows: Sequence[Row], told: Told) -> int:
    return next(place for place, row in enumerate(rows) if (row.device, row.scan_id) == told.asked.key)


def lose_a_scan(told: list[Told], rows: list[Row]) -> History:
    """What a server that answers before its commit leaves behind."""
    del rows[row_of(rows, first(told, "already_admitted"))]
    return told, rows


def revise_the_log(told: list[Told], rows: list[Row]) -> History:
    place = row_of(rows, first(told, "already_admitted"))
    rows[place] = msgspec.structs.replace(rows[place], outcome="refused", reason="wrong_ticket")
    return told, rows


def revise_the_reason(told: list[Told], rows: list[Row]) -> History:
    place = row_of(rows, first(told, "refused"))
    rows[place] = msgspec.structs.replace(rows[place], reason="revoked")
    return told, rows


def log_another_badge(told: list[Told], rows: list[Row]) -> History:
    place = row_of(rows, first(told, "already_admitted"))
    rows[place] = msgspec.structs.replace(rows[place], code="SOMEBODY")
    return told, rows


def answer_differently(told: list[Told], rows: list[Row]) -> History:
    """The outcome stays and the body changes: another admission is shown for the same scan."""
    told.append(msgspec.structs.replace(first(told, "already_admitted"), body=b"another gate"))
    return told, rows


def take_a_turn_twice(told: list[Told], rows: list[Row]) -> History:
    """Two doors that both take the same turn, as without the unique index."""
    place = row_of(rows, first(told, "admitted"))
    rows.append(msgspec.structs.replace(rows[place], device="Scanner 09", scan_id="twin"))
    return told, rows


def admit_again_without_exit(told: list[Told], rows: list[Row]) -> History:
    """Admitted into the next turn, as by a server that forgot the person inside."""
    person = inside_at_the_end(rows)
    place = max(place for place, row in enumerate(rows) if row.outcome == "admitted" and row.code == person)
    again = msgspec.structs.replace(rows[place], device="Scanner 09", scan_id="again", turn=(rows[place].turn or 0) + 1)
    return told, [*rows, again]


def exit_twice(told: list[Told], rows: list[Row]) -> History:
    """Somebody who is outside leaves once more, at the end of their turns."""
    code = next(row.code for row in reversed(rows) if row.outcome == "exited")
    last = max((row for row in rows if row.code == code and row.turn), key=lambda row: row.turn or 0)
    twins = [
        msgspec.structs.replace(last, device="Scanner 09", scan_id=f"{n}", outcome="exited", turn=(last.turn or 0) + n)
        for n in (1, 2)
    ]
    return told, [*rows, *twins]


def skip_a_turn(told: list[Told], rows: list[Row]) -> History:
    gone = rows[row_of(rows, first(told, "exited"))]
    kept = [row for row in rows if row is not gone]
    keys = {(row.device, row.scan_id) for row in kept}
    return [each for each in told if each.asked.key in keys], kept


def inside_at_the_end(rows: Sequence[Row]) -> str:
    balance: dict[str, int] = {}
    for row in rows:
        balance[row.code] = balance.get(row.code, 0) + {"admitted": 1, "exited": -1}.get(row.outcome, 0)
    return next(code for code, count in balance.items() if count == 1)


@given(st.integers(0, 10_000))
def test_an_honest_history_is_clean(seed: int) -> None:
    assert check(*honest_history(seed)) == []


@pytest.mark.parametrize(
    ("breach", "kind"),
    [
        (lose_a_scan, "lost"),
        (revise_the_log, "contradicted"),
        (revise_the_reason, "contradicted"),
        (log_another_badge, "altered"),
        (answer_differently, "changed_answer"),
        (take_a_turn_twice, "broken_turns"),
        (admit_again_without_exit, "admitted_twice"),
        (exit_twice, "broken_turns"),
        (skip_a_turn, "broken_turns"),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_broken_history_is_caught(breach: Callable[[list[Told], list[Row]], History], kind: str, seed: int) -> None:
    assert kinds(check(*breach(*honest_history(seed, scans=200)))) == {kind}


def test_a_scan_without_an_answer_claims_nothing() -> None:
    told, rows = honest_history(1)
    heard = {each.asked.key for each in told}
    assert (
        check(told, [row for row in rows if (row.device, row.scan_id) in heard or row.outcome == "already_admitted"])
        == []
    )
