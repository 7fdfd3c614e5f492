"""Lines that mix directions: which stretches they fall into, and in which order those stand on paper.

The Unicode bidirectional algorithm (UAX #9, revision 50) for one line without explicit formatting characters, which names and
companies have no use for: `plain` takes them out. A stretch keeps its text in logical order; the shaper mirrors and reverses.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

from msgspec import Struct

_JOINERS = "\u200c\u200d"
"""Invisible, and they decide whether neighbours join: Persian and Urdu names need them."""
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_NEUTRAL = {"B", "S", "WS", "ON"}
_NUMBERS = {"EN", "AN"}


class Run(Struct, frozen=True):
    """A stretch of one direction."""

    text: str
    """In logical order."""
    rtl: bool


def plain(text: str) -> str:
    """The text on one line, composed, without control and formatting characters."""
    shown = (
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace()
        or character in _JOINERS
        or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn"}
    )
    return " ".join("".join(shown).split())


def is_rtl(text: str) -> bool:
    """Whether a line begins at the right: its first letter says so (rules P2, P3)."""
    return next((kind != "L" for kind in map(unicodedata.bidirectional, text) if kind in {"L", "R", "AL"}), False)


def runs_of(text: str, *, rtl: bool) -> list[Run]:
    """The stretches of a `plain` line as they stand on paper, from left to right. `rtl`: the line begins at the right."""
    base = 1 if rtl else 0
    levels = _levels(text, base)
    runs: list[tuple[int, str]] = []
    place = 0
    for level, same in groupby(levels):
        length = len(list(same))
        runs.append((level, text[place : place + length]))
        place += length
    return [Run(stretch, level % 2 == 1) for level, stretch in _reordered(runs)]


def _reordered(runs: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Rule L2, for whole stretches: the shaper reverses what is inside."""
    highest = max((level for level, _ in runs), default=0)
    for limit in range(highest, 0, -1):
        turned: list[tuple[int, str]] = []
        place = 0  # since when the stretches are turned around
        for run in runs:
            if run[0] < limit:
                turned.append(run)
                place = len(turned)
            else:
                turned.insert(place, run)
        runs = turned
    return runs


def _levels(text: str, base: int) -> list[int]:
    outside = "R" if base else "L"
    kinds = [_kind(character) for character in text]
    _resolve_weak(kinds, outside)
    _resolve_brackets(text, kinds, outside)
    _resolve_neutral(kinds, outside)
    if base:
        return [1 if kind == "R" else 2 for kind in kinds]
    return [{"L": 0, "R": 1}.get(kind, 2) for kind in kinds]


def _kind(character: str) -> str:
    return "NSM" if character in _JOINERS else unicodedata.bidirectional(character) or "L"


def _resolve_weak(kinds: list[str], outside: str) -> None:
    """Rules W1 to W7: what marks, numbers and the signs around numbers belong to."""
    previous = strong = outside
    for place, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[place] = kind = previous
        if kind in {"L", "R", "AL"}:
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[place] = kind = "AN"
        previous = kind
    for place in range(1, len(kinds) - 1):
        before, kind, after = kinds[place - 1 : place + 2]
        if before == after and ((kind == "ES" and before == "EN") or (kind == "CS" and before in _NUMBERS)):
            kinds[place] = before
    _spread_to_terminators(kinds)
    strong = outside
    for place, kind in enumerate(kinds):
        if kind in {"ES", "ET", "CS"}:
            kinds[place] = "ON"
        elif kind == "AL":
            kinds[place] = strong = "R"
        elif kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"


def _spread_to_terminators(kinds: list[str]) -> None:
    """Rule W5: percent and currency signs beside a number are part of it."""
    for order in (range(len(kinds)), range(len(kinds) - 1, -1, -1)):
        beside = ""
        for place in order:
            if kinds[place] == "ET" and beside == "EN":
                kinds[place] = "EN"
            beside = kinds[place]


def _resolve_brackets(text: str, kinds: list[str], outside: str) -> None:
    """Rule N0: both brackets of a pair go the same way."""
    for first, last in _pairs(text, kinds):
        inside = {_strong(kind) for kind in kinds[first + 1 : last]} - {""}
        before = next((found for kind in reversed(kinds[:first]) if (found := _strong(kind))), outside)
        if outside in inside or (inside and before == outside):
            kinds[first] = kinds[last] = outside
        elif inside:
            kinds[first] = kinds[last] = before


def _pairs(text: str, kinds: list[str]) -> list[tuple[int, int]]:
    """Rule BD16: places of brackets that belong together, by the opening one."""
    found, waiting = [], list[tuple[str, int]]()
    for place, character in enumerate(text):
        if kinds[place] != "ON":
            continue
        if character in _BRACKETS:
            waiting.append((_BRACKETS[character], place))
        at = next((index for index in range(len(waiting) - 1, -1, -1) if waiting[index][0] == character), None)
        if at is not None:
            found.append((waiting[at][1], place))
            del waiting[at:]
    return sorted(found)


def _resolve_neutral(kinds: list[str], outside: str) -> None:
    """Rules N1 and N2: what stands between two of one direction goes with them, else with the line."""
    place = 0
    before = outside
    for neutral, group in groupby(list(kinds), key=_NEUTRAL.__contains__):
        length = len(list(group))
        if neutral:
            after = _strong(kinds[place + length]) if place + length < len(kinds) else outside
            kinds[place : place + length] = [before if before == after else outside] * length
        else:
            before = _strong(kinds[place + length - 1])
        place += length


def _strong(kind: str) -> str:
    """The direction a kind counts as for its neighbours; nothing for a neutral."""
    return "R" if kind in {"R", "AN", "EN"} else kind if kind == "L" else ""
