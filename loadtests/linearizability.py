"""Whether answers given at the same time fit into one order at all. Pure.

A door that asks gets one of four answers, and each says where the person was: `admitted` and `not_inside` come to somebody who is
outside, `already_admitted` and `exited` to somebody inside. A history of one person is sound if its questions can be put in an
order, each at one moment between its sending and its answer, in which every answer is true (linearizability, Herlihy and Wing
1990). So `admitted` may come only to a person who was outside in some order that real time allows.

The search keeps every state in which the person may be, together with the questions that have taken effect without having been
answered yet, and goes through the moments in their order (just-in-time linearization, Lowe 2017). A question that was never
answered may have taken effect at any moment since it was sent, or not at all.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from loadtests.evidence import Asked, ScanKey, Told, Violation

UNANSWERED = "unanswered"
_OUTSIDE, _INSIDE = False, True
_EFFECTS: dict[str, tuple[bool, bool]] = {
    "admitted": (_OUTSIDE, _INSIDE),
    "already_admitted": (_INSIDE, _INSIDE),
    "exited": (_INSIDE, _OUTSIDE),
    "not_inside": (_OUTSIDE, _OUTSIDE),
}
"""Answer → where the person is before it and after it."""


class Question(Struct, frozen=True):
    """A scan, its answer, and the moments between which it took effect."""

    person: str
    direction: str
    answer: str
    """The outcome, of a refusal the reason, or `unanswered`."""
    began: float
    ended: float
    """Infinite for one that was never answered."""

    @property
    def effect(self) -> tuple[bool, bool] | None:
        """None: the answer says nothing of where the person was."""
        if self.answer == UNANSWERED:
            return (_OUTSIDE, _INSIDE) if self.direction == "entry" else (_INSIDE, _OUTSIDE)
        return _EFFECTS.get(self.answer)


State = tuple[bool, frozenset[int]]
"""Whether the person is inside, and which questions under way have taken effect."""


def check(questions: Iterable[Question]) -> list[Violation]:
    """The people whose answers cannot all be true."""
    by_person: defaultdict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.effect is not None:
            by_person[question.person].append(question)
    found = []
    for person, own in sorted(by_person.items()):
        untrue = first_untrue(own)
        if untrue is not None:
            found.append(Violation("impossible", f"{person} was answered {untrue.answer} at {untrue.ended:.3f}"))
    return found


def first_untrue(questions: Sequence[Question]) -> Question | None:
    """The first answer of one person that fits no order, or None."""
    states: set[State] = {(_OUTSIDE, frozenset())}
    under_way: dict[int, Question] = {}
    for _, answered, place in _moments(questions):
        if not answered:
            under_way[place] = questions[place]
            continue
        states = {(inside, done - {place}) for inside, done in _reach(states, under_way) if place in done}
        del under_way[place]
        if not states:
            return questions[place]
    return None


def _moments(questions: Sequence[Question]) -> list[tuple[float, bool, int]]:
    """Sendings and answers in the order of time; at one moment sendings first, which allows more orders."""
    sent = [(question.began, False, place) for place, question in enumerate(questions)]
    answered = [(question.ended, True, place) for place, question in enumerate(questions) if question.ended < math.inf]
    return sorted([*sent, *answered])


def _reach(states: Iterable[State], under_way: Mapping[int, Question]) -> set[State]:
    """All states that are reached when questions under way take effect.

    Of two with the same effect the one whose answer comes first goes first: they could change places in any order that is
    allowed. So the states grow with the number of open questions, not with that of their subsets.
    """
    by_answer = sorted(under_way, key=lambda place: under_way[place].ended)
    reached = set(states)
    unseen = list(reached)
    while unseen:
        inside, done = unseen.pop()
        next_of = {under_way[place].effect: place for place in reversed(by_answer) if place not in done}
        for effect, place in next_of.items():
            if effect is not None and effect[0] == inside:
                state = (effect[1], done | {place})
                if state not in reached:
                    reached.add(state)
                    unseen.append(state)
    return reached


def questions_of(told: Iterable[Told], sent: Mapping[ScanKey, tuple[Asked, float]]) -> list[Question]:
    """Every question once: from its first sending to its first answer. `sent` knows those without one too."""
    first: dict[ScanKey, Told] = {}
    for each in told:
        first.setdefault(each.asked.key, each)
    found = []
    for key, (asked, began) in sent.items():
        heard = first.get(key)
        answer = UNANSWERED if heard is None else heard.reason or heard.outcome
        ended = math.inf if heard is None else heard.ended
        found.append(Question(asked.code, asked.direction, answer, began, ended))
    return found
