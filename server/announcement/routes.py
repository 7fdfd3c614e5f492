"""Publishing and reading announcements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.params import FromPath, FromQuery

from server.announcement import queries
from server.announcement.actions import publish_announcement
from server.announcement.types import Announcement, AnnouncementPage, AnnouncementRow, PublishAnnouncement, Published
from server.auth import require
from server.body import describe, read_body
from server.errors import InvalidRequest
from server.event.reader import Reader, reader_of
from server.event.types import EventRow
from server.paging import DEFAULT_LIMIT, NOT_OURS, Cursor, Limit, decode_cursor, encode_cursor

_BEFORE_ALL = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


@post("/announcements", guards=[require("organizer")], opt=describe(PublishAnnouncement))
async def post_announcement(request: Request[Any, Any, Any], event: FromPath[str]) -> Published:
    """Tells everybody. Whoever listens to channel `announcements` hears `announcement.published`."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, PublishAnnouncement)
    return await publish_announcement(request.app.state.db, found.event_id, command)


@get("/announcements")
async def list_announcements(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    lang: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AnnouncementPage:
    """What has been announced and has not expired, newest first."""
    found: EventRow = await request.app.state.events.get(event)
    before, before_id = _place(cursor)
    async with request.app.state.db.read() as connection:
        announcements = await queries.list_newest(
            connection, found.event_id, before=before, before_id=before_id, limit=limit + 1
        )
    reader = reader_of(request, found, lang)
    page = announcements[:limit]
    last = page[-1] if len(announcements) > limit else None
    return AnnouncementPage(
        announcements=[_view(announcement, reader) for announcement in page],
        next_cursor=encode_cursor(last.published_at.isoformat(), str(last.announcement_id)) if last else None,
    )


def _place(cursor: str | None) -> tuple[datetime, UUID]:
    key = decode_cursor(cursor, parts=2)
    if key is None:
        return _BEFORE_ALL
    try:
        return datetime.fromisoformat(key[0]), UUID(key[1])
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None


def _view(announcement: AnnouncementRow, reader: Reader) -> Announcement:
    return Announcement(
        id=announcement.announcement_id,
        title=reader.text(announcement.title),
        body=reader.text(announcement.body),
        urgent=announcement.urgent,
        published_at=announcement.published_at,
        expires_at=announcement.expires_at,
    )


router = Router(
    path="/v1/events/{event:str}", route_handlers=[post_announcement, list_announcements], tags=["announcement"]
)
