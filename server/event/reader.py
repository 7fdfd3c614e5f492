"""The person behind a request as far as texts go: which language they read."""

from __future__ import annotations

from typing import Any

from litestar import Request
from msgspec import Struct

from server.event.types import EventRow
from server.texts import ALL, Texts, choose_language, pick


class Reader(Struct, frozen=True):
    language: str
    """A language the event offers, or `*` for all of them."""
    default: str

    def text(self, texts: Texts) -> Any:
        """A plain string in the reader's language, or the whole map for `*`."""
        return pick(texts, self.language, self.default)


EVERY_LANGUAGE = Reader(ALL, ALL)
"""Who reads an event of the feed, or what an organizer gets back."""


def reader_of(request: Request[Any, Any, Any], event: EventRow, lang: str | None) -> Reader:
    """From `?lang=`, else `Accept-Language`, else the event's default language."""
    accepted = request.headers.get("accept-language")
    return Reader(choose_language(lang, accepted, event.languages, event.default_language), event.default_language)
