"""Search's shapes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct

from server.texts import Texts

About = Literal["session", "speaker", "exhibitor"]
ABOUTS: tuple[About, ...] = get_args(About)


class Touched(Struct, frozen=True):
    """What a change makes new, goes or says otherwise, as far as anybody could search for it."""

    sessions: Sequence[UUID] = ()
    speakers: Sequence[UUID] = ()
    exhibitors: Sequence[UUID] = ()
    renamed: Sequence[UUID] = ()
    """Speakers, rooms, tracks and kinds by whose names sessions are found."""


class SessionSource(Struct, frozen=True):
    session_id: UUID
    title: Texts
    subtitle: Texts
    abstract: Texts
    description: Texts
    room: Texts | None
    track: Texts | None
    kind: Texts | None
    speakers: dict[str, Texts]
    """Names by the speaker's place."""
    organisations: dict[str, Texts]


class SpeakerSource(Struct, frozen=True):
    speaker_id: UUID
    name: Texts
    organisation: Texts
    tagline: Texts
    bio: Texts


class ExhibitorSource(Struct, frozen=True):
    exhibitor_id: UUID
    name: str
    booth: str
    pavilion: Texts
    sector: Texts
    city: Texts
    description: Texts


class Entry(Struct, frozen=True):
    """What something is found by."""

    about: About
    id: UUID
    head: str
    """A tsvector, as text."""
    whole: str
    words: frozenset[str]
    """Of the head."""


class HitRow(Struct, frozen=True):
    about: About
    id: UUID


class SpelledRow(Struct, frozen=True):
    spelling: str
    word: str


class SessionShown(Struct, frozen=True):
    """Its long texts are those for one reader."""

    session_id: UUID
    title: Texts
    abstract: str
    description: str
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None
    status: str
    speakers: list[Texts]


class SpeakerShown(Struct, frozen=True):
    speaker_id: UUID
    name: Texts
    organisation: Texts
    bio: str


class ExhibitorShown(Struct, frozen=True):
    exhibitor_id: UUID
    name: str
    booth: str
    description: str


class Hit(Struct, frozen=True, kw_only=True):
    """Something that has all the words."""

    about: About
    id: UUID
    title: str | Texts
    """A session's title, a speaker's or an exhibitor's name."""
    subtitle: str | Texts
    """Who speaks there; the speaker's organisation; the exhibitor's booth. May be empty."""
    snippet: str
    """A line of its long text where one of the words is, else its beginning; empty where there is none. In the reader's language,
    in the event's own for a reader of all of them."""
    starts_at: datetime | None = None
    """Of a session, as all that follows."""
    ends_at: datetime | None = None
    room_id: UUID | None = None
    status: str | None = None
    """`scheduled`, `moved`, `delayed` or `cancelled`."""


class Hits(Struct, frozen=True, kw_only=True):
    """The best first."""

    results: list[Hit]
    words: list[str]
    """What was looked for: what was typed, without accents and little words; without typing errors where nothing has the words
    as they were typed. Empty where nothing typed is a word: then nothing was looked for."""
    corrected: bool
    """Whether `words` are others than those typed."""
