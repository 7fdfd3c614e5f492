"""What a spreadsheet is to us, whatever its file format: sheets of rows of cells; and how long texts and lists lie in cells."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.reading.values import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | int | float | bool | datetime | date | time | timedelta | None
"""CSV knows texts only. Dates and times of XLSX are naive."""

CELL_LENGTH = 16_000
"""Characters of a cell as we write it. Excel takes 32,767 UTF-16 units; what is longer goes on in a column `name+2`."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Row(NamedTuple):
    number: int
    """As the spreadsheet shows it, from 1."""
    cells: Sequence[Cell]
    """From column A on; as long as its last cell."""


class Sheet(NamedTuple):
    name: str
    rows: Sequence[Row]
    """Those with something in them."""


def shown_text(cell: Cell) -> str:
    """A cell as text, not trimmed: dates as ISO 8601, whole numbers without a point."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        minutes = cell // timedelta(minutes=1)
        return f"{minutes // 60}:{minutes % 60:02}"
    return text(cell)


def table(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Sheet:
    """A sheet to be written: its header in row 1, columns without any text left out, long texts over several columns."""
    body = list(rows)
    columns: list[tuple[str, list[str]]] = []
    for index, title in enumerate(header):
        column = [row[index] for row in body]
        longest = max(map(len, column), default=0)
        for part in range(-(-longest // CELL_LENGTH)):
            pieces = [cell[part * CELL_LENGTH : (part + 1) * CELL_LENGTH] for cell in column]
            columns.append((f"{title}+{part + 1}" if part else title, pieces))
    titles = Row(1, [title for title, _ in columns])
    return Sheet(name, [titles, *(Row(at + 2, [cells[at] for _, cells in columns]) for at in range(len(body)))])


def escaped(written: str, marks: str) -> str:
    r"""A text as a part of a list in a cell: a backslash before `marks`, line ends as `\n` and `\r`."""
    for mark in ("\\", *marks):
        written = written.replace(mark, f"\\{mark}")
    return written.replace("\n", "\\n").replace("\r", "\\r")


def unescaped(written: str) -> str:
    return _ESCAPE.sub(lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), written).strip()


def split(written: str, marks: str) -> list[str]:
    """The parts between `marks` that have no backslash before them: still escaped, trimmed, empty ones too."""
    mark = re.escape(marks)
    parts = [""]
    for found in re.finditer(rf"(?:\\.|[^\\{mark}])+|[{mark}]|\\", written, re.DOTALL):
        if len(found[0]) == 1 and found[0] in marks:
            parts.append("")
        else:
            parts[-1] += found[0]
    return [part.strip() for part in parts]
