"""Keys that no two things of one file share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Keys:
    """Gives out every key once: `wanted`, then `wanted~2`, `wanted~3`…, quickly however often it is wanted."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._last: Counter[str] = Counter()

    def free(self, wanted: str) -> str:
        key = wanted
        while key in self._taken:
            self._last[wanted] += 1
            key = f"{wanted}~{self._last[wanted] + 1}"
        self._taken.add(key)
        return key
