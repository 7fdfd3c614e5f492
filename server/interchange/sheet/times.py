"""Days, clocks and lengths as people write them in spreadsheets, and as spreadsheets store them.

A function answers None where nothing can be made of a cell. Excel counts days from 30 December 1899 and the time of day as a
part of one: `46374.4375` is half past ten on 18 December 2026.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from server.interchange.reading import values
from server.interchange.sheet.cells import Cell, shown_text
from server.interchange.sheet.words import MONTHS, ascii_digits, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  (spreadsheets know no zones)
_SERIALS = range(25_569, 110_000)
"""1970 to 2201."""

_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,17})?")
_DIGITS = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})")
_WITH_CLOCK = re.compile(r"(.+?)(?:,?\s+(?:(?:à|at|في)\s+)?|T)(\d{1,2}\s*[:h].*)", re.DOTALL | re.IGNORECASE)
_CLOCK = re.compile(
    r"(\d{1,2})\s*(?:[:.h]\s*(\d{2})(?::(\d{2})(?:\.0*)?)?|h|(?=\s*[ap]))\s*(?:mn|min)?\s*(?:([ap])\.?\s?m\.?)?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(.*?\d[hap.m\s]*)\s*(?:[-–—→]|\bto\b|à|إلى)\s*(\d.*)", re.DOTALL | re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:(\d{1,4})\s*(?:h|hrs?|hours?|heures?|ساعة|ساعات)\.?\s*(?:et\s+)?)?"
    r"(?:(\d{1,6})\s*(?:m|mn|min|mins|minutes?|دقيقة|دقائق|د)?\.?)?",
    re.IGNORECASE,
)
_SECOND = timedelta(seconds=1)
_LONGEST = 80
"""Characters of a date or time; the patterns above are not meant for pages of text."""


def months_first(cells: Iterable[Cell]) -> bool:
    """Whether the dates of a column are `12/18/2026`: some can be read so only, and none the other way only."""
    found = [_DIGITS.match(_written(cell)) for cell in cells if isinstance(cell, str)]
    pairs = [(int(match[1]), int(match[2])) for match in found if match]
    return any(second > 12 for _, second in pairs) and not any(first > 12 for first, _ in pairs)


def day_of(cell: Cell, *, months_first: bool = False) -> date | None:
    """`2026-12-18`, `18/12/2026`, `18 décembre 2026`, `Friday, December 18, 2026`, a date cell or its number."""
    if isinstance(cell, datetime):
        return _in_range(cell.date())
    if isinstance(cell, date):
        return _in_range(cell)
    serial = _serial(cell)
    if serial is not None:
        return serial.date()
    written = _written(cell)
    found = _DIGITS.fullmatch(written)
    if found:
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        swapped = months_first or (second > 12 >= first)
        return _date(year + 2000 * (year < 100), first if swapped else second, second if swapped else first)
    if re.fullmatch(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", written):
        return _date(*(int(part) for part in re.split(r"[-/.]", written)))
    return values.calendar_date(written) if re.fullmatch(r"\d{8}", written) else _day_in_words(written)


def _day_in_words(written: str) -> date | None:
    words = spoken(written).split()
    numbers = [int(digits) for word in words if (digits := re.sub(r"(?<=\d)(er|st|nd|rd|th)$", "", word)).isdecimal()]
    pairs = (" ".join(words[at : at + size]) for size in (2, 1) for at in range(len(words)))
    month = next((MONTHS[word] for word in pairs if word in MONTHS), None)
    if month is None or len(numbers) != 2 or len(words) > 8:
        return None
    day, year = sorted(numbers)
    return _date(year, month, day)


def clock_of(cell: Cell) -> timedelta | None:
    """Since midnight: `10:30`, `10h30`, `10 h`, `2:30 PM`, a time cell or its part of a day. `24:30` is after midnight."""
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
    if isinstance(cell, timedelta):
        return cell if timedelta() <= cell <= timedelta(hours=36) else None
    part = _part_of_day(cell)
    if part is not None:
        return part
    found = _CLOCK.fullmatch(_written(cell))
    if not found:
        return None
    hours, minutes, seconds = (int(number or 0) for number in found.groups()[:3])
    if found[4]:
        hours = hours % 12 + 12 * (found[4].casefold() == "p") if 1 <= hours <= 12 else 99
    return values.clock(f"{hours}:{minutes:02}:{seconds:02}")


def moment_of(cell: Cell, *, months_first: bool = False) -> datetime | None:
    """A date together with a time; naive where it has no offset. None for one of the two alone."""
    if isinstance(cell, datetime):
        return cell if cell.time() != time() and _in_range(cell.date()) else None
    serial = _serial(cell)
    if serial is not None:
        return serial if serial.time() != time() else None
    written = _written(cell)
    read = values.moment(written)
    if read is not None:
        return read
    found = _WITH_CLOCK.fullmatch(written)
    day = day_of(found[1], months_first=months_first) if found else None
    clock = clock_of(found[2]) if found else None
    return None if day is None or clock is None else datetime.combine(day, time()) + clock


def clocks_of(cell: Cell) -> tuple[Cell, Cell]:
    """The two ends of `10:30 - 11:15`; the cell and None where it is no such span."""
    found = _RANGE.fullmatch(_written(cell)) if isinstance(cell, str) else None
    if found and clock_of(found[1]) is not None and clock_of(found[2]) is not None:
        return found[1], found[2]
    return cell, None


def length_of(cell: Cell) -> timedelta | None:
    """`45`, `45 min`, `1h30`, `0:45`, `PT45M`, a time cell or its part of a day; above zero, at most 14 days."""
    if isinstance(cell, datetime | time | timedelta):
        length = clock_of(cell)
    else:
        length = _part_of_day(cell) or values.duration(_written(cell)) or _length_in_words(_written(cell))
    return length if length is not None and timedelta() < length <= values.LONGEST_SESSION else None


def _length_in_words(written: str) -> timedelta | None:
    found = _LENGTH.fullmatch(written)
    return timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else None


def _written(cell: Cell) -> str:
    """With digits as ASCII, without the marks that turn the direction of writing; empty for what is far too long."""
    written = values.text(shown_text(cell))
    if len(written) > _LONGEST:
        return ""
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", ascii_digits(written)).strip()


def _number(cell: Cell) -> float | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell)
    written = _written(cell)
    return float(written) if _NUMBER.fullmatch(written) else None


def _serial(cell: Cell) -> datetime | None:
    number = _number(cell)
    if number is None or not _SERIALS.start <= number < _SERIALS.stop:
        return None
    return _DAY_ZERO + _SECOND * round(number * 86_400)


def _part_of_day(cell: Cell) -> timedelta | None:
    """A number below 1; a whole number is none, for `0` is an empty cell more often than midnight."""
    number = _number(cell)
    if number is None or not 0 < number < 1:
        return None
    return _SECOND * round(number * 86_400)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return _in_range(date(year, month, day))
    except ValueError:
        return None


def _in_range(day: date) -> date | None:
    return day if 1970 <= day.year < 2200 else None
