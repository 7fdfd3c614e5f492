"""From what somebody types to what the index is asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from server.folding import MAX_WORDS, all_words_of, fold
from server.search.wording import LITTLE_WORDS, bare, beginning_of, lexeme

Wanted = Sequence[Sequence[str]]
"""For each word those that would do instead: itself, or what may have been meant."""


NOTHING = "'-'"
"""A tsquery for what no text has."""


class Question(Struct, frozen=True):
    """The same for the database: as tsqueries, each asking for all the words and each for more than the one before it."""

    named: str
    """In the title or the names, finished."""
    begun: str
    """There, at least begun."""
    beside: str
    """In the head, tracks and rooms included."""
    any: str
    """Any of the words, begun, wherever: by this what has no more in common is ranked."""
    heads_only: bool
    """A single letter is in every long text."""


def asked_words(typed: str) -> list[str]:
    """The words that count, folded: none twice, and beside others no letter and no little word but one still being typed.

    Empty where nothing typed is a word.
    """
    words = list(dict.fromkeys(all_words_of(typed)))[:MAX_WORDS]
    being_typed = words[-1:] if fold(typed)[-1:].isalnum() else []
    return [word for word in words if _counts(word) or (len(word) > 1 and word in being_typed)] or words[-1:]


def _counts(word: str) -> bool:
    return word not in LITTLE_WORDS and (len(word) > 1 or word.isdigit())


def question(event_id: UUID, wanted: Wanted) -> Question:
    begun = [[sought(event_id, word) for word in instead] for instead in wanted]
    finished = [[f"{lexeme(event_id, bare(word))}:AB" for word in instead] for instead in wanted]
    named = [[f"{each}AB" if each.endswith("*") else f"{each}:AB" for each in instead] for instead in begun]
    return Question(
        _all(finished),
        _all(named),
        _all(begun),
        "|".join(each for instead in begun for each in instead),
        heads_only=all(len(word) == 1 for instead in wanted for word in instead),
    )


def sought(event_id: UUID, word: str) -> str:
    """A tsquery: the word, at least begun; a single letter only by itself."""
    if len(word) == 1:
        return lexeme(event_id, word)
    return f"{lexeme(event_id, beginning_of(word))}:*"


def _all(parts: Wanted) -> str:
    return "&".join(f"({'|'.join(instead)})" for instead in parts)
