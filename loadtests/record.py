"""What was asked at the door and what was answered, kept as evidence."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from loadtests.evidence import Asked, ScanKey, Told
from loadtests.linearizability import Question, questions_of


class Answer(Struct, frozen=True):
    """What is read of a check-in's answer."""

    outcome: str
    reason: str | None


_answers = msgspec.json.Decoder(Answer)


class Record:
    """Of one proof."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        """In the order in which it was heard."""
        self._first_sent: dict[ScanKey, tuple[Asked, float]] = {}

    def send(self, asked: Asked, began: float) -> None:
        """This was asked at that moment; the first one counts, in whatever order they are told."""
        sent = self._first_sent.get(asked.key)
        if sent is None or began < sent[1]:
            self._first_sent[asked.key] = (asked, began)

    def hear(self, asked: Asked, body: bytes, began: float, ended: float) -> None:
        """This was answered with 200."""
        answer = _answers.decode(body)
        self.told.append(Told(asked, answer.outcome, answer.reason, body, began, ended))

    def questions(self) -> list[Question]:
        """What was asked and heard, with its times: unanswered questions too, because they may have let somebody in."""
        return questions_of(self.told, self._first_sent)
