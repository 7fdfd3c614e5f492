"""Reading the programme, and an organizer's changes to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery

from server.auth import require
from server.body import describe, read_body
from server.conditional import accepts_gzip, is_unchanged
from server.event.reader import EVERY_LANGUAGE, reader_of
from server.event.types import EventRow
from server.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, encode_cursor
from server.schedule import queries
from server.schedule.actions import add_speaker, change_session, edit_speaker
from server.schedule.errors import UnknownSession
from server.schedule.types import (
    AddSpeaker,
    ChangeSession,
    ChangeSpeaker,
    Schedule,
    SessionDetail,
    Speaker,
    SpeakerPage,
)
from server.schedule.views import in_all_languages, session_detail, speaker_view


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


@get("/sessions/{session_id:uuid}")
async def get_session(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    session_id: FromPath[UUID],
    lang: FromQuery[str | None] = None,
) -> SessionDetail:
    """One session, with its long description."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.read() as connection:
        session = await queries.get_session(connection, found.event_id, session_id)
    if session is None:
        raise UnknownSession
    return session_detail(session, reader_of(request, found, lang))


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


@patch("/sessions/{session_id:uuid}", guards=[require("organizer")], opt=describe(ChangeSession))
async def patch_session(
    request: Request[Any, Any, Any], event: FromPath[str], session_id: FromPath[UUID]
) -> SessionDetail:
    """Moves, delays, cancels or rewrites a session, or gives it other speakers. Everybody who listens to channel `schedule` hears
    `session.changed`, and those whom it concerns hear the same on `me`."""
    found: EventRow = await request.app.state.events.get(event)
    change = await read_body(request, ChangeSession)
    session = await change_session(request.app.state.db, found, session_id, change)
    _forget(request, found)
    return in_all_languages(session)


@post("/speakers", guards=[require("organizer")], opt=describe(AddSpeaker))
async def post_speaker(request: Request[Any, Any, Any], event: FromPath[str]) -> Speaker:
    """Adds somebody who joins the programme late; sessions can name them then. Channel `schedule` hears `speaker.added`."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, AddSpeaker)
    speaker = await add_speaker(request.app.state.db, found.event_id, command)
    _forget(request, found)
    return speaker_view(speaker, EVERY_LANGUAGE)


@patch("/speakers/{speaker_id:uuid}", guards=[require("organizer")], opt=describe(ChangeSpeaker))
async def patch_speaker(request: Request[Any, Any, Any], event: FromPath[str], speaker_id: FromPath[UUID]) -> Speaker:
    """Changes what is said of a speaker. Channel `schedule` hears `speaker.changed`."""
    found: EventRow = await request.app.state.events.get(event)
    change = await read_body(request, ChangeSpeaker)
    speaker = await edit_speaker(request.app.state.db, found.event_id, speaker_id, change)
    _forget(request, found)
    return speaker_view(speaker, EVERY_LANGUAGE)


def _forget(request: Request[Any, Any, Any], event: EventRow) -> None:
    """The organizer's next reading shows the change, even before the feed's hint arrives."""
    request.app.state.documents.forget(event.event_id)


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[
        get_schedule,
        get_session,
        list_speakers,
        patch_session,
        post_speaker,
        patch_speaker,
    ],
    tags=["schedule"],
)
