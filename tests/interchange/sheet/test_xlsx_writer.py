"""Workbooks as they go out: no formula, no clock, nothing cut off."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from server.interchange.programme import Programme, Session
from server.interchange.sheet import xlsx_reader, xlsx_writer
from tests.interchange.sheet.publications import published
from tests.interchange.sheet.test_csv_files import dangerous
from tests.interchange.sheet.workbooks import HEAD, book, saved

AT = datetime(2020, 12, 18, 9, 30, tzinfo=UTC)


def written(programme: Programme) -> Workbook:
    return load_workbook(io.BytesIO(xlsx_writer.write(published(programme))))


def formulas(workbook: Workbook) -> list[str]:
    return [cell.value for page in workbook for row in page.iter_rows() for cell in row if cell.data_type == "f"]


def test_no_cell_is_a_formula() -> None:
    assert formulas(written(dangerous())) == []


def test_left_to_openpyxl_there_would_be_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_comes(page: Any, row: int, column: int, text: str, _: object) -> None:
        page.cell(row, column).value = text

    monkeypatch.setattr(xlsx_writer, "write_text", as_it_comes)
    assert formulas(written(dangerous()))


def test_heads_are_held_and_arabic_stands_at_the_right() -> None:
    session = Session(key="A", title={"fr": "Un", "ar": "واحد"}, starts_at=AT, ends_at=AT + timedelta(minutes=45))
    page = written(Programme(title={"fr": "É"}, timezone="Africa/Casablanca", sessions=(session,)))["sessions"]
    heads = {cell.value: cell.column_letter for cell in page[1]}
    assert page.freeze_panes == "A2"
    assert not page.sheet_view.rightToLeft
    assert page[f"{heads['title_ar']}2"].alignment.horizontal == "right"
    assert page[f"{heads['title_fr']}2"].alignment.horizontal is None
    assert [page[f"{heads[field]}2"].value for field in ("date", "start", "end")] == ["2020-12-18", "10:30", "11:15"]
    assert page[f"{heads['title_fr']}2"].number_format == "@"


def clocks_in(data: bytes) -> set[tuple[int, ...]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {part.date_time for part in archive.infolist()}


def test_nothing_in_a_workbook_comes_from_the_clock() -> None:
    data = xlsx_writer.write(published(dangerous()))
    assert clocks_in(data) == {(1980, 1, 1, 0, 0, 0)}
    properties = load_workbook(io.BytesIO(data)).properties
    assert {properties.created.year, properties.modified.year} == {1980}
    assert clocks_in(saved(book([HEAD]))) != {(1980, 1, 1, 0, 0, 0)}, "as openpyxl leaves it"


def test_a_text_longer_than_a_cell_goes_on_in_the_next_column() -> None:
    long = ("Été\r\n " * 20_000).strip()
    session = Session(
        key="A",
        title={"fr": "Un"},
        description={"fr": long},
        starts_at=AT,
        ends_at=AT.replace(hour=10),
        extra={"x": long},
    )
    programme = Programme(title={"fr": "É"}, timezone="UTC", sessions=(session,), extra={"long": long})
    workbook = written(programme)
    assert max(len(cell.value or "") for row in workbook["sessions"].iter_rows() for cell in row) <= 32_767
    assert xlsx_reader.read(xlsx_writer.write(published(programme))) == programme
