"""CSV, as Excel in any country writes it and as it opens it: separators, encodings, and cells that must not become formulas."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from server.interchange.errors import UnreadableSchedule
from server.interchange.reading.repairs import RepairLog
from server.interchange.reading.values import NOT_TEXT
from server.interchange.sheet.cells import Row, Sheet
from server.interchange.sheet.columns import head_of
from server.interchange.sheet.mend import WANTED, is_head_of_sessions, programme_of
from server.interchange.sheet.tables import sessions_alone
from server.interchange.sheet.words import SESSION_FIELDS

if TYPE_CHECKING:
    from server.interchange.programme import Programme, Publication

_SEPARATORS = ",;\t"
_BEGINNING = 20_000
"""Characters in which the heads of the columns must stand."""

MAX_CELLS = 1_000_000
"""Separators and line ends of a file, those within texts among them; 2,000 sessions of 60 columns are 120,000."""

_ARABIC_WORD = re.compile(rb"[\xc1-\xdf\xe1\xe3-\xe6\xec\xed]{3}")
"""Three Arabic letters of cp1256 on end. It has French letters where cp1252 has them, and these never stand so together."""

_EXCELS_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
"""What Excel, LibreOffice and Google Sheets calculate instead of showing (OWASP, CSV Injection)."""


def is_programme(text: str) -> bool:
    """Whether a text begins with heads of columns that are those of sessions."""
    return _separator(text) is not None


def read(text: str, *, filename: str = "", timezone: str | None = None, log: RepairLog | None = None) -> Programme:
    """The sessions; rooms, tracks, kinds and speakers are made of their names.

    `log` may hold what was mended before the text was there. Raises `UnreadableSchedule` for what is no such table.
    """
    separator = _separator(text)
    if separator is None:
        raise UnreadableSchedule(f"row 1: no row with the heads of columns of a programme is found; {WANTED}")
    if text.count(separator) + text.count("\n") + text.count("\r") > MAX_CELLS:
        raise UnreadableSchedule(f"row 1: more than {MAX_CELLS} cells; leave out what is no programme, or split it")
    log = log or RepairLog()
    rows = _rows(_EXCELS_SEPARATOR.sub("", text, count=1) if _EXCELS_SEPARATOR.match(text) else text, separator, log)
    return programme_of([Sheet("sessions", rows)], log, filename=filename, timezone=timezone)


def read_eight_bit(data: bytes, *, filename: str = "", timezone: str | None = None) -> Programme | None:
    """A table in the encoding of an older Windows, which is reported; None where it is none in UTF-8's place."""
    if b"\0" in data:
        return None
    encoding, name = ("cp1256", "Arabic") if _ARABIC_WORD.search(data) else ("cp1252", "Western European")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    if not is_programme(text):
        return None
    log = RepairLog()
    log.note(
        "the whole file", f"not UTF-8; read as {name} Windows ({encoding}): save it as CSV UTF-8 if letters are wrong"
    )
    return read(text, filename=filename, timezone=timezone, log=log)


def write(publication: Publication, *, language: str | None = None) -> bytes:
    """UTF-8 with its mark, without which Excel takes it for something else, and CRLF (RFC 4180).

    A column for each language a text has, or of each text the one in `language` (else in the event's default language,
    else any). No cell begins as a formula does: an apostrophe stands before it, and `read` takes it off again.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    for row in sessions_alone(publication, language=language).rows:
        writer.writerow([_harmless(str(cell)) for cell in row.cells])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _harmless(cell: str) -> str:
    cell = NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", cell)
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _as_meant(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _separator(text: str) -> str | None:
    """The one with which the most heads are known; None where those of sessions are not among them."""
    declared = _EXCELS_SEPARATOR.match(text)
    best, most = None, 0
    for separator in declared[1] if declared and declared[1] in _SEPARATORS else _SEPARATORS:
        beginning = io.StringIO(text[declared.end() if declared else 0 :][:_BEGINNING], newline="")
        rows = []
        try:
            for number, cells in enumerate(csv.reader(beginning, delimiter=separator), start=1):
                rows.append(Row(number, cells))
        except csv.Error:
            continue
        head = head_of(Sheet("sessions", [row for row in rows if any(row.cells)]), SESSION_FIELDS)
        if head is not None and is_head_of_sessions(head) and len(head.columns) > most:
            best, most = separator, len(head.columns)
    return best


def _rows(text: str, separator: str, log: RepairLog) -> list[Row]:
    """Strictly; where quotation marks are not doubled or not closed, as they come, which is reported."""
    try:
        return _parsed(text, separator, log, strict=True)
    except csv.Error as fault:
        where = str(fault)
    rows = _parsed(text, separator, log, strict=False)
    log.note("sessions", f"a quotation mark is not doubled or not closed ({where}); the text was taken as it stands")
    return rows


def _parsed(text: str, separator: str, log: RepairLog, *, strict: bool) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    rows = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cells):
                rows.append(Row(number, [_as_meant(_text(cell, number, log)) for cell in cells]))
    except csv.Error as fault:
        if strict:
            raise
        raise UnreadableSchedule(
            f"sessions, row {number + 1}: a cell never ends, perhaps for want of a quotation mark ({fault}); close it"
        ) from fault
    return rows


def _text(cell: str, number: int, log: RepairLog) -> str:
    if not NOT_TEXT.search(cell):
        return cell
    log.note(f"sessions, row {number}", "a character that no text may hold; replaced by \N{REPLACEMENT CHARACTER}")
    return NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", cell)
