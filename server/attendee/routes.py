"""What an attendee sees of themselves, and what an organizer changes of a registration."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Router, get, patch
from litestar.params import FromPath
from msgspec import structs

from server.attendee import queries
from server.attendee.actions import change_attendee
from server.attendee.types import Attendee, ChangeAttendee, Registration
from server.auth import Principal, require
from server.body import describe, read_body
from server.errors import NotAuthenticated
from server.feed import queries as feed_queries, topics
from server.feed.types import ME


@get("/me", guards=[require("attendee")])
async def get_me(request: Request[Principal, Any, Any], event: FromPath[str]) -> Attendee:
    """The attendee whose token this is, with the badge to show at the door. Channel `me` tells what changes after it."""
    own = topics.own(ME, request.user.subject_id)
    async with request.app.state.db.snapshot() as tx:
        position = await feed_queries.get_position(tx, request.user.event_id, channel=own)
        found = await queries.get_attendee(tx, request.user.event_id, request.user.subject_id)
    if found is None or position is None:  # deleted between the guard and here
        raise NotAuthenticated
    return Attendee(**structs.asdict(found), feed=structs.replace(position, channel=ME))


@patch("/attendees/{attendee_id:uuid}", guards=[require("organizer")], opt=describe(ChangeAttendee))
async def patch_attendee(
    request: Request[Principal, Any, Any], event: FromPath[str], attendee_id: FromPath[UUID]
) -> Registration:
    """Cancels a registration or takes that back, and says as whom somebody speaks. Within a second no door lets a cancelled
    person in; whoever is inside stays. They hear `registration.changed` on `me`. A body that names nothing changes nothing."""
    change = await read_body(request, ChangeAttendee)
    return await change_attendee(request.app.state.db, request.user.event_id, attendee_id, change)


router = Router(path="/v1/events/{event:str}", route_handlers=[get_me, patch_attendee], tags=["attendee"])
