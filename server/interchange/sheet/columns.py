"""Which column is what: heads of columns in three languages, each perhaps for one language of its texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.programme import Texts
from server.interchange.reading.texts import UNDETERMINED, shown
from server.interchange.reading.values import language, text
from server.interchange.sheet.cells import Cell, Row, Sheet, shown_text
from server.interchange.sheet.words import IN_LANGUAGES, LANGUAGES, OF_LANGUAGE, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.reading.repairs import RepairLog

_TITLE_ROWS = 20
"""So many rows may stand above the heads of the columns: a title, a logo, a date."""

_CONTINUED = re.compile(r"(.+)\+(\d{1,3})", re.DOTALL)
_TAGGED = re.compile(r"(.+?)(?:_|\s*[(\[]\s*)([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*[)\]]?", re.DOTALL)


class Column(NamedTuple):
    field: str
    tag: str = UNDETERMINED
    """The language of its texts."""


def column_of(head: str, fields: dict[str, str]) -> Column | None:
    """The column a head means: `titre`, `title_ar`, `Title (fr)`, `titre en arabe`, `العنوان بالعربية`."""
    plain = fields.get(spoken(head))
    if plain:
        return Column(plain)
    tagged = _TAGGED.fullmatch(head.strip())
    tag = language(tagged[2]) if tagged else None
    if tagged and tag and (field := fields.get(spoken(tagged[1]))) in IN_LANGUAGES:
        return Column(field, tag)
    words = spoken(head).split()
    tag = LANGUAGES.get(words[-1]) if len(words) > 1 else None
    rest = words[:-1]
    while tag and rest:
        if (field := fields.get(" ".join(rest))) in IN_LANGUAGES:
            return Column(field, tag)
        if rest.pop() not in OF_LANGUAGE:
            break
    return None


def head_and_part(head: str) -> tuple[str, bool]:
    """The head without the `+2` of a column in which the texts of the one before go on, and whether it was there."""
    continued = _CONTINUED.fullmatch(head)
    return (continued[1], True) if continued else (head, False)


class Head(NamedTuple):
    """The heads of a sheet's columns and the rows below them."""

    columns: dict[Column, list[int]]
    """Where a text goes on in further columns, all of them."""
    unknown: dict[int, str]
    """Columns with a head nobody knows."""
    unnamed: int
    """Columns from here on have no head."""
    body: list[Row]

    def fields(self) -> set[str]:
        return {column.field for column in self.columns}


def head_of(sheet: Sheet, fields: dict[str, str]) -> Head | None:
    """Of the first rows the one with the most known heads; None where none of them has any."""
    best: Head | None = None
    for at, row in enumerate(sheet.rows[:_TITLE_ROWS]):
        columns, unknown = _columns(row, fields)
        if columns and (best is None or len(columns) > len(best.columns)):
            best = Head(columns, unknown, len(row.cells), list(sheet.rows[at + 1 :]))
    return best


def _columns(row: Row, fields: dict[str, str]) -> tuple[dict[Column, list[int]], dict[int, str]]:
    columns: dict[Column, list[int]] = {}
    unknown: dict[int, str] = {}
    for index, cell in enumerate(row.cells):
        head, continued = head_and_part(text(shown_text(cell)))
        column = column_of(head, fields)
        if column is not None and (column not in columns or continued):
            columns.setdefault(column, []).append(index)
        elif head:
            unknown[index] = text(shown_text(cell))
    return columns, unknown


class Record:
    """One row below a head. Its cells are asked for by field; texts come trimmed."""

    def __init__(self, head: Head, row: Row, where: str) -> None:
        self._head = head
        self._cells = row.cells
        self.where = where

    def cell(self, field: str) -> Cell:
        """The cell as it is, of a field without languages."""
        indexes = self._head.columns.get(Column(field), ())
        if len(indexes) == 1:
            return self._at(indexes[0])
        return "".join(shown_text(self._at(index)) for index in indexes) or None

    def text(self, field: str) -> str:
        return text(shown_text(self.cell(field)))

    def texts(self, field: str) -> Texts:
        """In every language that has a column and something in it; `und` for a column without a language."""
        found = {
            column.tag: text("".join(shown_text(self._at(index)) for index in indexes))
            for column, indexes in self._head.columns.items()
            if column.field == field
        }
        return {tag: written for tag, written in found.items() if written}

    def unknown(self) -> Iterator[tuple[str, Cell]]:
        """What stands under heads nobody knows."""
        for index, head in self._head.unknown.items():
            cell = self._at(index)
            if text(shown_text(cell)):
                yield head, cell

    def single(self) -> Cell:
        """The only cell with something in it; None where there are several."""
        filled = [cell for cell in self._cells if text(shown_text(cell))]
        return filled[0] if len(filled) == 1 else None

    def _at(self, index: int) -> Cell:
        return self._cells[index] if index < len(self._cells) else None


def records(sheet: Sheet, head: Head, name: str, log: RepairLog) -> Iterator[Record]:
    """The rows below the head, each with its place in words; what stands beside all columns is reported."""
    for row in head.body:
        where = f"{name}, row {row.number}"
        if any(text(shown_text(cell)) for cell in row.cells[head.unnamed :]):
            log.note(where, "a cell to the right of the last column head; left out")
        yield Record(head, row, where)


def note_columns(head: Head, name: str, what: str, log: RepairLog) -> None:
    """Say of each unknown column what became of it."""
    for title in head.unknown.values():
        log.note(name, f"column {shown(title)} is not known; {what}")
