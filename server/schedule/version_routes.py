"""What has changed: between two versions, in each of them, and in the draft, which can become one."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, delete, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from server.auth import require
from server.body import describe, read_body
from server.event.reader import reader_of
from server.event.types import EventRow
from server.paging import DEFAULT_LIMIT, Cursor, Limit, decode_number_cursor, encode_cursor
from server.schedule import history_queries
from server.schedule.changes import changes_between
from server.schedule.commands import ReleaseDraft
from server.schedule.draft_actions import discard, forget_edit, preview, release
from server.schedule.edit_routes import forget
from server.schedule.errors import UnknownVersion
from server.schedule.types import Changes, Draft, Version, VersionPage

Since = Annotated[
    int, QueryParameter(ge=0, le=2**62, description="The version that the client holds; 0 holds nothing.")
]


@get("/schedule/changes")
async def get_changes(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    since: Since = 0,
    until: Annotated[int | None, QueryParameter(ge=0, le=2**62, description="The newest if none is given.")] = None,
    lang: FromQuery[str | None] = None,
) -> Changes:
    """What changed since a version, per thing and field by field: old, new, and the sentence a phone shows. What was changed and
    changed back is not in it; what is in it, applied to the old version, makes the new one."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.snapshot() as tx:
        return await changes_between(tx, found, since, until, reader_of(request, found, lang))


@get("/schedule/versions")
async def list_versions(
    request: Request[Any, Any, Any], event: FromPath[str], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> VersionPage:
    """The programme's versions, the newest first, with what made each."""
    found: EventRow = await request.app.state.events.get(event)
    before = 2**62 if cursor is None else decode_number_cursor(cursor)
    async with request.app.state.db.read() as connection:
        rows = await history_queries.list_versions(connection, found.event_id, before=before, limit=limit + 1)
    page = rows[:limit]
    return VersionPage(
        versions=page,
        next_cursor=encode_cursor(str(page[-1].version)) if len(rows) > limit else None,
    )


@get("/schedule/versions/{version:int}")
async def get_version(
    request: Request[Any, Any, Any], event: FromPath[str], version: FromPath[int], lang: FromQuery[str | None] = None
) -> Changes:
    """The change log of one version: what it changed of the one before it."""
    found: EventRow = await request.app.state.events.get(event)
    if version < 1:
        raise UnknownVersion
    async with request.app.state.db.snapshot() as tx:
        return await changes_between(tx, found, version - 1, version, reader_of(request, found, lang))


@get("/draft", guards=[require("organizer")], tags=["draft"])
async def get_draft(request: Request[Any, Any, Any], event: FromPath[str], lang: FromQuery[str | None] = None) -> Draft:
    """What the draft would change of the programme as it is now, and what is in the way of releasing it."""
    found: EventRow = await request.app.state.events.get(event)
    return await preview(request.app.state.db, found, reader_of(request, found, lang))


@post("/draft/release", guards=[require("organizer")], opt=describe(ReleaseDraft, required=False), tags=["draft"])
async def post_release(request: Request[Any, Any, Any], event: FromPath[str]) -> Version:
    """Makes the draft the programme, as one version. Channel `schedule` hears each change, then `schedule.released`."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, ReleaseDraft) if await request.body() else ReleaseDraft()
    released = await release(request.app.state.db, found, command)
    forget(request, found)
    return released


@delete("/draft", guards=[require("organizer")], tags=["draft"])
async def delete_draft(request: Request[Any, Any, Any], event: FromPath[str]) -> None:
    """Forgets the whole draft."""
    found: EventRow = await request.app.state.events.get(event)
    await discard(request.app.state.db, found)


@delete("/draft/edits/{thing_id:uuid}", guards=[require("organizer")], tags=["draft"])
async def delete_draft_edit(request: Request[Any, Any, Any], event: FromPath[str], thing_id: FromPath[UUID]) -> None:
    """Lets the draft leave one thing as it is."""
    found: EventRow = await request.app.state.events.get(event)
    await forget_edit(request.app.state.db, found, thing_id)


handlers = [get_changes, list_versions, get_version, get_draft, post_release, delete_draft, delete_draft_edit]
