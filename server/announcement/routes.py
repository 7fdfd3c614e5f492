"""Announcing, and reading what was announced."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from litestar import Request, Response, Router, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from server.announcement import queries
from server.announcement.actions import edit_announcement, publish_announcement, withdraw_announcement
from server.announcement.errors import UnknownAnnouncement
from server.announcement.listing import Question, channels_of, read_page
from server.announcement.types import (
    Announcement,
    AnnouncementPage,
    ChangeAnnouncement,
    PublishAnnouncement,
    Status,
    StoredAnnouncement,
)
from server.announcement.views import stored, view
from server.auth import Principal, identify, require
from server.body import describe, read_body
from server.errors import NotAllowed, NotAuthenticated
from server.event.reader import reader_of
from server.event.types import EventRow
from server.instants import Instant, check_instant
from server.paging import DEFAULT_LIMIT, Cursor, Limit

EVERY_STATUS: tuple[Status, ...] = get_args(Status)

WantedAudience = Annotated[str | None, QueryParameter(max_length=200)]
WantedStatus = FromQuery[Literal[Status, "all"]]


@post(
    "/announcements",
    guards=[require("organizer")],
    opt=describe(PublishAnnouncement),
    responses={
        200: ResponseSpec(
            StoredAnnouncement, generate_examples=False, description="It was sent before; this is what has become of it"
        )
    },
)
async def post_announcement(request: Request[Any, Any, Any], event: FromPath[str]) -> Response[StoredAnnouncement]:
    """Tells everybody, or an audience, at once or at a time. Whoever listens to its channel hears `announcement.published`.

    With an `id` of the sender's own it can be sent again, after a lost answer say: the same content is answered with 200 and what
    is stored by now, other content with 422 `announcement.id_reused`."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, PublishAnnouncement)
    announced = await publish_announcement(request.app.state.db, found.event_id, command)
    request.app.state.clock.wake()
    return Response(stored(announced.row), status_code=200 if announced.repeated else 201)


@patch("/announcements/{announcement_id:uuid}", guards=[require("organizer")], opt=describe(ChangeAnnouncement))
async def patch_announcement(
    request: Request[Any, Any, Any], event: FromPath[str], announcement_id: FromPath[UUID]
) -> StoredAnnouncement:
    """Changes an announcement; one that has gone out is told anew, whole: `announcement.edited`.

    `audience` and `publish_at` change only while it is scheduled (409 `announcement.published`), nothing when it has ended
    (409 `announcement.ended`)."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, ChangeAnnouncement)
    row = await edit_announcement(request.app.state.db, found.event_id, announcement_id, command)
    request.app.state.clock.wake()
    return stored(row)


@delete("/announcements/{announcement_id:uuid}", guards=[require("organizer")])
async def delete_announcement(
    request: Request[Any, Any, Any], event: FromPath[str], announcement_id: FromPath[UUID]
) -> None:
    """Withdraws an announcement: `announcement.withdrawn`, or, while it is scheduled, it never goes out. Again: nothing more."""
    found: EventRow = await request.app.state.events.get(event)
    await withdraw_announcement(request.app.state.db, found.event_id, announcement_id)


@get("/announcements")
async def list_announcements(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    lang: FromQuery[str | None] = None,
    audience: WantedAudience = None,
    status: WantedStatus = "published",
    urgent: FromQuery[bool | None] = None,
    since: FromQuery[Instant | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AnnouncementPage:
    """What has been announced and has not ended, newest first: to everybody, and with a token to the audiences of its holder.

    `audience` asks for one alone (`everybody`, `staff`, `track:…`), `status` for scheduled and ended ones (organizers only).

    With `since`, say the `as_of` of an earlier answer, what has changed after that moment, the earliest change first: new and
    edited ones as `announcements`, and as `gone` the ids of those that were withdrawn, expired or no longer fit the filters."""
    check_instant(since, "since")
    found: EventRow = await request.app.state.events.get(event)
    who = await _asker(request)
    if status != "published":
        _check_organizer(who)
    question = Question(
        audience=audience,
        statuses=EVERY_STATUS if status == "all" else (status,),
        urgent=urgent,
        since=since,
        limit=limit,
        cursor=cursor,
    )
    page = await read_page(request.app.state.db, found.event_id, who, question)
    reader = reader_of(request, found, lang)
    return AnnouncementPage(
        announcements=[view(row, reader) for row in page.rows],
        gone=page.gone,
        feed=page.feed,
        as_of=page.as_of,
        next_cursor=page.next_cursor,
    )


@get("/announcements/{announcement_id:uuid}")
async def get_announcement(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    announcement_id: FromPath[UUID],
    lang: FromQuery[str | None] = None,
) -> Announcement:
    """One announcement, if it is published and for the asker; organizers find every one."""
    found: EventRow = await request.app.state.events.get(event)
    who = await _asker(request)
    async with request.app.state.db.read() as connection:
        row = await queries.get_announcement(connection, found.event_id, announcement_id)
        if row is None:
            raise UnknownAnnouncement
        if who is None or who.kind != "organizer":
            heard = await channels_of(connection, found.event_id, who)
            if row.status != "published" or row.channel not in heard:
                raise UnknownAnnouncement
    return view(row, reader_of(request, found, lang))


async def _asker(request: Request[Any, Any, Any]) -> Principal | None:
    """Whose token came along; None without one. Raises `NotAuthenticated` for one that is worth nothing."""
    return await identify(request) if "authorization" in request.headers else None


def _check_organizer(who: Principal | None) -> None:
    if who is None:
        raise NotAuthenticated
    if who.kind != "organizer":
        raise NotAllowed("Only organizers see announcements that are scheduled or have ended.")


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[
        post_announcement,
        patch_announcement,
        delete_announcement,
        list_announcements,
        get_announcement,
    ],
    tags=["announcement"],
)
