"""What holds for every document that the server publishes: compared line by line, and read as a validator reads it."""

from __future__ import annotations

import copy
import difflib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RENEW = "DIGITALNOW_RENEW_SNAPSHOTS"


def references(node: Any) -> Iterator[str]:
    """Every `$ref` of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def broken_variant(document: dict[str, Any], *path: str, value: Any) -> dict[str, Any]:
    """The document with another value in one place."""
    document = copy.deepcopy(document)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def normalised(document: dict[str, Any]) -> str:
    """A document as lines that can be compared: sorted, without the release's number."""
    document = copy.deepcopy(document)
    document["info"]["version"] = "any"
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def differences(before: str, now: str) -> list[str]:
    """Lines that have gone and lines that have come."""
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", n=2, lineterm="")
    return [] if before == now else list(lines)


def assert_as_reviewed(document: dict[str, Any], snapshot: Path, test: str) -> None:
    """What clients rely on changes only on purpose, in a difference that somebody reads."""
    now = normalised(document)
    if os.environ.get(RENEW) == "1":
        snapshot.write_text(now, "utf-8")
    changed = differences(snapshot.read_text("utf-8") if snapshot.exists() else "", now)
    assert not changed, "\n".join(
        [
            f"The document differs from {snapshot.name}. If every difference is meant, run",
            f"`{RENEW}=1 python3 -m server test --quick {test}`",
            "and commit the file with the change.",
            *changed[:60],
        ]
    )


def closed(node: Any) -> Any:
    """A schema in which every object has its described members and no others: an undescribed one is a mistake."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {name: closed(value) for name, value in node.items()}
    return found | (
        {"additionalProperties": False} if "properties" in found and "additionalProperties" not in found else {}
    )
