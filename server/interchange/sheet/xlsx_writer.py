"""Workbooks of Excel as bytes: every cell a text and never a formula, the heads held in place, the same bytes each time."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter  # has no public name that writes into memory
from openpyxl.writer.excel import ExcelWriter

from server.interchange.reading.values import NOT_TEXT
from server.interchange.sheet.cells import Sheet
from server.interchange.sheet.columns import head_and_part
from server.interchange.sheet.tables import sheets_of

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from server.interchange.programme import Publication

_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001  (the first date a ZIP can name; it has no zones)
_TEXT = "@"
"""Excel's format for cells that stay what was typed into them."""

_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
_WIDTHS = {
    "abstract": 50,
    "bio": 50,
    "date": 12,
    "description": 50,
    "end": 8,
    "id": 14,
    "links": 40,
    "name": 30,
    "speakers": 40,
    "start": 8,
    "subtitle": 30,
    "title": 40,
    "value": 50,
}
"""In characters, by the field; others are 18."""

_LIKE_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_HEAD = PatternFill("solid", start_color="DDE6F3", end_color="DDE6F3")
_BOLD = Font(bold=True)


def write(publication: Publication) -> bytes:
    """The whole programme as an XLSX file: `sessions`, `speakers`, `rooms`, `tracks`, `kinds`, `days`, `about`.

    What `sheet_xlsx.read` makes of it is the programme again, keys, order and all.
    """
    workbook = new_workbook()
    for sheet in sheets_of(publication):
        add_sheet(workbook, sheet)
    return packed(workbook)


def new_workbook() -> Workbook:
    workbook = Workbook()
    workbook.remove(workbook.active)
    workbook.properties.creator = "Digital Now"
    workbook.properties.created = workbook.properties.modified = _EPOCH
    return workbook


def add_sheet(workbook: Workbook, sheet: Sheet) -> Worksheet:
    """Heads in row 1, held in place; texts of right-to-left languages at the right of their columns."""
    page = workbook.create_sheet(sheet.name)
    page.freeze_panes = "A2"
    heads = [str(head) for head in sheet.rows[0].cells] if sheet.rows else []
    styles = [_alignment(head) for head in heads]
    for index, head in enumerate(heads, start=1):
        page.column_dimensions[get_column_letter(index)].width = _width(head)
    for row in sheet.rows:
        for index, cell in enumerate(row.cells, start=1):
            if cell:
                write_text(page, row.number, index, str(cell), styles[index - 1] if row.number > 1 else None)
    return page


def write_text(page: Worksheet, row: int, column: int, text: str, alignment: Alignment | None) -> None:
    """Past what openpyxl would make of it: a text that begins with `=` stays a text, and its format keeps it one."""
    cell = page.cell(row, column)
    cell._value = _as_kept(text)
    cell.data_type = "s"
    cell.number_format = _TEXT
    if alignment is None:
        cell.font, cell.fill = _BOLD, _HEAD
    else:
        cell.alignment = alignment


def packed(workbook: Workbook) -> bytes:
    """In memory alone, and without the clock: parts and properties bear the date at which ZIP begins."""
    file = BytesIO()
    with _Archive(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _Writer(workbook, archive).write_data()
    return file.getvalue()


class _Archive(zipfile.ZipFile):
    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        part = zipfile.ZipInfo(zinfo_or_arcname, _EPOCH.timetuple()[:6])
        part.compress_type = zipfile.ZIP_DEFLATED
        super().writestr(part, data)


class _Writer(ExcelWriter):  # type: ignore[misc]  # has no types
    def write_worksheet(self, ws: Any) -> None:
        """As openpyxl does, but for the temporary file."""
        out = BytesIO()
        writer = WorksheetWriter(ws, out)
        writer.write()
        ws._rels = writer._rels
        self._archive.writestr(ws.path[1:], out.getvalue())
        self.manifest.append(ws)


def _as_kept(text: str) -> str:
    """What XML would not keep, as workbooks escape it (see `xlsx_reader`)."""
    text = NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)
    return _LIKE_ESCAPED.sub("_x005F_", text).replace("\r", "_x000D_")


def _alignment(head: str) -> Alignment:
    tag = head_and_part(head)[0].rpartition("_")[2].partition("-")[0]
    side = {"horizontal": "right", "readingOrder": 2} if tag in _RIGHT_TO_LEFT else {}
    return Alignment(vertical="top", wrap_text=True, **side)


def _width(head: str) -> int:
    plain = head_and_part(head)[0]
    return _WIDTHS.get(plain) or _WIDTHS.get(plain.rpartition("_")[0]) or 18
