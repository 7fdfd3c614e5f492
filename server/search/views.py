"""What was found, as its reader sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from server.event.reader import Reader
from server.search.snippets import snippet
from server.search.types import ExhibitorShown, Hit, SessionShown, SpeakerShown
from server.texts import ALL, Texts

BETWEEN_NAMES = ", "


def session_hit(session: SessionShown, reader: Reader, pattern: re.Pattern[str]) -> Hit:
    return Hit(
        about="session",
        id=session.session_id,
        title=reader.text(session.title),
        subtitle=_names(session.speakers, reader),
        snippet=snippet((session.abstract, session.description), pattern),
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        room_id=session.room_id,
        status=session.status,
    )


def speaker_hit(speaker: SpeakerShown, reader: Reader, pattern: re.Pattern[str]) -> Hit:
    return Hit(
        about="speaker",
        id=speaker.speaker_id,
        title=reader.text(speaker.name),
        subtitle=reader.text(speaker.organisation),
        snippet=snippet((speaker.bio,), pattern),
    )


def exhibitor_hit(exhibitor: ExhibitorShown, reader: Reader, pattern: re.Pattern[str]) -> Hit:
    return Hit(
        about="exhibitor",
        id=exhibitor.exhibitor_id,
        title=exhibitor.name,
        subtitle=exhibitor.booth,
        snippet=snippet((exhibitor.description,), pattern),
    )


def _names(speakers: Iterable[Texts], reader: Reader) -> str | Texts:
    """All of them in one line; for a reader of all languages one in each language that a name has."""
    people = list(speakers)
    if reader.language != ALL:
        return BETWEEN_NAMES.join(reader.text(name) for name in people)
    languages = dict.fromkeys(language for name in people for language in name)
    return {
        language: BETWEEN_NAMES.join(Reader(language, reader.default).text(name) for name in people)
        for language in languages
    }
