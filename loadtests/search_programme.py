"""A large programme in three languages, the same for the same seed: words as frequent as words are, names, long descriptions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from server.interchange.programme import Kind, Programme, Room, Session, Speaker, Texts, Track

WORDS = 8000
"""Of each language. As often as their place says: the first is in one of ten places (Zipf)."""
SYLLABLES = {
    "fr": "ban ca dé fi ga la mé no pré ra sé ti ver tion ment eur age",
    "en": "ab con den ful gen ing lar mer ness ort pro ser ter ver wick y",
    "ar": "با تا حم در سا شر عل فا كت لم مد نو ها ور يس",
}
TITLE, ABSTRACT, DESCRIPTION, BIO = (4, 9), (30, 50), (350, 450), (60, 90)
"""Words, least and most, in each language."""
ROOMS, TRACKS, KINDS = 40, 12, 6
STARTS = datetime(2026, 12, 18, 8, tzinfo=UTC)
MINUTES = 30


class Vocabulary(Struct, frozen=True):
    words: dict[str, list[str]]
    weights: list[float]

    def texts(self, source: random.Random, least: int, most: int) -> Texts:
        count = source.randint(least, most)
        return {
            language: " ".join(source.choices(words, cum_weights=self.weights, k=count))
            for language, words in self.words.items()
        }


def vocabulary(source: random.Random) -> Vocabulary:
    words = {language: _words(source, syllables.split()) for language, syllables in SYLLABLES.items()}
    total, weights = 0.0, []
    for place in range(1, WORDS + 1):
        total += 1 / place
        weights.append(total)
    return Vocabulary(words, weights)


def programme(source: random.Random, *, sessions: int, speakers: int) -> Programme:
    """One session after the other in each of its rooms."""
    known = vocabulary(source)
    people = [_speaker(source, known, number) for number in range(speakers)]
    return Programme(
        title={"en": "Large"},
        timezone="Africa/Casablanca",
        rooms=tuple(Room(key=f"large-room-{n}", name=known.texts(source, 1, 2)) for n in range(ROOMS)),
        tracks=tuple(Track(key=f"large-track-{n}", name=known.texts(source, 1, 3)) for n in range(TRACKS)),
        kinds=tuple(Kind(key=f"large-kind-{n}", name=known.texts(source, 1, 1)) for n in range(KINDS)),
        speakers=tuple(people),
        sessions=tuple(_session(source, known, number, people) for number in range(sessions)),
    )


def _session(source: random.Random, known: Vocabulary, number: int, people: Sequence[Speaker]) -> Session:
    starts_at = STARTS + timedelta(minutes=MINUTES * (number // ROOMS))
    return Session(
        key=f"large-session-{number}",
        title=known.texts(source, *TITLE),
        abstract=known.texts(source, *ABSTRACT),
        description=known.texts(source, *DESCRIPTION),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=MINUTES),
        room=f"large-room-{number % ROOMS}",
        track=f"large-track-{source.randrange(TRACKS)}",
        kind=f"large-kind-{source.randrange(KINDS)}",
        speakers=tuple(one.key for one in source.sample(people, source.randint(1, 3))),
    )


def _speaker(source: random.Random, known: Vocabulary, number: int) -> Speaker:
    names = {
        language: " ".join(word.capitalize() for word in source.sample(known.words[language], 2))
        for language in ("fr", "ar")
    }
    return Speaker(
        key=f"large-speaker-{number}",
        name=names,
        organisation=known.texts(source, 1, 3),
        bio=known.texts(source, *BIO),
    )


def _words(source: random.Random, syllables: Sequence[str]) -> list[str]:
    """Short ones first, as in any language."""
    found: dict[str, None] = {}
    while len(found) < WORDS:
        length = 1 + min(4, len(found) * 5 // WORDS)
        found["".join(source.choices(syllables, k=source.randint(length, length + 2)))] = None
    return list(found)
