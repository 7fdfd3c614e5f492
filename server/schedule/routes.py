"""The programme over HTTP."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery

from server.event.reader import reader_of
from server.event.types import EventRow
from server.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, encode_cursor
from server.schedule import document_routes, edit_routes, queries, session_routes, version_routes
from server.schedule.types import SpeakerPage
from server.schedule.views import speaker_view


@get("/speakers")
async def list_speakers(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    lang: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> SpeakerPage:
    """Everybody who speaks."""
    found: EventRow = await request.app.state.events.get(event)
    after = decode_id_cursor(cursor)
    async with request.app.state.db.read() as connection:
        speakers = await queries.list_speakers_after(connection, found.event_id, speaker_id=after, limit=limit + 1)
    reader = reader_of(request, found, lang)
    page = speakers[:limit]
    return SpeakerPage(
        speakers=[speaker_view(speaker, reader) for speaker in page],
        next_cursor=encode_cursor(str(page[-1].speaker_id)) if len(speakers) > limit else None,
    )


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[
        *document_routes.handlers,
        *session_routes.handlers,
        list_speakers,
        *edit_routes.handlers,
        *version_routes.handlers,
    ],
    tags=["schedule"],
)
