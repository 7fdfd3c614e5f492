"""An organizer's changes: each subject can be added, changed and removed, at once or in the draft.

What is changed at once is told on the feed. What is changed in the draft is told when it is released. `If-Match` with the `ETag`
of what one has read makes sure that nobody's change is overwritten unseen.
"""

from __future__ import annotations

import re
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
from server.schedule import actions, commands, drafting
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


NOUNS = (
    Noun("day", "days", DayHead, commands.AddDay, commands.ChangeDay, "a day"),
    Noun("room", "rooms", Room, commands.AddRoom, commands.ChangeRoom, "a room"),
    Noun("track", "tracks", Track, commands.AddTrack, commands.ChangeTrack, "a track"),
    Noun("kind", "kinds", Kind, commands.AddKind, commands.ChangeKind, "a kind of session"),
    Noun("speaker", "speakers", Speaker, commands.AddSpeaker, commands.ChangeSpeaker, "a speaker"),
    Noun("session", "sessions", SessionDetail, commands.AddSession, commands.ChangeSession, "a session"),
)


def answer(row: Row, subject: Subject, reader: Reader = EVERY_LANGUAGE, *, status: int = 200) -> Response[Any]:
    """A thing with its `ETag`: its revision, and the language in which it is read."""
    etag = f'"{row.revision}"' if reader is EVERY_LANGUAGE else f'"{row.revision}.{reader.language}"'
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
        return answer(row, noun.subject, reader_of(request, found, lang))

    read.__name__, read.__doc__ = (
        f"get_{noun.subject}",
        (f"Reads {noun.a}; a session with its long description. Its `ETag` is what `If-Match` wants of a change."),
    )
    return get(
        f"/{noun.path}/{{thing_id:uuid}}",
        responses={200: ResponseSpec(noun.view, generate_examples=False, description="It")},
    )(read)


def _editing(noun: Noun, *, draft: bool) -> list[HTTPRouteHandler]:
    where = "/draft" if draft else ""
    name = f"{noun.subject}_in_draft" if draft else noun.subject
    effect = (
        "in the draft; nobody hears of it before it is released" if draft else "at once; channel `schedule` hears of it"
    )
    document: dict[str, Any] = {"guards": [require("organizer")], "tags": ["draft" if draft else "schedule"]}

    async def add(request: Request[Any, Any, Any], event: FromPath[str]) -> Response[Any]:
        found: EventRow = await request.app.state.events.get(event)
        command = await read_body(request, noun.add)
        act = drafting.draft_new if draft else actions.add_thing
        row = await act(request.app.state.db, found, noun.subject, command)
        forget(request, found)
        return answer(row, noun.subject, status=201)

    async def change(request: Request[Any, Any, Any], event: FromPath[str], thing_id: FromPath[UUID]) -> Response[Any]:
        found: EventRow = await request.app.state.events.get(event)
        command = await read_body(request, noun.change)
        expected = revision_of(request.headers.get("if-match"))
        act = drafting.draft_change if draft else actions.change_thing
        row = await act(request.app.state.db, found, noun.subject, thing_id, command, expected=expected)
        forget(request, found)
        return answer(row, noun.subject)

    async def remove(request: Request[Any, Any, Any], event: FromPath[str], thing_id: FromPath[UUID]) -> None:
        found: EventRow = await request.app.state.events.get(event)
        expected = revision_of(request.headers.get("if-match"))
        act = drafting.draft_removal if draft else actions.remove_thing
        await act(request.app.state.db, found, noun.subject, thing_id, expected=expected)
        forget(request, found)

    add.__name__, add.__doc__ = f"add_{name}", (f"Adds {noun.a}, {effect}.")
    add_handler = post(
        f"{where}/{noun.path}",
        responses={201: ResponseSpec(noun.view, generate_examples=False, description="It, with its id")},
        opt=describe(noun.add),
        **document,
    )(add)
    change.__name__, change.__doc__ = (
        f"change_{name}",
        (f"Changes what is given of {noun.a}, {effect}. What is left out stays."),
    )
    change_handler = patch(
        f"{where}/{noun.path}/{{thing_id:uuid}}",
        responses={200: ResponseSpec(noun.view, generate_examples=False, description="It, as it is now")},
        opt=describe(noun.change),
        **document,
    )(change)
    remove.__name__, remove.__doc__ = (
        f"remove_{name}",
        (f"Takes {noun.a} out of the programme, {effect}. What sessions refer to cannot go."),
    )
    remove_handler = delete(
        f"{where}/{noun.path}/{{thing_id:uuid}}",
        **document,
    )(remove)
    return [add_handler, change_handler, remove_handler]


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
    handler for noun in NOUNS for handler in (_reading(noun), *_editing(noun, draft=False), *_editing(noun, draft=True))
]
