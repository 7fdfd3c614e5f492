"""Searching the programme and the exhibitors' directory."""

from __future__ import annotations

from typing import Annotated, Any, cast

from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from server.event.reader import reader_of
from server.event.types import EventRow
from server.search.finding import Search, find
from server.search.types import About, Hits

DEFAULT_HITS = 20
MOST_HITS = 50

Asked = Annotated[str, QueryParameter(max_length=200)]
ABOUT = "(session|speaker|exhibitor)"
Kinds = Annotated[str, QueryParameter(max_length=100, pattern=rf"^{ABOUT}(,{ABOUT})*$")]
Most = Annotated[int, QueryParameter(ge=1, le=MOST_HITS)]


@get("/search")
async def search_event(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    q: Asked = "",
    lang: FromQuery[str | None] = None,
    kinds: Kinds = "session,speaker,exhibitor",
    limit: Most = DEFAULT_HITS,
) -> Hits:
    """Sessions, speakers and exhibitors that have all the words of `q`, in whatever language, or begin with them: those that have
    them in their title or names come first. Accents, vowel marks and the several forms of an Arabic letter make no difference; a
    typing error in a word of four letters or more is forgiven where nothing else is found. Cancelled sessions are found too."""
    found: EventRow = await request.app.state.events.get(event)
    search = Search(q, cast("list[About]", kinds.split(",")), limit)  # the pattern has seen to that
    async with request.app.state.db.read() as connection:
        return await find(connection, found.event_id, search, reader_of(request, found, lang))


router = Router(path="/v1/events/{event:str}", route_handlers=[search_event], tags=["search"])
