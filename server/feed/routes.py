"""Catching up with a log, and reading a state channel, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from litestar import Request, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from server.auth import identify
from server.errors import AppError, NotAllowed
from server.event.types import EventRow
from server.feed import PUBLIC_CHANNELS, STATE_CHANNELS, queries
from server.feed.topics import is_channel, resolve
from server.feed.types import FeedPage, StatePage

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
    responses={200: ResponseSpec(FeedPage, generate_examples=False, description="A stretch of the log, oldest first")},
)
async def get_feed(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    channel: FromPath[str],
    epoch: FromQuery[str | None] = None,
    after: Annotated[int, QueryParameter(ge=0, le=_MAX_SEQ)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_EVENTS)] = 200,
) -> Response[FeedPage]:
    """The events of a channel after a position; channel `checkin` needs a device's or an organizer's token.

    Ask again from the last one's `seq` while `more` is true."""
    found: EventRow = await request.app.state.events.get(event)
    log = await _log_of(request, channel)
    async with request.app.state.db.snapshot() as tx:
        position = await queries.get_position(tx, found.event_id, channel=log)
        if position is None:
            raise UnknownChannel
        if (epoch is not None and epoch != position.epoch) or after > position.seq:
            raise EpochReplaced
        rows = await queries.list_events_after(tx, found.event_id, channel=log, after=after, limit=limit)
    last = rows[-1].seq if rows else after
    page = FeedPage(
        channel=channel,
        epoch=position.epoch,
        seq=position.seq,
        events=[row.to_event() for row in rows],
        more=last < position.seq,
    )
    # A page with more behind it stays as it is; the end of the log does not. A proxy that holds the end for a second makes one
    # reader of 5,000 who ask at once.
    lifetime = 60 if page.more and epoch is not None else 1
    shared = "public" if channel in PUBLIC_CHANNELS else "private"
    return Response(page, headers={"Cache-Control": f"{shared}, max-age={lifetime}", "Vary": "Authorization"})


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
