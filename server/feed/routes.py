"""Catching up with a log, and reading a state channel, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from litestar import Request, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from server.auth import identify
from server.conditional import is_unchanged
from server.errors import AppError, NotAllowed
from server.event.types import EventRow
from server.feed import PUBLIC_CHANNELS, STATE_CHANNELS, queries
from server.feed.pages import Pages, read_page
from server.feed.topics import is_channel, resolve
from server.feed.types import ME, FeedPage, StatePage

MAX_EVENTS = 500
_MAX_SEQ = 2**63 - 1


class UnknownChannel(AppError):
    """There is no such channel in this event."""

    status = 404
    code = "feed.unknown_channel"


class EpochReplaced(AppError):
    """The log you have read is not the one that stands here now. Read the data again and go on from its position."""

    status = 410
    code = "feed.epoch"
    headers: ClassVar[dict[str, str]] = {"Cache-Control": "no-store"}


@get(
    "/feed/{channel:str}",
    responses={
        200: ResponseSpec(FeedPage, generate_examples=False, description="A stretch of the log, oldest first"),
        304: ResponseSpec(None, generate_examples=False, description="Unchanged"),
    },
)
async def get_feed(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    channel: FromPath[str],
    epoch: FromQuery[str | None] = None,
    after: Annotated[int, QueryParameter(ge=0, le=_MAX_SEQ)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_EVENTS)] = 200,
) -> Response[bytes]:
    """The events of a channel after a position. Public channels need no token; others that of somebody they are for.

    Ask again from the last one's `seq` while `more` is true; at the end, with `If-None-Match`, get 304 until it grows."""
    found: EventRow = await request.app.state.events.get(event)
    log = await _log_of(request, channel)
    pages: Pages = request.app.state.pages
    position = await pages.position(found.event_id, log)
    if position is None:
        raise UnknownChannel
    if (epoch is not None and epoch != position.epoch) or after > position.seq:
        raise EpochReplaced
    if channel == ME:
        page = await read_page(request.app.state.db, found.event_id, position, after=after, limit=limit)
    else:
        page = await pages.get(found.event_id, position, after=after, limit=limit)
    headers = {"ETag": page.etag, **_caching(channel, lasts=page.more and epoch is not None)}
    if is_unchanged(request.headers.get("if-none-match"), page.etag):
        return Response(b"", status_code=304, headers=headers, media_type="application/json")
    return Response(page.body, headers=headers, media_type="application/json")


def _caching(channel: str, *, lasts: bool) -> dict[str, str]:
    """A page with more behind it stays as it is; the end of the log does not. A proxy that holds the end for a second, and hands
    it out while it looks for a newer one, makes one reader of 5,000 who ask at once."""
    age = "max-age=60" if lasts else "max-age=1, stale-while-revalidate=5"
    if channel in PUBLIC_CHANNELS:
        return {"Cache-Control": f"public, {age}"}
    return {"Cache-Control": f"private, {age}", "Vary": "Authorization"}


@get(
    "/states/{channel:str}",
    responses={200: ResponseSpec(StatePage, generate_examples=False, description="The present values")},
)
async def get_states(
    request: Request[Any, Any, Any], event: FromPath[str], channel: FromPath[str]
) -> Response[StatePage]:
    """The present values of a state channel, such as `occupancy`: one for each key, as they come over the websocket."""
    found: EventRow = await request.app.state.events.get(event)
    if channel not in STATE_CHANNELS:
        raise UnknownChannel
    async with request.app.state.db.read() as connection:
        rows = await queries.list_states_after(connection, found.event_id, channel=channel, after=0)
    page = StatePage(channel=channel, states=[row.to_state() for row in rows if row.data is not None])
    return Response(page, headers={"Cache-Control": "public, max-age=1"})


async def _log_of(request: Request[Any, Any, Any], channel: str) -> str:
    """The log that the asker calls so. Raises `UnknownChannel`; for other than public ones `NotAuthenticated`, `NotAllowed`."""
    if channel in PUBLIC_CHANNELS:
        return channel
    if channel in STATE_CHANNELS or not is_channel(channel):
        raise UnknownChannel
    log = resolve(await identify(request), channel)
    if log is None:
        raise NotAllowed("This channel is not for you: its events are told to others.")
    return log


router = Router(path="/v1/events/{event:str}", route_handlers=[get_feed, get_states], tags=["feed"])
