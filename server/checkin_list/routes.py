"""Check-in lists over HTTP."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery

from server.auth import require
from server.body import describe, read_body
from server.checkin_list import queries
from server.checkin_list.actions import change_list, create_list, delete_list, find_list
from server.checkin_list.types import ChangeList, CheckinList, CheckinListDetails, CheckinLists, CreateList
from server.device.guard import require_right
from server.event.reader import reader_of
from server.event.types import EventRow
from server.texts import Texts


@get("/checkins/lists", guards=[require_right("read_lists", "organizer")])
async def list_checkin_lists(
    request: Request[Any, Any, Any], event: FromPath[str], lang: FromQuery[str | None] = None
) -> CheckinLists:
    """The event's check-in lists, whom they admit and when."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.read() as connection:
        lists = await queries.list_details(connection, found.event_id)
    read = reader_of(request, found, lang).text
    return CheckinLists(lists=[_view(row, read(row.name)) for row in lists])


@get("/checkins/lists/{key:str}", guards=[require_right("read_lists", "organizer")])
async def get_checkin_list(
    request: Request[Any, Any, Any], event: FromPath[str], key: FromPath[str], lang: FromQuery[str | None] = None
) -> CheckinList:
    """One check-in list."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.read() as connection:
        details = await find_list(connection, found.event_id, key)
    return _view(details, reader_of(request, found, lang).text(details.name))


@post("/checkins/lists", guards=[require("organizer")], opt=describe(CreateList))
async def post_checkin_list(request: Request[Any, Any, Any], event: FromPath[str]) -> CheckinList:
    """Makes a check-in list. Scanners know it within a second."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, CreateList)
    details = await create_list(request.app.state.db, found.event_id, command)
    return _view(details, details.name)


@patch("/checkins/lists/{key:str}", guards=[require("organizer")], opt=describe(ChangeList))
async def patch_checkin_list(request: Request[Any, Any, Any], event: FromPath[str], key: FromPath[str]) -> CheckinList:
    """Changes a check-in list: opens or closes it, sets its capacity, its tickets, its rule for coming back."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, ChangeList)
    details = await change_list(request.app.state.db, found.event_id, key, command)
    return _view(details, details.name)


@delete("/checkins/lists/{key:str}", guards=[require("organizer")])
async def delete_checkin_list(request: Request[Any, Any, Any], event: FromPath[str], key: FromPath[str]) -> None:
    """Removes a check-in list at which nobody was scanned yet."""
    found: EventRow = await request.app.state.events.get(event)
    await delete_list(request.app.state.db, found.event_id, key)


def _view(row: CheckinListDetails, name: str | Texts) -> CheckinList:
    return CheckinList(
        id=row.list_id,
        key=row.key,
        name=name,
        kind=row.kind,
        room_id=row.room_id,
        tickets=row.tickets,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        capacity=row.capacity,
        places=row.places,
        reentry=row.reentry,
        early_minutes=row.early_minutes,
    )


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[list_checkin_lists, get_checkin_list, post_checkin_list, patch_checkin_list, delete_checkin_list],
    tags=["check-in"],
)
