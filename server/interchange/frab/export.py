"""A publication made ready for frab's formats: keys as they take them, texts clean, in one language or in all.

Rooms, speakers and sessions are known by a UUID, tracks by a slug or a UUID; what is read back from a file has these as its keys.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, structs

from server.interchange.frab.columns import is_slug, is_uuid
from server.interchange.reading.arabic_letters import plain_letters
from server.interchange.reading.session_keys import LARGEST_NUMBER
from server.interchange.reading.values import NOT_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from server.interchange.programme import Link, Programme, Publication, Session, Texts

_Thing = TypeVar("_Thing", bound=Struct)


def in_all_languages(publication: Publication) -> Programme:
    return _spoken(_with_public_keys(publication), lambda texts: texts)


def in_one_language(publication: Publication, language: str) -> Programme:
    """Every text in `language`, where there is none in the event's own; sessions that are cancelled are left out.

    Apps take the absence of a session they know for its cancellation; these formats have no other way to say it.
    """
    wanted = (language, publication.default_language)

    def one(texts: Texts) -> Texts:
        return {language: best(texts, *wanted)} if texts else {}

    programme = _spoken(_with_public_keys(publication), one)
    return structs.replace(
        programme, sessions=tuple(session for session in programme.sessions if session.status != "cancelled")
    )


def best(texts: Texts, *wanted: str) -> str:
    """The text in the first wanted language there is, regions apart, else in a language nobody named, else the first."""
    by_language = {tag.partition("-")[0]: text for tag, text in reversed(texts.items())}
    for tag in wanted:
        if tag in texts or tag.partition("-")[0] in by_language:
            return texts.get(tag) or by_language[tag.partition("-")[0]]
    return texts.get("und") or next(iter(texts.values()), "")


def numbers_of(sessions: Iterable[Session]) -> dict[str, int]:
    """By key: the session's own number, else one made of its key, the same in every file and no other session's."""
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    listed = sorted(sessions, key=lambda session: session.key)
    for session in listed:
        if session.number is not None and session.number not in taken:
            numbers[session.key] = session.number
            taken.add(session.number)
    for session in listed:
        if session.key not in numbers:
            numbers[session.key] = next(number for number in _derived(session.key) if number not in taken)
            taken.add(numbers[session.key])
    return numbers


def _derived(key: str) -> Iterable[int]:
    """Numbers from 2³⁰ up, where no system that counts its sessions has come to."""
    round_ = 0
    while True:
        digest = hashlib.sha256(f"{key}\n{round_}".encode()).digest()
        yield 2**30 + int.from_bytes(digest[:4]) % (LARGEST_NUMBER - 2**30)
        round_ += 1


def _with_public_keys(publication: Publication) -> Programme:
    programme = publication.programme

    def uuids(kind: str, things: Iterable[_Thing]) -> dict[str | None, str]:
        keys = [str(getattr(thing, "key")) for thing in things]  # noqa: B009 -- every one of them has it
        return {key: key.lower() if is_uuid(key.lower()) else publication.ids[f"{kind}:{key}"].lower() for key in keys}

    rooms, speakers = uuids("room", programme.rooms), uuids("speaker", programme.speakers)
    slugs: dict[str | None, str] = {
        track.key: track.key if is_slug(track.key) else _track_id(publication, track.key) for track in programme.tracks
    }
    sessions = uuids("session", programme.sessions)
    return structs.replace(
        programme,
        rooms=tuple(structs.replace(room, key=rooms[room.key]) for room in programme.rooms),
        speakers=tuple(structs.replace(speaker, key=speakers[speaker.key]) for speaker in programme.speakers),
        tracks=tuple(structs.replace(track, key=slugs[track.key]) for track in programme.tracks),
        sessions=tuple(
            structs.replace(
                session,
                key=sessions[session.key],
                room=rooms.get(session.room),
                track=slugs.get(session.track),
                speakers=tuple(speakers[key] for key in session.speakers),
                roles={speakers[key]: role for key, role in session.roles.items()},
            )
            for session in programme.sessions
        ),
    )


def _track_id(publication: Publication, key: str) -> str:
    return key.lower() if is_uuid(key.lower()) else publication.ids[f"track:{key}"].lower()


def _spoken(programme: Programme, choose: Callable[[Texts], Texts]) -> Programme:
    """Every text of it through `choose`, without what no text may hold and without white space around."""

    def texts(thing: _Thing, *fields: str) -> _Thing:
        return structs.replace(thing, **{field: choose(_clean(getattr(thing, field))) for field in fields})

    def links(found: tuple[Link, ...]) -> tuple[Link, ...]:
        return tuple(texts(link, "title") for link in found)

    return structs.replace(
        texts(programme, "title"),
        days=tuple(texts(day, "name") for day in programme.days),
        rooms=tuple(texts(room, "name", "description") for room in programme.rooms),
        tracks=tuple(texts(track, "name", "description") for track in programme.tracks),
        kinds=tuple(texts(kind, "name") for kind in programme.kinds),
        speakers=tuple(
            structs.replace(texts(speaker, "name", "organisation", "tagline", "bio"), links=links(speaker.links))
            for speaker in programme.speakers
        ),
        sessions=tuple(
            structs.replace(
                texts(session, "title", "subtitle", "abstract", "description"),
                links=links(session.links),
                license=clean_text(session.license),
            )
            for session in programme.sessions
        ),
    )


def _clean(texts: Texts) -> Texts:
    clean = {tag: clean_text(text) for tag, text in texts.items()}
    return {tag: text for tag, text in clean.items() if text}


def clean_text(text: str) -> str:
    """As readers take it: with U+FFFD for what is no character, and Arabic in letters, not in the shapes of a PDF."""
    return plain_letters(NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text).strip())
