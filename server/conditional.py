"""Conditional and compressed answers (RFC 9110 §8.8, §12.5.3, §13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime


def is_unchanged(if_none_match: str | None, *etags: str) -> bool:
    """Whether the reader already holds one of these representations. Compared weakly, as the RFC wants for a GET."""
    return held_of(if_none_match, *etags) is not None


def held_of(if_none_match: str | None, *etags: str) -> str | None:
    """Which of these representations the reader already holds, the first one for `*`; None for none of them."""
    if not if_none_match:
        return None
    if if_none_match.strip() == "*":
        return etags[0]
    held = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return next((etag for etag in etags if etag in held), None)


def http_date(moment: datetime) -> str:
    """As `Last-Modified` has it. `moment` is aware; what it has beyond the second is cut off."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def read_http_date(text: str | None) -> datetime | None:
    """The moment in any of the three forms that RFC 9110 §5.6.7 wants to be understood; None for anything else."""
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def last_modified(moment: datetime, before: datetime | None) -> datetime:
    """A whole second, later than that of the content `before`: who asks by the date must not miss the second of two changes
    that came within one second."""
    found = moment.replace(microsecond=0)
    return found if before is None or found > before else before + timedelta(seconds=1)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether `Accept-Encoding` allows gzip; a weight of 0 forbids it."""
    for part in (accept_encoding or "").lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
