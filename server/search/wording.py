"""The forms of a word under which it is found, and its form in the index. Pure."""

from __future__ import annotations

from uuid import UUID

from server.folding import all_words_of

ARTICLES = ("وال", "بال", "كال", "فال", "لل", "ال")
"""Arabic's "the", with what is written in one word with it."""
SHORTEST_BARE = 3
SHORTEST_PLURAL = 5

LITTLE_WORDS = frozenset(
    all_words_of(
        "a à an and as at au aux by c ce d dans de des du en est et for from in is l la le les of on or ou par pour qu que s sur "
        "the to un une with في من على عن إلى مع و أو هذا هذه التي الذي"
    )
)
"""Words that are in every text and that people leave out or put otherwise: what is looked for never depends on them."""


def bare(word: str) -> str:
    """An Arabic word without its article, any other as it is."""
    if not word.startswith(ARTICLES):  # as most, and every word of every long text is asked
        return word
    for article in ARTICLES:
        if word.startswith(article) and len(word) >= len(article) + SHORTEST_BARE:
            return word.removeprefix(article)
    return word


def forms(word: str) -> tuple[str, ...]:
    """Under which a word of a text is found: itself, and without its article."""
    without = bare(word)
    return (word,) if without == word else (word, without)


def beginning_of(word: str) -> str:
    """What a word must begin with to be the one typed, which may be unfinished or stand in the plural."""
    without = bare(word)
    return without[:-1] if len(without) >= SHORTEST_PLURAL and without.endswith("s") else without


def lexeme(event_id: UUID, word: str) -> str:
    """A word in the index, between quotes: it begins with its event. (A word has letters and digits only.)"""
    return f"'{tag(event_id)}{word}'"


def tag(event_id: UUID) -> str:
    """Two events may have the same one, which costs a little time: every statement names its event too."""
    return event_id.hex[-4:]
