"""A programme as every file format and the sample event hand it over: plain values, no database, no identifiers of ours.

Readers of a format return one `Programme`; whoever stores it gives out the identifiers. A `key` is what the source itself
calls a thing (frab's guid, for instance), stable over successive files of the same event, and unique within its tuple.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Texts = dict[str, str]
"""One text in several languages: BCP 47 language tag → text. The tag `und` where the source does not say."""

Status = Literal["scheduled", "moved", "delayed", "cancelled"]


class Room(Struct, frozen=True, kw_only=True):
    key: str
    name: Texts
    capacity: int | None = None
    floor: str | None = None


class Track(Struct, frozen=True, kw_only=True):
    key: str
    name: Texts
    color: str | None = None
    """`#rrggbb`."""


class Speaker(Struct, frozen=True, kw_only=True):
    key: str
    name: Texts
    """The same person in several scripts: `{"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}`."""
    organisation: Texts = {}
    bio: Texts = {}


class Session(Struct, frozen=True, kw_only=True):
    key: str
    title: Texts
    subtitle: Texts = {}
    abstract: Texts = {}
    description: Texts = {}
    starts_at: datetime
    """Aware."""
    ends_at: datetime
    """Aware, later than `starts_at`."""
    room: str | None = None
    """A `Room.key`."""
    track: str | None = None
    """A `Track.key`."""
    speakers: tuple[str, ...] = ()
    """`Speaker.key`s in the order they are named."""
    kind: str = ""
    """What the source calls it: `Keynote`, `Talk`, `Workshop`…; may be empty."""
    language: str | None = None
    """The language spoken on stage, a BCP 47 tag."""
    url: str | None = None
    status: Status = "scheduled"


class Repair(Struct, frozen=True, kw_only=True):
    """Something the source got wrong and the reader mended, in a sentence an organiser understands."""

    where: str
    """The place in the source: `event id=25`, `day 2`, `line 310`."""
    what: str


class Programme(Struct, frozen=True, kw_only=True):
    title: Texts
    timezone: str
    """IANA name, known to `zoneinfo`."""
    version: str = ""
    rooms: tuple[Room, ...] = ()
    tracks: tuple[Track, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    sessions: tuple[Session, ...] = ()
    repairs: tuple[Repair, ...] = ()
