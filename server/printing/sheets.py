"""Badges on pages: one on each, or four on a sheet of A4 with marks where to cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import BinaryIO, Final, Literal

from msgspec import Struct

from server.printing.badge import HEIGHT, MM, WIDTH, Printed, draw
from server.printing.pdf import PdfWriter, number

Size = Literal["a6", "a4"]

MARK: Final = 4 * MM
PROGRESS_EVERY: Final = 100

Progress = Callable[[int], None]
"""Called with how many badges are drawn."""


class Layout(Struct, frozen=True):
    columns: int
    rows: int

    @property
    def width(self) -> float:
        return self.columns * WIDTH

    @property
    def height(self) -> float:
        return self.rows * HEIGHT


LAYOUTS: Final[dict[Size, Layout]] = {"a6": Layout(1, 1), "a4": Layout(2, 2)}


def print_badges(file: BinaryIO, badges: Iterable[Printed], *, size: Size, title: str, progress: Progress) -> int:
    """Writes the document and returns its number of pages; about 1.5 ms a badge. Row by row from the top left."""
    layout = LAYOUTS[size]
    pdf = PdfWriter(file, title=title, width=layout.width, height=layout.height)
    marks = _marks(layout)
    row = iter(badges)
    pages = drawn = 0
    while sheet := list(islice(row, layout.columns * layout.rows)):
        places = [_place(layout, number) for number in range(len(sheet))]
        content = [draw(pdf, badge, *place) for badge, place in zip(sheet, places, strict=True)]
        pdf.page(b"".join([*content, marks]))
        pages += 1
        drawn += len(sheet)
        if drawn // PROGRESS_EVERY > (drawn - len(sheet)) // PROGRESS_EVERY:
            progress(drawn)
    progress(drawn)
    pdf.finish()
    return pages


def _place(layout: Layout, which: int) -> tuple[float, float]:
    row, column = divmod(which, layout.columns)
    return column * WIDTH, (layout.rows - 1 - row) * HEIGHT


def _marks(layout: Layout) -> bytes:
    """Short strokes at the ends and crossings of the cuts; none for a page that is not cut."""
    upright = [
        _stroke(cut * WIDTH, row * HEIGHT - MARK, cut * WIDTH, row * HEIGHT + MARK)
        for cut in range(1, layout.columns)
        for row in range(layout.rows + 1)
    ]
    level = [
        _stroke(column * WIDTH - MARK, cut * HEIGHT, column * WIDTH + MARK, cut * HEIGHT)
        for cut in range(1, layout.rows)
        for column in range(layout.columns + 1)
    ]
    return f"0.3 w 0.5 G\n{''.join(upright + level)}".encode() if upright or level else b""


def _stroke(*ends: float) -> str:
    from_x, from_y, to_x, to_y = (number(end) for end in ends)
    return f"{from_x} {from_y} m {to_x} {to_y} l S\n"
