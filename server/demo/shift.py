"""A real programme on other dates: the sample event starts today, whatever its schedule file says. Pure."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from server.interchange.programme import Programme


def move_to(programme: Programme, starts_on: date, timezone: str) -> Programme:
    """The programme with its first day on `starts_on`; what began at 10:30 in its own zone begins at 10:30 in `timezone`."""
    source, target = ZoneInfo(programme.timezone), ZoneInfo(timezone)
    first = min(session.starts_at.astimezone(source).date() for session in programme.sessions)
    shift = starts_on - first

    def moved(moment: datetime) -> datetime:
        return (moment.astimezone(source).replace(tzinfo=None) + shift).replace(tzinfo=target)

    sessions = []
    for session in programme.sessions:
        starts_at = moved(session.starts_at)
        # A length is kept by the clock that counts, not by the one on the wall: nights exist that are an hour longer.
        length = session.ends_at - session.starts_at
        ends_at = (starts_at.astimezone(ZoneInfo("UTC")) + length).astimezone(target)
        sessions.append(msgspec.structs.replace(session, starts_at=starts_at, ends_at=ends_at))
    days = tuple(
        msgspec.structs.replace(
            day,
            date=(date.fromisoformat(day.date) + shift).isoformat(),
            starts_at=day.starts_at and moved(day.starts_at),
            ends_at=day.ends_at and moved(day.ends_at),
        )
        for day in programme.days
    )
    return msgspec.structs.replace(programme, days=days, sessions=tuple(sessions), timezone=timezone)
