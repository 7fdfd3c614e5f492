"""The express lane: finished documents of the programme past the framework.

After a change every phone asks for the programme, and in between each asks whether there was one. The answer lies ready, and
finding out which one is asked for must not cost more than sending it. The lane is asked by the HTTP protocol itself (`direct`)
and answers in the same words as the handlers in `document_routes`: a test sends everything both ways and compares. What it
passes, they answer: an event, a programme or a document that is not in memory, and whatever is unusual about the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from server.conditional import accepts_gzip
from server.direct import Reply
from server.schedule.document_routes import PARTS
from server.schedule.formats import FORMATS, Format, Part, language_of
from server.schedule.representation import Conditions, Document, answer, conditions

if TYPE_CHECKING:
    from litestar.datastructures import State

    from server.event.directory import Events
    from server.schedule.documents import Documents

TARGET = re.compile(
    r"/v1/events/(?P<event>[A-Za-z0-9._~-]+)"
    r"(?:/(?P<folder>tracks|sessions)/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?"
    r"/(?P<name>[a-z0-9.]+)"
    r"(?:\?lang=(?P<lang>[A-Za-z-]{1,35}|\*))?"
)
"""Only as it is usually written: with another query or an escape the framework reads it."""


class Asked(Struct, frozen=True):
    """What the bytes of a request say, without knowing the event."""

    event: str
    wanted: Format
    part: Part | None
    lang: str | None
    accept_language: str | None
    conditions: Conditions


class Reading:
    """A `direct.Direct`."""

    def __init__(self, state: State) -> None:
        """`state` is the application's, filled before the first request comes."""
        self._state = state

    @cached_property
    def _events(self) -> Events:
        return self._state.events  # type: ignore[no-any-return]

    @cached_property
    def _documents(self) -> Documents:
        return self._state.documents  # type: ignore[no-any-return]

    def recognise(self, target: bytes, headers: Mapping[bytes, bytes]) -> Asked | None:
        match = TARGET.fullmatch(target.decode("latin-1"))
        wanted = match and FORMATS.get(match["name"])
        if match is None or wanted is None or (match["folder"] and not wanted.of_parts):
            return None
        said = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
        negotiated = wanted.languages == "negotiated" and match["lang"] is None
        return Asked(
            event=match["event"],
            wanted=wanted,
            part=Part(PARTS[match["folder"]], UUID(match["id"])) if match["folder"] else None,
            lang=match["lang"],
            accept_language=said.get("accept-language"),
            conditions=conditions(
                said.get("if-none-match"),
                said.get("if-modified-since"),
                takes_gzip=accepts_gzip(said.get("accept-encoding")),
                negotiated=negotiated,
            ),
        )

    def open(self, asked: Asked) -> tuple[Document, Conditions] | None:
        event = self._events.known(asked.event)
        if event is None:
            return None
        language = language_of(asked.wanted, asked.lang, asked.accept_language, event)
        document = self._documents.ready(event, asked.wanted, language, asked.part)
        return None if document is None else (document, asked.conditions)

    def answer(self, opened: tuple[Document, Conditions], _body: bytes, reply: Callable[[Reply], None]) -> None:
        reply(answer(*opened))
