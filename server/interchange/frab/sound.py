"""Whether the value of one field of a `Programme` keeps what its docstring promises, when it comes from a stranger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from server.interchange.frab.links import web_address
from server.interchange.programme import Day, Link
from server.interchange.reading import values
from server.interchange.reading.session_keys import LARGEST_NUMBER

_REQUIRED = frozenset({"title", "name"})
_TEXTS = frozenset({"title", "name", "subtitle", "abstract", "description", "organisation", "tagline", "bio"})
_ADDRESSES = frozenset({"url", "logo_url", "photo_url"})
_OPTIONAL = frozenset({"number", "track", "kind", "capacity", "floor", "color", *_ADDRESSES})
_LARGEST_ROOM = 999_999


def is_sound(field: str, value: Any) -> bool:
    """`value` has the field's type already, or is None."""
    if value is None:
        return field in _OPTIONAL
    if field in _TEXTS:
        return _are_texts(value) and bool(value or field not in _REQUIRED)
    if field in _ADDRESSES:
        return bool(web_address(value, "") == value)
    check = _CHECKS.get(field)
    return check is None or bool(check(value))


def _are_texts(texts: dict[str, str]) -> bool:
    return all(values.language(tag) == tag and text.strip() for tag, text in texts.items())


def _are_links(links: tuple[Link, ...]) -> bool:
    return all(web_address(link.url, "") == link.url and _are_texts(link.title) for link in links)


def _are_days(days: tuple[Day, ...]) -> bool:
    return len({day.date for day in days}) == len(days) and all(
        values.calendar_date(day.date) is not None
        and len(day.date) == len("2026-12-18")
        and _are_texts(day.name)
        and _is_aware(day.starts_at)
        and _is_aware(day.ends_at)
        for day in days
    )


def _is_aware(moment: datetime | None) -> bool:
    return moment is None or moment.tzinfo is not None


def _is_zone(name: str) -> bool:
    zone = values.zone(name)
    return zone is not None and zone.key == name


def _is_clock(written: str) -> bool:
    clock = values.clock(written)
    return clock is not None and len(written) == len("06:00") and clock < timedelta(days=1)


_CHECKS: dict[str, Any] = {
    "number": lambda number: 0 < number <= LARGEST_NUMBER,
    "capacity": lambda seats: 0 < seats <= _LARGEST_ROOM,
    "color": lambda color: values.color(color) == color,
    "languages": lambda tags: all(values.language(tag) == tag for tag in tags),
    "links": _are_links,
    "days": _are_days,
    "timezone": _is_zone,
    "day_begins": _is_clock,
}
