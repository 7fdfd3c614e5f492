"""The line of a long text where a word was found. Pure.

Texts are read as they are written, so the words, folded, are turned into a pattern: each letter is any that folds to it,
with accents and vowel marks between.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice

from server.folding import fold
from server.interchange.plain_text import plain
from server.search.wording import beginning_of

MOST_CHARACTERS = 160
MOST_LETTERS, MOST_WORDS = 4, 3
"""Of each word and of the question: a pattern of all takes longer to make than the search itself."""
BEFORE = 50
"""Characters that lead up to the word."""
_SCRIPTS = (range(0x20, 0x250), range(0x370, 0x600), range(0x600, 0x700), range(0x1E00, 0x2000), range(0xFB50, 0xFF00))
"""Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic: whose letters have variants. All others stand for themselves."""
_BETWEEN = "[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u0621]*"
_MARKED = re.compile(r"[<&*_`#\[]")
"""What may be HTML or Markdown."""
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
"""Marks of direction, which mean nothing once their other half is cut off."""


def pattern_of(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these words at the beginning of a word of a text, and behind an Arabic article."""
    begun = "|".join(
        _BETWEEN.join(_letter(letter) for letter in beginning_of(word)[:MOST_LETTERS])
        for word in islice(words, MOST_WORDS)
    )
    return re.compile(rf"(?<![^\W_])(?:[وبكف]?ال|لل)?(?:{begun})")


def snippet(texts: Sequence[str], pattern: re.Pattern[str]) -> str:
    """From the first text that has a word, else the beginning of the first text that is not empty."""
    read = [plain(text) if _MARKED.search(text) else text for text in texts if text]
    for text in read:
        found = pattern.search(text)
        if found:
            return cut(text, found.start())
    return cut(read[0], 0) if read else ""


def cut(text: str, at: int) -> str:
    """One line of at most 160 characters that has what begins `at`, cut between words, with … where something is left out."""
    start = max(0, at - BEFORE)
    if start > 0:
        start = _next_word(text, start, at)
    piece = text[start : start + 2 * MOST_CHARACTERS]  # white space goes, and with it half of the worst
    line = " ".join(_DIRECTIONS.sub("", piece).split())
    room = MOST_CHARACTERS - 2
    whole = start + len(piece) >= len(text) and len(line) <= room
    if not whole:
        shorter = line[:room]
        line = (shorter.rpartition(" ")[0] if len(line) > room and " " in shorter else shorter) + "…"
    return ("…" if start > 0 else "") + line


def _next_word(text: str, start: int, at: int) -> int:
    """Where the first whole word from `start` on begins, if that is before `at`."""
    space = re.compile(r"\s").search(text, start - 1, at)
    return at if space is None else space.end()


def _letter(letter: str) -> str:
    variants = _variants().get(letter, letter)
    return f"[{variants}]" if len(variants) > 1 else variants  # letters and digits: nothing to escape


@cache
def _variants() -> dict[str, str]:
    """For each folded letter all that fold to it."""
    found: dict[str, str] = {}
    for script in _SCRIPTS:
        for code in script:
            letter = chr(code)
            folded = fold(letter)
            if len(folded) == 1 and unicodedata.category(letter)[0] in "LN":
                found[folded] = found.get(folded, "") + letter
    return found
