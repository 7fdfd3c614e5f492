"""The one door for schedule files: tells the format by the content, reads it, or says in a sentence why not."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from typing import TYPE_CHECKING

from server.interchange import json_formats
from server.interchange.errors import UnreadableSchedule
from server.interchange.frab import xml_reader
from server.interchange.ical import reader as ical_reader
from server.interchange.ical.lines import with_whole_characters
from server.interchange.reading.texts import shown
from server.interchange.reading.values import zone
from server.interchange.sheet import csv_files, xlsx_reader

if TYPE_CHECKING:
    from server.interchange.programme import Programme

MAX_BYTES = 32 * 1024 * 1024
"""Of the file as sent and as unpacked. The largest real congress has 2.3 MB."""

_WANTED = "give frab's schedule.xml or .json, JSON of pretalx or Sessionize, .ics, .xlsx, or .csv with heads"
_CALENDAR = "begin:vcalendar"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"{\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\0{", "utf-16-be"),
)
"""How a file in Unicode begins. UTF-32 first: its little-endian mark begins with that of UTF-16."""

_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,80}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_EIGHT_BIT = re.compile(r"iso8859-\d+|cp125\d|koi8-[ru]|mac-roman")
"""Python's names of the encodings accepted beside Unicode: one byte a character, so nothing can be hidden in them."""

_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a database"),
)
_STRANGE_TEXTS: tuple[tuple[str, str], ...] = (
    ("<!doctype html", "a web page, often the login or error page of the site"),
    ("<html", "a web page, often the login or error page of the site"),
)


def read_schedule(data: bytes, *, filename: str = "", timezone: str | None = None) -> Programme:
    """Read frab XML, schedule.json version 1 or version 2, iCalendar, XLSX, CSV, what the APIs of pretalx and Sessionize
    answer, or another list of sessions in JSON; gzip and byte order marks are accepted.

    `filename` is only a stand-in title. `timezone` is the event's, an IANA name, for the times of files that say neither
    a zone nor offsets; a file's own zone goes before it. Raises `UnreadableSchedule`, and nothing else, for a file that
    must be refused whole; everything less is mended and listed in `Programme.repairs`.
    """
    if timezone is not None:
        timezone = _known_zone(timezone)
    data = _unpacked(data)
    if data.startswith(xlsx_reader.SIGNATURES):
        return xlsx_reader.read(data, filename=filename, timezone=timezone)
    try:
        text = _text(data)
    except UnreadableSchedule:
        table = csv_files.read_eight_bit(data, filename=filename, timezone=timezone)
        if table is None:
            raise
        return table
    start = text[:64].lstrip().casefold()
    for mark, name in _STRANGE_TEXTS:
        if start.startswith(mark):
            raise UnreadableSchedule(f"line 1: this is {name}, not a schedule file; {_WANTED}")
    if start.startswith("<"):
        return xml_reader.read(text, filename=filename)
    if start.startswith(("{", "[")):
        return json_formats.read(text, filename=filename, timezone=timezone)
    if start.startswith(_CALENDAR):
        return ical_reader.read(text, filename=filename, timezone=timezone)
    if csv_files.is_programme(text):
        return csv_files.read(text, filename=filename, timezone=timezone)
    raise UnreadableSchedule(f"line 1: this is no XML, no JSON, no calendar and no table of sessions; {_WANTED}")


def _known_zone(name: str) -> str:
    found = zone(name)
    if found is None:
        raise UnreadableSchedule(
            f"line 1: time zone {shown(name)}, given for the event, is not known; give one such as UTC"
        )
    return found.key


def _unpacked(data: bytes) -> bytes:
    _check_size(len(data))
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as fault:
            raise UnreadableSchedule("the gzip stream breaks off or is damaged: fetch the file again") from fault
        _check_size(len(data))
    if not data.strip():
        raise UnreadableSchedule(f"byte 0: the file is empty; {_WANTED}")
    for mark, name in _STRANGERS:
        if data.startswith(mark):
            raise UnreadableSchedule(f"byte 0: this is {name}, not a schedule file; {_WANTED}")
    return data


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise UnreadableSchedule(
            f"byte {MAX_BYTES}: the file goes on beyond {MAX_BYTES // 2**20} MiB; leave out what is no schedule"
        )


def _text(data: bytes) -> str:
    encoding = _encoding(data)
    if encoding == "utf-8" and _CALENDAR.encode() in data[:64].lower():
        data = with_whole_characters(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as fault:
        raise UnreadableSchedule(
            f"byte {fault.start}: not {encoding.upper()}; save the file as UTF-8, or name its encoding in line 1"
        ) from fault
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise UnreadableSchedule(f"line {line}: a NUL character, which no text holds; save the file as UTF-8")
    return text.removeprefix("\N{BYTE ORDER MARK}")


def _encoding(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    found = _DECLARED.match(data[:200])
    if not found:
        return "utf-8"
    declared = found[1].decode("ascii")
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    if name == "ascii" or name.startswith(("utf-8", "utf-16", "utf-32")):
        return "utf-8"  # what can be read as ASCII so far is neither UTF-16 nor UTF-32, whatever it says
    if not _EIGHT_BIT.fullmatch(name):
        raise UnreadableSchedule(f"line 1: encoding {declared} is not read here; save the file as UTF-8")
    return name
