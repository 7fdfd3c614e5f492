"""Moments in requests: aware, and within what every part of the server can hold and compute with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from server.errors import InvalidRequest

Instant = Annotated[datetime, Meta(tz=True)]

FIRST_YEAR, LAST_YEAR = 1970, 2200


def check_instant(moment: datetime | None, field: str) -> None:
    """Raises `InvalidRequest` for a moment outside 1970 to 2200: at the ends of the calendar a time zone makes it overflow.

    Also for one without a zone: the framework lets it pass in a query, and it would be taken for the server's own.
    """
    if moment is not None and moment.tzinfo is None:
        raise InvalidRequest(f"The time needs its offset from UTC, `Z` or `+01:00` - at `$.{field}`")
    if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InvalidRequest(f"The time lies outside {FIRST_YEAR} to {LAST_YEAR} - at `$.{field}`")


def in_utc(moment: datetime | None, field: str) -> datetime | None:
    """The same moment as the database will say it. Raises as `check_instant`."""
    check_instant(moment, field)
    return None if moment is None else moment.astimezone(UTC)
