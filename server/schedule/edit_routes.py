"""An organizer's changes: each subject can be added, changed and removed, at once or in the draft.

What is changed at once is told on the feed. What is changed in the draft is told when it is released. `If-Match` with the `ETag`
of what one has read makes sure that nobody's change is overwritten unseen.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from server.auth import require
from server.body import describe, read_body
from server.errors import InvalidRequest
from server.event.reader import EVERY_LANGUAGE, Reader, reader_of
from server.event.types import EventRow
from server.schedule import actions, commands, draft_actions
from server.schedule.errors import NO_SUCH
from server.schedule.rows import Row, Subject
from server.schedule.things import get_thing
from server.schedule.types import DayHead, Kind, Room, SessionDetail, Speaker, Track
from server.schedule.views import view_of

_REVISION = re.compile(r'"(\d{1,18})(?:\.[A-Za-z0-9*-]{1,40})?"')


class Noun(Struct, frozen=True):
    """A subject over HTTP."""

    subject: Subject
    path: str
    view: type[Struct]
    add: type[Struct]
    change: type[Struct]
    a: str
    """With its article, for the document."""


class Target(Struct, frozen=True):
    """Where a change goes."""

    path: str
    prefix: str
    effect: str
    tag: str
    is_read: bool
    """Readers see what is changed there."""
    add: Callable[..., Awaitable[Row]]
    change: Callable[..., Awaitable[Row]]
    remove: Callable[..., Awaitable[None]]

    @property
    def marks(self) -> dict[str, Any]:
        return {"guards": [require("organizer")], "tags": [self.tag]}


LIVE = Target(
    path="",
    prefix="",
    effect="at once; channel `schedule` hears of it",
    tag="schedule",
    is_read=True,
    add=actions.add_thing,
    change=actions.change_thing,
    remove=actions.remove_thing,
)
DRAFT = Target(
    path="/draft",
    prefix="draft_",
    effect="in the draft; nobody hears of it before it is released",
    tag="draft",
    is_read=False,
    add=draft_actions.draft_new,
    change=draft_actions.draft_change,
    remove=draft_actions.draft_removal,
)

NOUNS = (
    Noun("day", "days", DayHead, commands.AddDay, commands.ChangeDay, "a day"),
    Noun("room", "rooms", Room, commands.AddRoom, commands.ChangeRoom, "a room"),
    Noun("track", "tracks", Track, commands.AddTrack, commands.ChangeTrack, "a track"),
    Noun("kind", "kinds", Kind, commands.AddKind, commands.ChangeKind, "a kind of session"),
    Noun("speaker", "speakers", Speaker, commands.AddSpeaker, commands.ChangeSpeaker, "a speaker"),
    Noun("session", "sessions", SessionDetail, commands.AddSession, commands.ChangeSession, "a session"),
)


def answer(row: Row, reader: Reader = EVERY_LANGUAGE, *, status: int = 200) -> Response[Any]:
    """A thing with its `ETag`: its revision, and the language in which it is read."""
    etag = f'"{row.revision}.{reader.language}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    return Response(view_of(row, reader), status_code=status, headers=headers)


def _reading(noun: Noun) -> HTTPRouteHandler:
    async def read(
        request: Request[Any, Any, Any],
        event: FromPath[str],
        thing_id: FromPath[UUID],
        lang: FromQuery[str | None] = None,
    ) -> Response[Any]:
        found: EventRow = await request.app.state.events.get(event)
        async with request.app.state.db.read() as connection:
            row = await get_thing(connection, found.event_id, noun.subject, thing_id)
        if row is None:
            raise NO_SUCH[noun.subject]
        return answer(row, reader_of(request, found, lang))

    _name(read, f"get_{noun.subject}", f"Reads {noun.a}, whole. Its `ETag` is what `If-Match` wants of a change.")
    return get(f"/{noun.path}/{{thing_id:uuid}}", responses=_answers(200, noun, "It"))(read)


def _adding(noun: Noun, target: Target) -> HTTPRouteHandler:
    async def add(request: Request[Any, Any, Any], event: FromPath[str]) -> Response[Any]:
        found: EventRow = await request.app.state.events.get(event)
        command = await read_body(request, noun.add)
        row = await target.add(request.app.state.db, found, noun.subject, command)
        if target.is_read:
            forget(request, found)
        return answer(row, status=201)

    _name(add, f"post_{target.prefix}{noun.subject}", f"Adds {noun.a}, {target.effect}.")
    answers = _answers(201, noun, "It, with its id")
    return post(f"{target.path}/{noun.path}", responses=answers, opt=describe(noun.add), **target.marks)(add)


def _changing(noun: Noun, target: Target) -> HTTPRouteHandler:
    async def change(request: Request[Any, Any, Any], event: FromPath[str], thing_id: FromPath[UUID]) -> Response[Any]:
        found: EventRow = await request.app.state.events.get(event)
        command = await read_body(request, noun.change)
        expected = revision_of(request.headers.get("if-match"))
        row = await target.change(request.app.state.db, found, noun.subject, thing_id, command, expected=expected)
        if target.is_read:
            forget(request, found)
        return answer(row)

    what = f"Changes what is given of {noun.a}, {target.effect}. What is left out stays."
    _name(change, f"patch_{target.prefix}{noun.subject}", what)
    answers = _answers(200, noun, "It, as it is now")
    path = f"{target.path}/{noun.path}/{{thing_id:uuid}}"
    return patch(path, responses=answers, opt=describe(noun.change), **target.marks)(change)


def _removing(noun: Noun, target: Target) -> HTTPRouteHandler:
    async def remove(request: Request[Any, Any, Any], event: FromPath[str], thing_id: FromPath[UUID]) -> None:
        found: EventRow = await request.app.state.events.get(event)
        expected = revision_of(request.headers.get("if-match"))
        await target.remove(request.app.state.db, found, noun.subject, thing_id, expected=expected)
        if target.is_read:
            forget(request, found)

    what = f"Takes {noun.a} out of the programme, {target.effect}. What something refers to cannot go."
    _name(remove, f"delete_{target.prefix}{noun.subject}", what)
    return delete(f"{target.path}/{noun.path}/{{thing_id:uuid}}", **target.marks)(remove)


def _name(function: Any, name: str, description: str) -> None:
    """The document calls an operation by its function, and says what that says."""
    function.__name__, function.__doc__ = name, description


def _answers(status: int, noun: Noun, description: str) -> dict[int, ResponseSpec]:
    return {status: ResponseSpec(noun.view, generate_examples=False, description=description)}


def revision_of(if_match: str | None) -> int | None:
    """The revision that `If-Match` wants to find (RFC 9110 §13.1.1), from the ETag of a thing; None where it wants none.

    Raises `InvalidRequest` for what is no such ETag.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _REVISION.fullmatch(if_match.strip())
    if found is None:
        raise InvalidRequest("`If-Match` is no ETag of a thing in the programme: send the one that you have read.")
    return int(found[1])


def forget(request: Request[Any, Any, Any], event: EventRow) -> None:
    """The organizer's next reading shows the change, even before the feed's hint arrives."""
    request.app.state.documents.forget(event.event_id)


handlers = [
    *(_reading(noun) for noun in NOUNS),
    *(make(noun, target) for target in (LIVE, DRAFT) for noun in NOUNS for make in (_adding, _changing, _removing)),
]
