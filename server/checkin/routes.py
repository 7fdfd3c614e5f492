"""The door over HTTP."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from server.auth import accepting, bearer, hash_token, kind_of, require
from server.body import describe, read_body
from server.checkin import queries
from server.checkin.actions import check_in
from server.checkin.door import Door
from server.checkin.types import Answer, CheckIn
from server.device.types import DeviceRow
from server.errors import NotAllowed, NotAuthenticated
from server.event.reader import reader_of
from server.event.types import EventRow
from server.metrics import REGISTRY
from server.texts import Texts


class CheckinList(Struct, frozen=True, kw_only=True):
    """Something one is let into."""

    key: str
    """What a check-in names as `list`."""
    name: str | Texts
    tickets: list[str]
    """The ticket types it admits."""


class CheckinLists(Struct, frozen=True, kw_only=True):
    lists: list[CheckinList]


def authenticate_device(door: Door, authorization: str | None) -> DeviceRow:
    """The scanner behind an Authorization header. Raises `NotAuthenticated`, `NotAllowed` (another kind of token)."""
    token = bearer(authorization)
    device = door.device_of(hash_token(token))
    if device is not None:
        return device
    if kind_of(token) in (None, "device"):
        raise NotAuthenticated
    raise NotAllowed("Only a device's token may check people in.")


async def _only_devices(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """A guard like `auth.require`, answered from the door in memory: the handler finds its device in `request.user`."""
    state = connection.app.state
    door: Door = await state.doors.get((await state.events.get(connection.path_params["event"])).event_id)
    connection.scope["user"] = authenticate_device(door, connection.headers.get("authorization"))


@post("/checkins", status_code=200, guards=[accepting(_only_devices, "device")], opt=describe(CheckIn))
async def post_checkin(request: Request[Any, Any, Any], event: FromPath[str]) -> Answer:
    """Answers one scan. A refusal is an answer too (200); an error means that the question was not answered.

    Send the same `scan_id` again after a lost connection: the answer is the same, and nobody is admitted twice.
    """
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    command = await read_body(request, CheckIn)
    answer = await check_in(door, request.app.state.writers, request.user, command)
    REGISTRY.count_checkin(answer.outcome)
    return answer


@get("/checkins/lists", guards=[require("device", "organizer")])
async def list_checkin_lists(
    request: Request[Any, Any, Any], event: FromPath[str], lang: FromQuery[str | None] = None
) -> CheckinLists:
    """The event's check-in lists and the tickets they admit."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.read() as connection:
        lists = await queries.list_checkin_lists(connection, found.event_id)
    read = reader_of(request, found, lang).text
    return CheckinLists(lists=[CheckinList(key=row.key, name=read(row.name), tickets=row.tickets) for row in lists])


router = Router(path="/v1/events/{event:str}", route_handlers=[post_checkin, list_checkin_lists], tags=["check-in"])
