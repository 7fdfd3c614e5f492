"""The list of what a reader mended, kept short enough to be read: the same mend in many places is one line."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from server.interchange.programme import Repair

SINGLY = 5
"""Up to this often the same mend is named place by place; beyond, it is counted."""

MOST = 500
"""Lines of a report; who has more to mend mends the source. How many more there are is said in the last line."""

WHOLE = "the whole file"

Kind = Literal["event", "speaker", "room", "track", "day", "conference", "schedule", "file"]


class RepairLog:
    """Collects mends while one file is read, in the order of the file."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._unkept: Counter[tuple[Kind, str]] = Counter()

    def note(self, where: str, what: str) -> None:
        """`what` should be the same sentence for the same mend, without the place and without passing values."""
        self._places.setdefault(what, []).append(where)

    def unkept(self, kind: Kind, field: str) -> None:
        """Count a field with something in it that a `Programme` has no place for."""
        self._unkept[kind, field] += 1

    def repairs(self) -> tuple[Repair, ...]:
        """What was noted, `MOST` lines of it, then one line per field that is not kept."""
        found = [repair for what, places in self._places.items() for repair in _lines(what, places)]
        if len(found) > MOST:
            found[MOST:] = [Repair(where=WHOLE, what=f"{len(found) - MOST} more mends are not listed")]
        for (kind, field), count in self._unkept.items():
            found.append(Repair(where=WHOLE, what=f"field `{field}` {_holders(kind, count)} is not kept"))
        return tuple(found)


def _lines(what: str, places: list[str]) -> list[Repair]:
    if len(places) <= SINGLY:
        return [Repair(where=where, what=what) for where in places]
    return [Repair(where=f"{len(places)} places: {', '.join(places[:SINGLY])}, …", what=what)]


def _holders(kind: Kind, count: int) -> str:
    if kind in {"conference", "schedule", "file"}:
        return f"of the {kind}"
    if kind in {"event", "day"}:
        return f"in {count} {kind}{'' if count == 1 else 's'}"
    return f"at {count} {'mention' if count == 1 else 'mentions'} of a {kind}"
