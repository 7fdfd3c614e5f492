"""What organizers do with badges: the keys that sign them, a new one for a lost one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Router, delete, get, post
from litestar.params import FromPath

from server.auth import require
from server.badge import actions, queries
from server.badge.types import BadgeKeyList, BadgeKeyState, IssuedBadge, states
from server.event.types import EventRow


@get("/badge-keys", guards=[require("organizer")])
async def list_badge_keys(request: Request[Any, Any, Any], event: FromPath[str]) -> BadgeKeyList:
    """The keys that have signed badges of this event, retired ones too; never their secrets."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.read() as connection:
        return BadgeKeyList(keys=states(await queries.list_keys(connection, found.event_id)))


@post("/badge-keys", guards=[require("organizer")])
async def post_badge_key(request: Request[Any, Any, Any], event: FromPath[str]) -> BadgeKeyState:
    """Makes a new key, which signs from now on. Badges that are printed stay valid until their key is retired."""
    found: EventRow = await request.app.state.events.get(event)
    return await actions.rotate_key(request.app.state.db, found.event_id)


@delete("/badge-keys/{key_id:int}", guards=[require("organizer")])
async def delete_badge_key(request: Request[Any, Any, Any], event: FromPath[str], key_id: FromPath[int]) -> None:
    """Retires a key: scanners believe its signatures no more. Its badges are still known to the server, which lets them in."""
    found: EventRow = await request.app.state.events.get(event)
    await actions.retire_key(request.app.state.db, found.event_id, key_id)


@post("/attendees/{attendee_id:uuid}/badge", guards=[require("organizer")])
async def post_badge(request: Request[Any, Any, Any], event: FromPath[str], attendee_id: FromPath[UUID]) -> IssuedBadge:
    """Issues a new badge to an attendee and revokes those they had, at once and at every door."""
    found: EventRow = await request.app.state.events.get(event)
    return await actions.replace_badge(request.app.state.db, found.event_id, attendee_id)


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[list_badge_keys, post_badge_key, delete_badge_key, post_badge],
    tags=["badge"],
)
