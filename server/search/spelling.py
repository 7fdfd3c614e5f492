"""Typing errors: which words of an event somebody may have meant. Pure.

A word is kept under its first letters and under these without any one of them. Two words that differ by a letter that is wrong,
missing, too much or at its neighbour's place then have a spelling in common (the symmetric delete method of W. Garbe's SymSpell);
how far apart they really are is counted afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 4
"""Shorter words that differ by a letter are other words."""
LONG = 8
"""From this length on two errors are forgiven, one of them in the first letters."""
FIRST_LETTERS = 7
MOST_MEANT = 3


def spellings(word: str) -> set[str]:
    """Under which a word is kept and asked for; none for one that is too short, or a number."""
    if len(word) < SHORTEST or not word.isalpha():
        return set()
    beginning = word[:FIRST_LETTERS]
    return {beginning, *(beginning[:at] + beginning[at + 1 :] for at in range(len(beginning)))}


def meant(typed: str, known: Iterable[str]) -> list[str]:
    """Those of these words that may have been meant, perhaps unfinished: the nearest, all equally near, three at most."""
    allowed = 2 if len(typed) >= LONG else 1
    near = sorted((*errors(typed, word), word) for word in set(known))
    best = [(found, missing, word) for found, missing, word in near if found <= allowed]
    return [word for found, missing, word in best if (found, missing) == best[0][:2]][:MOST_MEANT]


def errors(typed: str, word: str) -> tuple[int, int]:
    """How many letters of what was typed are wrong, missing, too much or exchanged; how many of the word are yet to come."""
    before: list[int] = []
    last = list(range(len(word) + 1))
    for row, letter in enumerate(typed, start=1):
        line = [row]
        for column, other in enumerate(word, start=1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == word[column - 2] and typed[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    fewest = min(last)
    typed_until = max(column for column, cost in enumerate(last) if cost == fewest)
    return fewest, len(word) - typed_until
