"""Reading an event."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery

from server.badge import queries as badge_queries
from server.badge.types import public
from server.event.reader import reader_of
from server.event.types import Event, EventRow, Venue
from server.feed import PUBLIC_CHANNELS, queries as feed_queries


@get("/v1/events/{event:str}")
async def get_event(request: Request[Any, Any, Any], event: FromPath[str], lang: FromQuery[str | None] = None) -> Event:
    """An event: names, dates, zone, languages, venue, where its live feed is and how far the public channels have come."""
    found: EventRow = await request.app.state.events.get(event)
    read = reader_of(request, found, lang).text
    live_url = f"{_live_base(request)}/v1/events/{found.slug}/live"
    async with request.app.state.db.read() as connection:
        positions = await feed_queries.list_positions(connection, found.event_id, channels=list(PUBLIC_CHANNELS))
        keys = await badge_queries.list_valid_keys(connection, found.event_id)
    return Event(
        id=found.event_id,
        slug=found.slug,
        name=read(found.name),
        theme=read(found.theme),
        organiser=read(found.organiser),
        venue=Venue(
            name=read(found.venue.get("name", {})),
            address=read(found.venue.get("address", {})),
            city=read(found.venue.get("city", {})),
            latitude=found.venue.get("latitude"),
            longitude=found.venue.get("longitude"),
        ),
        timezone=found.timezone,
        languages=found.languages,
        default_language=found.default_language,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        live_url=live_url,
        stream_url=f"http{live_url.removeprefix('ws')}/stream",
        badge_keys=[public(key) for key in keys],
        channels=positions,
    )


def _live_base(request: Request[Any, Any, Any]) -> str:
    settings = request.app.state.settings
    if settings.live_url:
        return str(settings.live_url).rstrip("/")
    host = request.url.hostname or settings.host
    bracketed = f"[{host}]" if ":" in host else host
    return f"{'wss' if request.url.scheme == 'https' else 'ws'}://{bracketed}:{settings.live_port}"


router = Router(path="/", route_handlers=[get_event], tags=["event"])
