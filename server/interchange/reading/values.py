"""Single values as frab files write them, read tolerantly: a function answers None where nothing can be made of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST_SESSION = timedelta(days=14)
"""Exhibitions run for days; more than this is a mistyped number."""

_YEARS = range(1970, 2200)
"""Years a conference may lie in. Far from datetime's own bounds, so no shift between zones can overflow."""

NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of XML 1.0 (section 2.2): half emojis of JSON files, and NUL, which no database text holds."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_HOURS = re.compile(r"(\d{1,4}):(\d{1,2})(?::(\d{1,2}))?")
_PERIOD = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})(?:\.\d+)?S)?)?"
)
_COLOR = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_ZONE = re.compile(r"(?!right/|posix/|localtime)[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")
_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def text(value: object) -> str:
    """A text or a number as text, trimmed; everything else is the empty text.

    Characters no text may hold become U+FFFD, the replacement character.
    """
    if isinstance(value, str):
        return NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def language(value: str) -> str | None:
    """One BCP 47 tag in its usual spelling (`de_at` is `de-AT`); None for several languages or none."""
    tag = value.strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        return None
    primary, *rest = tag.split("-")
    return "-".join([primary.lower(), *(_subtag(part) for part in rest)])


def _subtag(part: str) -> str:
    """RFC 5646 section 2.1.1: regions in capitals, scripts with a capital first, the rest small."""
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part.lower()


def languages(value: str) -> tuple[str, ...]:
    """The valid tags of a list such as `de, en` or `fr/ar`."""
    tags = (language(part) for part in re.split(r"[,;/|&\s]+", value))
    return tuple(tag for tag in tags if tag)


def moment(value: object) -> datetime | None:
    """An ISO 8601 date with a time; naive where it has no offset. None for a date alone."""
    written = text(value)
    if not re.match(r"\d{4}-?\d\d-?\d\d[T ]\d", written):
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read if read.year in _YEARS else None


def calendar_date(value: object) -> date | None:
    """A date, or the date part of a date with a time."""
    try:
        read = date.fromisoformat(text(value)[:10])
    except ValueError:
        return None
    return read if read.year in _YEARS else None


def clock(value: object) -> timedelta | None:
    """`HH:MM` or `HH:MM:SS` since midnight. `24:30` is half an hour into the next day, as Pentabarf wrote it."""
    found = _CLOCK.fullmatch(text(value))
    if not found:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if hours > 36 or minutes > 59 or seconds > 59:
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def duration(value: object) -> timedelta | None:
    """`HH:MM`, `H:MM:SS`, minutes, or an ISO 8601 period up to weeks; above zero and at most `LONGEST_SESSION`.

    EventFahrplan takes three parts as days, hours, minutes; the standard's XSD takes them as hours, minutes, seconds,
    and so does this function.
    """
    written = text(value)
    length = timedelta()
    if re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", written):
        length = timedelta(minutes=float(written))
    elif found := _HOURS.fullmatch(written):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    elif found := _PERIOD.fullmatch(written):
        length = timedelta(**{unit: int(number) for unit, number in found.groupdict().items() if number})
    return length if timedelta() < length <= LONGEST_SESSION else None


def color(value: object) -> str | None:
    """`#rrggbb`, small letters; `#rgb` is widened."""
    found = _COLOR.fullmatch(text(value))
    if not found:
        return None
    digits = found[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def capacity(value: object) -> int | None:
    """Seats of a room, at least 1."""
    written = text(value)
    return int(written) or None if re.fullmatch(r"\d{1,6}", written) else None


def zone(name: str) -> ZoneInfo | None:
    """A zone by its IANA name, or by its city alone: Rails, and with it frab, writes `Berlin` for `Europe/Berlin`."""
    name = name.replace(" ", "_")[:80]
    for candidate in (name, name.title(), *(f"{area}/{name}" for area in _AREAS)):
        if _ZONE.fullmatch(candidate):
            try:
                return ZoneInfo(candidate)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return None


def zone_of_offset(offset: timedelta) -> str | None:
    """The IANA name of a fixed whole-hour offset; its signs are those of POSIX, so +01:00 is `Etc/GMT-1`."""
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest or not -12 <= hours <= 14:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def instant(local: datetime, tz: ZoneInfo) -> datetime:
    """An aware or naive time as UTC; a naive one is read on the clocks of `tz`.

    Always UTC: between two times of one `ZoneInfo` Python subtracts clocks, not instants, and is an hour off over a
    change of the clocks.
    """
    return (local if local.tzinfo else local.replace(tzinfo=tz)).astimezone(UTC)
