"""A badge's code as a QR: the modules as one path, which prints sharp at any size."""

from __future__ import annotations

from typing import Final

import segno

MODULES: Final = 37
"""A side of version 5."""
QUIET: Final = 4
"""Modules that stay white on every side (ISO/IEC 18004 §9.1)."""
MASK: Final = 2
"""The same for all: finding the best of eight takes five times as long, and a signature looks random under any of them."""


def modules_of(code: str) -> list[bytearray]:
    """Rows of modules from the top, 1 is dark. Version 5, or what a longer code of another make needs; correction level M."""
    symbol = segno.make(code, error="m", mask=MASK, boost_error=False, micro=False)
    return [bytearray(row) for row in symbol.matrix]


def path_of(rows: list[bytearray]) -> tuple[int, bytes]:
    """Modules a side, and PDF operators that fill the dark ones; a module is 1 wide and the origin is below at the left."""
    side = len(rows)
    parts = []
    for height, row in enumerate(rows):
        place = row.find(1)
        while place >= 0:
            end = row.find(0, place)
            end = side if end < 0 else end
            parts.append(b"%d %d %d 1 re" % (place, side - 1 - height, end - place))
            place = row.find(1, end)
    return side, b"\n".join([*parts, b"f"])
