"""The programme over HTTP."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery

from server.conditional import accepts_gzip, is_unchanged
from server.event.reader import reader_of
from server.event.types import EventRow
from server.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, encode_cursor
from server.schedule import edit_routes, queries, version_routes
from server.schedule.types import Schedule, SpeakerPage
from server.schedule.views import speaker_view


@get(
    "/schedule",
    responses={
        200: ResponseSpec(Schedule, generate_examples=False, description="The programme"),
        304: ResponseSpec(None, generate_examples=False, description="Unchanged"),
    },
)
async def get_schedule(
    request: Request[Any, Any, Any], event: FromPath[str], lang: FromQuery[str | None] = None
) -> Response[bytes]:
    """The whole programme in the reader's language. Ask again with `If-None-Match` and get 304 while it is the same."""
    found: EventRow = await request.app.state.events.get(event)
    reader = reader_of(request, found, lang)
    document = await request.app.state.documents.get(found, reader)
    zipped = accepts_gzip(request.headers.get("accept-encoding"))
    headers = {
        "ETag": document.gzipped_etag if zipped else document.etag,
        "Cache-Control": "no-cache",  # keep it, but ask before using it: a room change must show at once
        "Vary": "Accept-Encoding" if lang else "Accept-Encoding, Accept-Language",
        "Content-Language": ", ".join(found.languages) if reader.language == "*" else reader.language,
    }
    if is_unchanged(request.headers.get("if-none-match"), document.etag, document.gzipped_etag):
        return Response(b"", status_code=304, headers=headers, media_type="application/json")
    if zipped:
        headers["Content-Encoding"] = "gzip"
    body = document.gzipped if zipped else document.body
    return Response(body, headers=headers, media_type="application/json")


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
    route_handlers=[get_schedule, list_speakers, *edit_routes.handlers, *version_routes.handlers],
    tags=["schedule"],
)
