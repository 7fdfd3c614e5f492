"""Making an event."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

from server.db import Database
from server.event import queries
from server.event.errors import SlugTaken
from server.event.types import EventRow
from server.feed import open_channels, topics
from server.ids import new_id
from server.interchange.programme import Programme

UNDETERMINED = "und"
"""The tag of texts whose language nobody knows; no language that an event can offer."""


async def create_event(db: Database, slug: str, programme: Programme) -> EventRow:
    """An event for a programme: its name, zone, languages and days are the programme's own. It has no sessions yet.

    Raises `SlugTaken`, and `ValueError` for a programme without sessions.
    """
    event = event_of(slug, programme)
    async with db.tx({"event_slug": SlugTaken}) as tx:
        await queries.insert_event(tx, event)
        await open_channels(tx, event.event_id, topics.EVENT_CHANNELS)
    return event


def event_of(slug: str, programme: Programme) -> EventRow:
    """Pure. The language that most titles are written in is the default; English where the programme does not say."""
    zone = ZoneInfo(programme.timezone)
    days = [session.starts_at.astimezone(zone).date() for session in programme.sessions]
    tags = [tag for session in programme.sessions for tag in session.title if tag != UNDETERMINED]
    languages = sorted(set(tags), key=lambda tag: (-tags.count(tag), tag)) or ["en"]
    return EventRow(
        event_id=new_id(),
        slug=slug,
        name=programme.title,
        theme={},
        organiser={},
        venue={"name": {}, "address": {}, "city": {}},
        timezone=programme.timezone,
        languages=languages,
        default_language=languages[0],
        starts_on=min(days),
        ends_on=max(days),
        day_begins=time.fromisoformat(programme.day_begins),
    )
