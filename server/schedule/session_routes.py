"""The sessions that somebody asks for: of a day, a room, a track, what is on now and what comes next."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, get
from litestar.params import FromPath, FromQuery, QueryParameter

from server.event.reader import reader_of
from server.event.types import EventRow
from server.instants import check_instant
from server.paging import DEFAULT_LIMIT, Cursor, Limit
from server.schedule.documents import Documents
from server.schedule.listing import Wanted, page_after, select
from server.schedule.rows import Status
from server.schedule.types import SessionPage
from server.schedule.views import session_view

Day = Annotated[date | None, QueryParameter(description="As `days` of the programme counts: `2026-12-18`.")]
Spoken = Annotated[
    str | None, QueryParameter(min_length=2, max_length=35, description="Spoken on stage; `fr` is also `fr-MA`.")
]
From = Annotated[datetime | None, QueryParameter(name="from", description="Not over by then.")]
Until = Annotated[datetime | None, QueryParameter(description="Begun by then.")]
Now = Annotated[bool, QueryParameter(description="Only what is on and not cancelled.")]
Next = Annotated[
    bool, QueryParameter(name="next", description="Only what comes next in each room and is not cancelled.")
]
At = Annotated[datetime | None, QueryParameter(description="Instead of the server's clock, for a rehearsal.")]


@get("/sessions")
async def list_sessions(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    *,
    day: Day = None,
    room: FromQuery[UUID | None] = None,
    track: FromQuery[UUID | None] = None,
    kind: FromQuery[UUID | None] = None,
    speaker: FromQuery[UUID | None] = None,
    language: Spoken = None,
    status: FromQuery[Status | None] = None,
    since: From = None,
    until: Until = None,
    now: Now = False,
    next_: Next = False,
    at: At = None,
    lang: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> SessionPage:
    """The sessions of which all that is asked is true, in the programme's order. With `now` and `next` both, either will do."""
    found: EventRow = await request.app.state.events.get(event)
    documents: Documents = request.app.state.documents
    for moment, name in ((since, "from"), (until, "until"), (at, "at")):
        check_instant(moment, name)
    things = {"day": day, "room": room, "track": track, "kind": kind, "speaker": speaker}
    times = {"since": since, "until": until, "at": at or datetime.now(UTC)}
    wanted = Wanted(language=language, status=status, now=now, next=next_, **things, **times)  # type: ignore[arg-type]
    edition = await documents.edition(found)
    page, next_cursor = page_after(edition.state, select(edition, wanted), cursor, limit)
    reader = reader_of(request, found, lang)
    return SessionPage(
        at=wanted.at,
        version=edition.version.version,
        sessions=[session_view(one, reader) for one in page],
        next_cursor=next_cursor,
    )


handlers = [list_sessions]
