"""Reading the exhibitors' directory."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery

from server.event.reader import Reader, reader_of
from server.event.types import EventRow
from server.exhibitor import queries
from server.exhibitor.types import Exhibitor, ExhibitorPage, ExhibitorRow
from server.paging import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor


@get("/exhibitors")
async def list_exhibitors(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    lang: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ExhibitorPage:
    """The exhibitors, booth by booth."""
    found: EventRow = await request.app.state.events.get(event)
    after = decode_cursor(cursor, parts=1)
    async with request.app.state.db.read() as connection:
        exhibitors = await queries.list_exhibitors_after(
            connection, found.event_id, booth=after[0] if after else "", limit=limit + 1
        )
    reader = reader_of(request, found, lang)
    page = exhibitors[:limit]
    return ExhibitorPage(
        exhibitors=[_view(exhibitor, reader) for exhibitor in page],
        next_cursor=encode_cursor(page[-1].booth) if len(exhibitors) > limit else None,
    )


def _view(exhibitor: ExhibitorRow, reader: Reader) -> Exhibitor:
    return Exhibitor(
        id=exhibitor.exhibitor_id,
        name=exhibitor.name,
        booth=exhibitor.booth,
        pavilion=reader.text(exhibitor.pavilion),
        sector=reader.text(exhibitor.sector),
        city=reader.text(exhibitor.city),
        description=reader.text(exhibitor.description),
        website=exhibitor.website,
    )


router = Router(path="/v1/events/{event:str}", route_handlers=[list_exhibitors], tags=["exhibitor"])
