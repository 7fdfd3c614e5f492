"""What an attendee sees of themselves."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.params import FromPath

from server.attendee import queries
from server.attendee.types import Attendee
from server.auth import Principal, require
from server.errors import NotAuthenticated


@get("/me", guards=[require("attendee")])
async def get_me(request: Request[Principal, Any, Any], event: FromPath[str]) -> Attendee:
    """The attendee whose token this is, with the badge to show at the door."""
    async with request.app.state.db.read() as connection:
        found = await queries.get_attendee(connection, request.user.event_id, request.user.subject_id)
    if found is None:  # deleted between the guard and here
        raise NotAuthenticated
    fields = {name: getattr(found, name) for name in Attendee.__struct_fields__ if name != "id"}
    return Attendee(id=found.attendee_id, **fields)


router = Router(path="/v1/events/{event:str}", route_handlers=[get_me], tags=["attendee"])
