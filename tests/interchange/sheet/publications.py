"""Programmes to be written and read again: whatever a sound one may hold."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from server.interchange.programme import (
    Day,
    Kind,
    Link,
    Programme,
    Publication,
    Room,
    Session,
    Speaker,
    Stamp,
    Texts,
    Track,
)

LETTERS = "aé'\"=+-@;,|\\ ()\n\r\t:_x0أب،٣😀#<&" + string.digits
TAGS = st.sampled_from(("und", "fr", "ar", "en", "de-AT", "zh-Hant"))
WORDS = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
NAMES = st.builds(lambda letter, rest: letter + rest, st.sampled_from("AbÉس="), st.text(LETTERS, max_size=8)).map(
    str.strip
)
URLS = st.sampled_from(("https://example.org/a|b", "http://example.org/?q=%C3%A9;x", "https://example.org/é#,"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
EXTRAS = st.dictionaries(WORDS, JSON, max_size=2)
ZONES = st.sampled_from(("Africa/Casablanca", "Europe/Paris", "UTC", "Australia/Sydney"))
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(), timedelta(days=730)).map(lambda after: BEGINNING + after) | st.integers(
    0, 70_000
).map(lambda quarters: BEGINNING + timedelta(minutes=15 * quarters))
LENGTHS = st.integers(1, 100).map(lambda parts: timedelta(minutes=5 * parts)) | st.timedeltas(
    timedelta(microseconds=1), timedelta(days=13)
)


def texts(*, least: int = 0) -> st.SearchStrategy[Texts]:
    return st.dictionaries(TAGS, WORDS, min_size=least, max_size=3)


def keys() -> st.SearchStrategy[list[str]]:
    return st.lists(NAMES | st.uuids().map(str), max_size=3, unique=True)


LINKS = st.lists(
    st.builds(Link, url=URLS, title=texts(), kind=st.sampled_from(("link", "file", "stream", "recording", "feedback"))),
    max_size=2,
).map(tuple)


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    rooms = [
        draw(
            st.builds(
                Room,
                key=st.just(key),
                name=texts(least=1),
                description=texts(),
                capacity=st.none() | st.integers(1, 999_999),
                floor=st.none() | WORDS,
                extra=EXTRAS,
            )
        )
        for key in draw(keys())
    ]
    colors = st.none() | st.sampled_from(("#0a66ff", "#000000"))
    tracks = [
        draw(st.builds(Track, key=st.just(key), name=texts(least=1), description=texts(), color=colors, extra=EXTRAS))
        for key in draw(keys())
    ]
    kinds = [Kind(key=key, name=draw(texts(least=1))) for key in draw(keys())]
    speakers = [
        draw(
            st.builds(
                Speaker,
                key=st.just(key),
                name=texts(least=1),
                organisation=texts(),
                tagline=texts(),
                bio=texts(),
                photo_url=st.none() | URLS,
                links=LINKS,
                extra=EXTRAS,
            )
        )
        for key in draw(keys())
    ]
    zone = draw(ZONES)
    sessions = []
    for at, key in enumerate(draw(keys().filter(bool))):
        starts_at = draw(INSTANTS)
        people = draw(st.lists(st.sampled_from([each.key for each in speakers]), unique=True)) if speakers else []
        roles = st.sampled_from(("moderator", "panelist", "modérateur", "a (b)", "ضيف", "role: x"))
        sessions.append(
            Session(
                key=key,
                number=draw(st.none() | st.just(at + 1)),
                title=draw(texts(least=1)),
                subtitle=draw(texts()),
                abstract=draw(texts()),
                description=draw(texts()),
                starts_at=starts_at,
                ends_at=starts_at + draw(LENGTHS),
                room=draw(st.sampled_from([None, *(each.key for each in rooms)])),
                track=draw(st.sampled_from([None, *(each.key for each in tracks)])),
                kind=draw(st.sampled_from([None, *(each.key for each in kinds)])),
                speakers=tuple(people),
                roles={each: draw(roles) for each in people if draw(st.booleans())},
                languages=draw(st.lists(TAGS, max_size=2, unique=True).map(tuple)),
                service=draw(st.booleans()),
                url=draw(st.none() | URLS),
                logo_url=draw(st.none() | URLS),
                links=draw(LINKS),
                license=draw(st.just("") | WORDS),
                do_not_record=draw(st.booleans()),
                status=draw(st.sampled_from(("scheduled", "moved", "delayed", "cancelled"))),
                extra=draw(EXTRAS),
            )
        )
    dates = draw(st.lists(st.dates(date(2020, 1, 1), date(2021, 12, 31)), max_size=2, unique=True))
    days = [
        Day(
            date=day.isoformat(),
            name=draw(texts()),
            starts_at=draw(st.none() | INSTANTS),
            ends_at=draw(st.none() | INSTANTS),
        )
        for day in dates
    ]
    return Programme(
        title=draw(texts(least=1)),
        timezone=zone,
        day_begins=draw(st.sampled_from(("00:00", "06:00", "04:30"))),
        version=draw(st.just("") | WORDS),
        days=tuple(days),
        rooms=tuple(rooms),
        tracks=tuple(tracks),
        kinds=tuple(kinds),
        speakers=tuple(speakers),
        sessions=tuple(sessions),
        extra=draw(EXTRAS),
    )


def published(programme: Programme, *, default_language: str = "fr") -> Publication:
    return Publication(
        programme=programme,
        ids={},
        slug="sommet",
        default_language=default_language,
        url="https://example.org/sommet/schedule.xlsx",
        base_url="https://example.org/sommet",
        updated_at=datetime(2020, 12, 1, tzinfo=UTC),
        stamps={session.key: Stamp(1, datetime(2020, 12, 1, tzinfo=UTC)) for session in programme.sessions},
    )
