"""The checker of answers given at the same time: silent about what some order explains, loud about what none does."""

from __future__ import annotations

import math
import random

import msgspec
import pytest
from hypothesis import given, strategies as st

from loadtests.evidence import Asked, Told
from loadtests.linearizability import UNANSWERED, Question, check, first_untrue, questions_of


def asked(answer: str, began: float, ended: float, *, person: str = "somebody") -> Question:
    direction = "exit" if answer in ("exited", "not_inside") else "entry"
    return Question(person, direction, answer, began, ended)


def concurrent_history(
    seed: int, questions: int = 40, people: int = 3, silence: float = 0.1, delay: float = 0.3
) -> list[Question]:
    """What an honest server tells many scanners: each question takes effect at one moment of its own, its answer comes later."""
    source = random.Random(seed)
    inside: set[str] = set()
    found = []
    moments = sorted(source.uniform(0, 10) for _ in range(questions))
    for moment in moments:
        person = f"person {source.randrange(people)}"
        leaves = source.random() < 0.4
        if leaves:
            answer = "exited" if person in inside else "not_inside"
            inside.discard(person)
        else:
            answer = "already_admitted" if person in inside else "admitted"
            inside.add(person)
        ended = moment + source.expovariate(1 / delay)
        if source.random() < silence:
            answer, ended = UNANSWERED, math.inf
        found.append(
            Question(person, "exit" if leaves else "entry", answer, moment - source.expovariate(1 / delay), ended)
        )
    return found


@given(st.integers(0, 100_000))
def test_an_honest_history_is_clean(seed: int) -> None:
    assert check(concurrent_history(seed)) == []


@pytest.mark.parametrize(
    ("questions", "sound"),
    [
        ([asked("admitted", 0, 1), asked("admitted", 2, 3)], False),
        ([asked("admitted", 0, 2), asked("admitted", 1, 3)], False),
        ([asked("admitted", 0, 1), asked("exited", 2, 3), asked("admitted", 4, 5)], True),
        ([asked("admitted", 0, 5), asked("exited", 1, 2), asked("admitted", 0, 5)], True),
        ([asked("already_admitted", 0, 1), asked("admitted", 2, 3)], False),
        ([asked("already_admitted", 0, 3), asked("admitted", 1, 2)], True),
        ([asked("not_inside", 0, 1), asked("admitted", 0, 1)], True),
        ([asked("admitted", 0, 1), asked("not_inside", 2, 3)], False),
        ([asked("already_admitted", 2, 3), Question("somebody", "entry", UNANSWERED, 0, math.inf)], True),
        ([asked("already_admitted", 0, 1), Question("somebody", "entry", UNANSWERED, 2, math.inf)], False),
        (
            [asked("admitted", 0, 1), Question("somebody", "exit", UNANSWERED, 0, math.inf), asked("admitted", 2, 3)],
            True,
        ),
        ([asked("admitted", 0, 1), asked("wrong_ticket", 2, 3), asked("already_admitted", 4, 5)], True),
    ],
)
def test_small_histories(questions: list[Question], *, sound: bool) -> None:
    assert (check(questions) == []) == sound


@pytest.mark.parametrize("seed", range(10))
def test_a_second_admission_is_caught_wherever_it_is(seed: int) -> None:
    """A door that did not see the person inside: an honest `already_admitted` turned into `admitted`."""
    questions = concurrent_history(seed, questions=60, people=1, silence=0, delay=0.05)
    places = [place for place, question in enumerate(questions) if question.answer == "already_admitted"]
    caught = 0
    for place in places:
        broken = list(questions)
        broken[place] = msgspec.structs.replace(questions[place], answer="admitted", began=questions[place].ended)
        caught += first_untrue(broken) is not None
    assert caught > len(places) * 0.7, "the others are explained by an exit at the same time"


def test_a_question_put_again_counts_from_its_first_sending_to_its_first_answer() -> None:
    scan = Asked("Scanner 01", "scan-1", "BADGE1", "entry")
    told = [Told(scan, "admitted", None, b"", 5, 6), Told(scan, "admitted", None, b"", 9, 10)]
    lost = Asked("Scanner 02", "scan-2", "BADGE1", "exit")
    questions = questions_of(told, {scan.key: (scan, 1.0), lost.key: (lost, 2.0)})
    assert questions == [
        Question("BADGE1", "entry", "admitted", 1.0, 6),
        Question("BADGE1", "exit", UNANSWERED, 2.0, math.inf),
    ]
