"""JSON as the programmes of the world are written in it: one decoder for all formats, tolerant, and with limits."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from server.interchange.errors import UnreadableSchedule
from server.interchange.reading.arabic_letters import plain_letters
from server.interchange.reading.repairs import WHOLE
from server.interchange.reading.texts import shown
from server.interchange.reading.values import NOT_TEXT, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.interchange.reading.repairs import RepairLog

MAX_VALUES = 1_000_000
"""Commas and brackets of a file, texts included. Three times as many as 32 MiB of real schedule have; each value takes
about 100 bytes of memory."""

MAX_DEPTH = 64
"""Lists and objects within one another. Real programmes need up to 12."""

Map = dict[str, Any]


def decoded(written: str, log: RepairLog) -> object:
    """The plain values. The standard library's decoder, because it tells of keys met twice and reads half emojis.

    Raises `UnreadableSchedule` for what is no JSON, has too many values or is nested too deep.
    """
    if sum(written.count(mark) for mark in ",[{") > MAX_VALUES:
        raise UnreadableSchedule(f"line 1: more than {MAX_VALUES} values; leave out what is no schedule, or split it")

    def merged(pairs: list[tuple[str, Any]]) -> Map:
        found = dict(pairs)
        return found if len(found) == len(pairs) else _merged(pairs, log)

    try:
        found = json.loads(written, object_pairs_hook=merged, parse_int=_integer, parse_constant=_nothing, strict=False)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        if fault.pos >= len(written.rstrip()) or fault.msg.startswith("Unterminated string"):
            raise UnreadableSchedule(f"{place}: the file breaks off here; it was cut short, fetch it again") from fault
        raise UnreadableSchedule(f"{place}: this is no JSON ({fault.msg}); mend it there or export it again") from fault
    except RecursionError as fault:
        raise UnreadableSchedule(_TOO_DEEP) from fault
    _check_depth(found)
    return found


_TOO_DEEP = f"line 1: values are nested too deep; a schedule needs fewer than {MAX_DEPTH} levels"


def _nothing(_: str) -> None:
    """`NaN` and `Infinity`, which are no JSON but are written."""


def _integer(digits: str) -> int | str:
    """Numbers beyond 64 bits stay text: they are identifiers at best, and Python refuses thousands of digits."""
    return int(digits) if len(digits) < 19 else digits


def _merged(pairs: list[tuple[str, Any]], log: RepairLog) -> Map:
    """A key twice in one object: lists are joined, so that no session of a room named twice is lost.

    Of other values the last counts, as everywhere with JSON.
    """
    found: Map = {}
    for key, value in pairs:
        if key not in found:
            found[key] = value
        elif isinstance(value, list) and isinstance(found[key], list):
            found[key].extend(value)
            log.note("file", f"{shown(text(key))} comes twice in one object; both lists were joined")
        else:
            found[key] = value
            log.note("file", f"{shown(text(key))} comes twice in one object; the last was kept")
    return found


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise UnreadableSchedule(_TOO_DEEP)


def _inside(value: object) -> Iterator[object]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (entry for entry in inner if isinstance(entry, dict | list))


def cleaned(value: object, log: RepairLog) -> Any:
    """The same values with nothing in them that a database or a search stumbles over, and a note of what was replaced.

    Characters no text may hold become U+FFFD, numbers that are none become null, Arabic presentation forms letters.
    """
    counts = {"letters": 0, "characters": 0}
    result = _rewritten(value, lambda written: _clean_text(written, counts))
    if counts["characters"]:
        log.note(
            WHOLE,
            f"{counts['characters']} texts hold a character that no text may hold; replaced by \N{REPLACEMENT CHARACTER}",
        )
    if counts["letters"]:
        log.note(
            WHOLE,
            f"{counts['letters']} texts are in Arabic presentation forms, in which no search finds a word; "
            "put into plain letters",
        )
    return result


def _clean_text(written: str, counts: dict[str, int]) -> str:
    clean = NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", written)
    counts["characters"] += clean != written
    plain = plain_letters(clean)
    counts["letters"] += plain != clean
    return plain


def _rewritten(value: object, rewrite: Callable[[str], str]) -> object:
    """Recursive: `decoded` has refused what is nested too deep."""
    if isinstance(value, str):
        return rewrite(value)
    if isinstance(value, list):
        return [_rewritten(entry, rewrite) for entry in value]
    if isinstance(value, dict):
        return {rewrite(key): _rewritten(entry, rewrite) for key, entry in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def objects(value: object, where: str, what: str, log: RepairLog) -> Iterator[Map]:
    """The objects of a list, of a map by identifier, or of one page of an API. Nothing is passed over in silence."""
    if isinstance(value, dict):
        value = list(value.values()) if "results" not in value else value["results"]
    if not isinstance(value, list):
        if value is not None:
            log.note(where, f"{shown(what)} is no list; left out")
        return
    for entry in value:
        if isinstance(entry, dict):
            yield entry
        elif entry is not None:
            log.note(where, f"an entry of {shown(what)} is no object; left out")


def is_empty(value: object) -> bool:
    """Nothing that anybody said: null, an empty text, false, an empty list or object."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def remaining(entry: Map, known: frozenset[str]) -> Map:
    """What nobody has placed, by its own names: for `extra`."""
    return {field: value for field, value in entry.items() if field not in known and not is_empty(value)}


def identifier(value: object) -> str:
    """An id as text; an object stands for its own id or code."""
    if isinstance(value, dict):
        return next((found for field in ("id", "code", "guid") if (found := text(value.get(field)))), "")
    return text(value)
