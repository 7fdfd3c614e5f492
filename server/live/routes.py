"""The ticket for the websocket, over HTTP."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, post
from litestar.params import FromPath
from msgspec import Struct

from server.auth import Principal, require
from server.errors import NotAllowed
from server.live.ticket import LIFETIME_SECONDS, issue


class Ticket(Struct, frozen=True, kw_only=True):
    ticket: str
    """To send as `ticket` in the websocket's first frame."""
    expires_in_seconds: int


@post("/live/ticket", guards=[require("attendee", "device", "exhibitor", "organizer")], status_code=200)
async def post_ticket(request: Request[Principal, Any, Any], event: FromPath[str]) -> Ticket:
    """A pass for the live feed, valid for 60 seconds: enough to open a connection, worthless in a log."""
    if request.user.cancelled:
        raise NotAllowed("This registration was taken back: it hears nothing any more.")
    return Ticket(ticket=issue(request.app.state.ticket_key, request.user), expires_in_seconds=LIFETIME_SECONDS)


router = Router(path="/v1/events/{event:str}", route_handlers=[post_ticket], tags=["feed"])
