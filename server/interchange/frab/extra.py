"""What a file says and a `Programme` has no place for: as JSON values that a database takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from server.interchange.reading.texts import shown
from server.interchange.reading.values import NOT_TEXT, text

if TYPE_CHECKING:
    from server.interchange.frab.xml_tree import Node
    from server.interchange.programme import Extra
    from server.interchange.reading.repairs import Kind, RepairLog

DEEPEST = 12
"""Levels of one value. Deeper ones are reported and left out: every reader of them would have to go as deep."""

_EMPTY: tuple[object, ...] = (None, "", [], {})


def unknown_fields(entry: dict[str, Any], known: frozenset[str], kind: Kind, log: RepairLog) -> Extra:
    """The fields of a JSON object that are not `known` and hold something."""
    found: Extra = {}
    for field, value in entry.items():
        if field not in known:
            put(found, field, value, kind, log)
    return found


def unknown_parts(nodes: list[Node], attributes: dict[str, str], kind: Kind, log: RepairLog) -> Extra:
    """Elements and attributes of XML, by name; an element that comes several times is a list."""
    found: Extra = {}
    for name, value in attributes.items():
        put(found, name, value.strip(), kind, log)
    for node in nodes:
        if not node.holds_something():
            continue
        if node.tag in found:
            before = found[node.tag]
            entries = before if isinstance(before, list) else [before]
            found[node.tag] = [*entries, value_of(node)]
        else:
            found[node.tag] = value_of(node)
    return {name: clean for name, value in found.items() if (clean := _checked(value, name, kind, log)) not in _EMPTY}


def put(extra: Extra, field: str, value: object, kind: Kind, log: RepairLog) -> None:
    """Keep one value, unless it says nothing."""
    if value in _EMPTY:
        return
    clean = _checked(value, field, kind, log)
    if clean not in _EMPTY:
        extra[text(field)] = clean


def value_of(node: Node) -> Any:
    """An element as JSON: its text, or an object of its attributes and elements, its own text as `text`."""
    if not node.children and not node.attributes:
        return node.text().strip()
    found: dict[str, Any] = dict(node.attributes)
    for child in node.children:
        value = value_of(child)
        before = found.get(child.tag)
        found[child.tag] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    own = node.own_text()
    return {**found, "text": own} if own else found


def _checked(value: object, field: str, kind: Kind, log: RepairLog) -> Any:
    try:
        return clean(value, DEEPEST)
    except RecursionError:
        log.unkept(kind, f"{shown(text(field)).strip('`')}, nested more than {DEEPEST} deep,")
        return None


def clean(value: object, levels: int) -> Any:
    """Texts without what no text may hold, numbers that JSON has. Raises `RecursionError` below `levels`."""
    if levels == 0:
        raise RecursionError
    if isinstance(value, str):
        return NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {clean(str(name), levels): clean(entry, levels - 1) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [clean(entry, levels - 1) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
