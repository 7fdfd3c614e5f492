"""What sessions, speakers and exhibitors are found by. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias
from uuid import UUID

from server.folding import all_words_of
from server.interchange.plain_text import plain
from server.search.types import About, Entry, ExhibitorSource, SessionSource, SpeakerSource
from server.search.wording import forms, lexeme
from server.texts import Texts

Weight = Literal["A", "B", "C", "D"]
Heads: TypeAlias = Iterable[tuple[Weight, Texts | None]]

MOST_HEAD_WORDS = 1000
MOST_WORDS = 5000
"""A tsvector ends at 1 MB; so many words of the longest kind are 830 kB."""
FAR = 10
"""Places between two texts: words that stand together count for more than words of two texts."""


def session_entry(event_id: UUID, session: SessionSource) -> Entry:
    heads: Heads = [
        ("A", session.title),
        *(("B", name) for _, name in sorted(session.speakers.items())),
        ("C", session.subtitle),
        ("D", session.track),
        ("D", session.kind),
        ("D", session.room),
    ]
    bodies = (session.abstract, session.description, *session.organisations.values())
    return _entry(event_id, "session", session.session_id, heads, bodies)


def speaker_entry(event_id: UUID, speaker: SpeakerSource) -> Entry:
    heads: Heads = [("A", speaker.name), ("B", speaker.organisation), ("C", speaker.tagline)]
    return _entry(event_id, "speaker", speaker.speaker_id, heads, (speaker.bio,))


def exhibitor_entry(event_id: UUID, exhibitor: ExhibitorSource) -> Entry:
    heads: Heads = [
        ("A", {"und": exhibitor.name}),
        ("B", {"und": exhibitor.booth}),
        ("C", exhibitor.sector),
        ("D", exhibitor.pavilion),
        ("D", exhibitor.city),
    ]
    return _entry(event_id, "exhibitor", exhibitor.exhibitor_id, heads, (exhibitor.description,))


def _entry(event_id: UUID, about: About, thing_id: UUID, heads: Heads, bodies: Iterable[Texts]) -> Entry:
    placed = list(_placed(heads))[:MOST_HEAD_WORDS]
    words = dict.fromkeys(word for word, _ in placed)
    whole = dict.fromkeys([*words, *(form for texts in bodies for form in _forms_in(texts))])
    return Entry(
        about,
        thing_id,
        " ".join(f"{lexeme(event_id, word)}:{place}" for word, place in placed),
        " ".join(lexeme(event_id, word) for word in list(whole)[:MOST_WORDS]),
        frozenset(words),
    )


def _placed(heads: Heads) -> Iterator[tuple[str, str]]:
    """Words with place and weight, `3A`."""
    place = 1
    for weight, texts in heads:
        for _, text in sorted((texts or {}).items()):
            for word in all_words_of(text):
                for form in forms(word):
                    yield form, f"{place}{weight}"
                place += 1
            place += FAR


def _forms_in(texts: Texts) -> Iterator[str]:
    """Of long texts, which may be HTML or Markdown."""
    for _, text in sorted(texts.items()):
        for word in dict.fromkeys(all_words_of(plain(text))):
            yield from forms(word)
