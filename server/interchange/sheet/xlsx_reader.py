"""Workbooks of Excel (.xlsx, .xlsm) as sheets of cells: measured before they are opened, and what is hostile refused.

A workbook is a ZIP of XML files. What it unpacks to, and how many elements there are, is counted first, a piece at a time;
only then `openpyxl` makes cells of it. Macros, links to other workbooks, pictures and charts are never looked at.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, TypedDict
from xml.etree.ElementTree import Element, ParseError

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import (  # the parser of a sheet's cells has no public name
    FORMULA_TAG,
    MERGE_TAG,
    ROW_TAG,
    WorkSheetParser,
)
from openpyxl.xml.constants import ARC_STYLE
from openpyxl.xml.functions import iterparse

from server.interchange.errors import UnreadableSchedule
from server.interchange.reading.repairs import RepairLog
from server.interchange.reading.texts import shown
from server.interchange.sheet.cells import Cell, Row, Sheet
from server.interchange.sheet.mend import programme_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Programme

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", _OLE)
"""How a ZIP file begins, an empty one too, and the container of Office before 2007 and of workbooks with a password."""

MAX_UNPACKED = 64 * 2**20
"""Bytes of all parts together. The largest real congress takes 3 MB."""
MAX_PARTS = 1_000
MAX_ELEMENTS = 500_000
"""Of all parts together; a cell takes two or three, and up to 300 bytes of memory each. The largest real congress has 42,000."""
MAX_ATTRIBUTES = 1_000_000
"""Equals signs, those in texts among them."""
_MAX_FORMATS = 100_000
"""Elements of the part that says how cells look, which openpyxl takes ten times longer over."""
_MAX_UNCLOSED = 2**20
"""Bytes without any end of a tag: older versions of expat read such a piece again and again. Texts of cells have 128 KiB."""
MAX_SHEETS = 50
MAX_ROWS = 20_000
"""With something in them, of all sheets together."""
MAX_COLUMNS = 300
MAX_CHARACTERS = 32 * 2**20
"""Of all cells together: one long text may be the text of many cells."""
_MAX_MERGED = 1_000
"""Merged cells of a sheet, and rows of one of them, that are looked at."""

_PIECE = 2**16
_OTHERS = (
    ("content.xml", "an OpenDocument file (.ods); open it in LibreOffice and save it as Excel 2007-365 (.xlsx)"),
    ("xl/workbook.bin", "a binary workbook (.xlsb); open it in Excel and save it as Excel workbook (.xlsx)"),
    ("Index/Document.iwa", "a Numbers document; open it in Numbers and export it to Excel (.xlsx)"),
    ("word/document.xml", "a Word document; give the table as an Excel workbook (.xlsx) or as CSV"),
)
_DAMAGED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    ParseError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What comes out of the libraries for a workbook that is not as its standard wants it; refusals of defusedxml are ValueErrors."""

_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_ELEMENT = re.compile(rb"<(?![/!?])")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
"""How a workbook writes characters that XML does not keep (ECMA-376, part 1, 22.9.2.19): a carriage return is `_x000D_`."""


def read(data: bytes, *, filename: str = "", timezone: str | None = None) -> Programme:
    """`timezone` is for workbooks that name none. Raises `UnreadableSchedule` for what cannot be opened or has no sessions."""
    log = RepairLog()
    return programme_of(sheets_of(data, log), log, filename=filename, timezone=timezone)


def sheets_of(data: bytes, log: RepairLog) -> list[Sheet]:
    """All sheets, their formulas as the values that were stored with them."""
    if data.startswith(_OLE):
        raise UnreadableSchedule(f"byte 0: this is {_old_office(data)} (.xlsx)")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what openpyxl leaves out is nothing that we look at
            _measure(archive)
            return _Reader(BytesIO(data)).sheets(log)
    except _DAMAGED as fault:
        raise UnreadableSchedule(
            "byte 0: the workbook is damaged or was cut short; open it in Excel or LibreOffice and save it as .xlsx again"
        ) from fault


def _old_office(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "a workbook protected by a password; open it in Excel and save it without one"
    return "a file of Office before 2007 (.xls); open it in Excel or LibreOffice and save it as Excel workbook"


def _measure(archive: zipfile.ZipFile) -> None:
    """Sizes as the directory names them, which `zipfile` then keeps to; then the elements, as they are unpacked."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    for name, what in _OTHERS:
        if name in names:
            raise UnreadableSchedule(f"byte 0: this is {what}")
    if "[Content_Types].xml" not in names:
        raise UnreadableSchedule(
            "byte 0: this is a ZIP file and no Excel workbook; unpack it and give the schedule in it"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableSchedule("byte 0: the workbook is protected by a password; save it without one")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise UnreadableSchedule(
            f"byte 0: the workbook unpacks to more than {MAX_PARTS} parts or {MAX_UNPACKED // 2**20} MiB; take out pictures and "
            "sheets that are no programme"
        )
    if any(part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for part in parts):
        raise UnreadableSchedule(
            "byte 0: the workbook is packed in a way that Excel does not read; save it as .xlsx again"
        )
    counts = _Counts()
    for part in parts:
        with archive.open(part) as file:
            counts.add(part.filename, iter(lambda file=file: file.read(_PIECE), b""))  # type: ignore[misc]


class _Counts:
    """Of all parts together, as they are unpacked: what takes memory once it is parsed."""

    def __init__(self) -> None:
        self._elements = 0
        self._attributes = 0

    def add(self, part: str, pieces: Iterator[bytes]) -> None:
        first = next(pieces, b"")
        if first.lstrip(_BEFORE_XML)[:1] not in {b"<", b""}:
            first, pieces = (
                b"",
                filter(None, (piece[:0] for piece in pieces)),
            )  # a picture, to be unpacked and not parsed
        most = min(MAX_ELEMENTS, self._elements + _MAX_FORMATS) if part == ARC_STYLE else MAX_ELEMENTS
        unclosed = 0
        for piece in chain((first,), pieces):
            self._elements += sum(1 for _ in _ELEMENT.finditer(piece))
            self._attributes += piece.count(b"=")
            closed = piece.rfind(b">")
            unclosed = unclosed + len(piece) if closed < 0 else len(piece) - closed
            if self._elements > most or self._attributes > MAX_ATTRIBUTES or unclosed > _MAX_UNCLOSED:
                raise UnreadableSchedule(
                    f"part {part}: more than {most} elements, or one of more than {_MAX_UNCLOSED // 2**20} MiB; delete "
                    "rows and columns that look empty but are formatted, and sheets that are no programme"
                )


class _Raw(TypedDict):
    """A cell as openpyxl's parser hands it over."""

    row: int
    column: int
    value: Cell
    data_type: str
    style_id: int


class _Reader(ExcelReader):  # type: ignore[misc]  # has no types
    """Opens no more than cells need: neither properties nor names nor themes, over which real files stumble."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)

    def sheets(self, log: RepairLog) -> list[Sheet]:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        budget = _Budget(log)
        found: dict[str, Sheet] = {}
        for sheet, relation in self.parser.find_sheets():
            path = relation.target
            if "chartsheet" in relation.Type or path in found or path not in self.valid_files:
                continue
            if len(found) == MAX_SHEETS:
                log.unkept("file", f"sheet {shown(sheet.name)} and further ones")
                break
            found[path] = Sheet(sheet.name, self._rows(path, sheet.name, budget))
        return list(found.values())

    def _rows(self, path: str, name: str, budget: _Budget) -> list[Row]:
        with self.archive.open(path) as source:
            parser = _Parser(
                source,
                self.shared_strings,
                data_only=True,
                epoch=self.wb.epoch,
                date_formats=self.wb._date_formats,
                timedelta_formats=self.wb._timedelta_formats,
            )
            rows = {number: cells for number, raw in parser.parse() if (cells := budget.cells(name, number, raw))}
        for place in parser.uncounted:
            budget.log.note(
                f"{name}, cell {place}", "a formula without a stored result, or with an error for one; left empty"
            )
        for merged in parser.merged[:_MAX_MERGED]:
            _fill(rows, merged, name, budget.log)
        return [Row(number, rows[number]) for number in sorted(rows)]


class _Budget:
    """What all sheets of a workbook may hold together."""

    def __init__(self, log: RepairLog) -> None:
        self.log = log
        self._rows = 0
        self._characters = 0

    def cells(self, sheet: str, number: int, raw: list[_Raw]) -> list[Cell]:
        """A row from column A to its last filled cell; empty for a row without any."""
        filled = [(cell["column"], cell["value"]) for cell in raw if cell["value"] not in (None, "")]
        if any(column > MAX_COLUMNS for column, _ in filled):
            self.log.note(f"{sheet}, row {number}", f"cells beyond column {MAX_COLUMNS}; left out")
            filled = [(column, value) for column, value in filled if column <= MAX_COLUMNS]
        if not filled:
            return []
        self._rows += 1
        self._characters += sum(len(value) for _, value in filled if isinstance(value, str))
        if self._rows > MAX_ROWS or self._characters > MAX_CHARACTERS:
            raise UnreadableSchedule(
                f"{sheet}, row {number}: more than {MAX_ROWS} rows or {MAX_CHARACTERS // 2**20} million characters up to here; "
                "leave out what is no programme, or split it"
            )
        cells: list[Cell] = [None] * max(column for column, _ in filled)
        for column, value in filled:
            cells[column - 1] = _meant(value) if isinstance(value, str) else value
        return cells


class _Parser(WorkSheetParser):  # type: ignore[misc]  # has no types
    """Rows and merged cells of a sheet, and nothing else of it."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.uncounted: list[str] = []
        self.merged: list[str] = []

    def parse(self) -> Iterator[tuple[int, list[_Raw]]]:
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                yield self.parse_row(element)
                element.clear()
            elif element.tag == MERGE_TAG:
                self.merged = [cell.get("ref", "") for cell in element]

    def parse_cell(self, element: Element) -> _Raw:
        cell: _Raw = super().parse_cell(element)
        if cell["data_type"] == "e":
            cell["value"] = None
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            self.uncounted.append(element.get("r", "?"))
        return cell


def _meant(value: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _fill(rows: dict[int, list[Cell]], merged: str, name: str, log: RepairLog) -> None:
    """Cells merged downwards mean that the rows share what is in them; across, they are a title."""
    column, first, _, last = range_boundaries(merged)
    if first is None or last is None:  # whole columns
        return
    above = rows.get(first, [])
    if not first < last <= first + _MAX_MERGED or column > len(above) or above[column - 1] is None:
        return
    for number in range(first + 1, last + 1):
        cells = rows.get(number)
        if cells is not None and (len(cells) < column or cells[column - 1] is None):
            cells.extend([None] * (column - len(cells)))
            cells[column - 1] = above[column - 1]
    log.note(f"{name}, cells {merged}", "merged; what is in them was taken for each of their rows")
