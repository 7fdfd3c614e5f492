"""A programme as every file format and the sample event hand it over: plain values, no database, no identifiers of ours.

Readers of a format return one `Programme`, writers take one; whoever stores it gives out the identifiers. A `key` is what the
source itself calls a thing (frab's guid, for instance), stable over successive files of the same event, unique in its tuple.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Texts = dict[str, str]
"""One text in several languages: BCP 47 language tag → text. The tag `und` where the source does not say."""

Status = Literal["scheduled", "moved", "delayed", "cancelled"]

LinkKind = Literal["link", "file", "stream", "recording", "feedback"]
"""`link` is a page about it, `file` something to download, `stream` where it is shown live, `recording` where afterwards,
`feedback` where one says what one thought."""

Extra = dict[str, Any]
"""What the source says and a `Programme` has no place for, as JSON values by the source's own names: kept, not interpreted."""

SPEAKER = "speaker"
"""The role of whoever is named without one."""


class Link(Struct, frozen=True, kw_only=True):
    url: str
    """`http:` or `https:`, whole."""
    title: Texts = {}
    kind: LinkKind = "link"


class Day(Struct, frozen=True, kw_only=True):
    date: str
    """`2026-12-18`, in the programme's zone; what begins before `Programme.day_begins` belongs to the day before."""
    name: Texts = {}
    starts_at: datetime | None = None
    """When its doors open and close, where the source says so. Aware."""
    ends_at: datetime | None = None


class Room(Struct, frozen=True, kw_only=True):
    key: str
    name: Texts
    description: Texts = {}
    capacity: int | None = None
    floor: str | None = None
    extra: Extra = {}


class Track(Struct, frozen=True, kw_only=True):
    key: str
    name: Texts
    description: Texts = {}
    color: str | None = None
    """`#rrggbb`."""
    extra: Extra = {}


class Kind(Struct, frozen=True, kw_only=True):
    """What sort of session it is: a keynote, a workshop, a break."""

    key: str
    name: Texts


class Speaker(Struct, frozen=True, kw_only=True):
    key: str
    name: Texts
    """The same person in several scripts: `{"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}`."""
    organisation: Texts = {}
    tagline: Texts = {}
    """What they are, in a line: `Directrice technique`."""
    bio: Texts = {}
    photo_url: str | None = None
    """`http:` or `https:`."""
    links: tuple[Link, ...] = ()
    extra: Extra = {}


class Session(Struct, frozen=True, kw_only=True):
    key: str
    number: int | None = None
    """The source's own number of it, 1 to 2³¹ - 1, no other session's; apps of frab's world know a session by it."""
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
    kind: str | None = None
    """A `Kind.key`."""
    speakers: tuple[str, ...] = ()
    """`Speaker.key`s in the order they are named, each once."""
    roles: dict[str, str] = {}
    """What those of the speakers do who are not simply that, by `Speaker.key`: `moderator`, `panelist`, `host`…; lower case."""
    languages: tuple[str, ...] = ()
    """Spoken on stage, BCP 47 tags, the main one first."""
    service: bool = False
    """A break, a meal, the registration: nothing that somebody presents."""
    url: str | None = None
    """Its own page. `http:` or `https:`."""
    logo_url: str | None = None
    links: tuple[Link, ...] = ()
    license: str = ""
    """Of its recording."""
    do_not_record: bool = False
    status: Status = "scheduled"
    extra: Extra = {}


class Repair(Struct, frozen=True, kw_only=True):
    """Something the source got wrong and the reader mended, in a sentence an organiser understands."""

    where: str
    """The place in the source: `event id=25`, `day 2`, `line 310`."""
    what: str


class Programme(Struct, frozen=True, kw_only=True):
    title: Texts
    timezone: str
    """IANA name, known to `zoneinfo`."""
    day_begins: str = "00:00"
    """The clock at which a day begins: what is earlier belongs to the night before."""
    version: str = ""
    """What the source calls this state of the programme."""
    days: tuple[Day, ...] = ()
    """Those of which the source says more than their date."""
    rooms: tuple[Room, ...] = ()
    tracks: tuple[Track, ...] = ()
    kinds: tuple[Kind, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    sessions: tuple[Session, ...] = ()
    extra: Extra = {}
    repairs: tuple[Repair, ...] = ()
    """What was mended while it was read; not part of the programme."""


class Stamp(Struct, frozen=True):
    """How often a session has changed since it was first published, and when it last did."""

    sequence: int
    at: datetime
    """UTC."""


class Publication(Struct, frozen=True, kw_only=True):
    """A programme as it is handed out: what a file says beside the programme itself."""

    programme: Programme
    """Its keys are the sources' own. A writer whose format wants UUIDs takes a key that is one, else `ids`."""
    ids: dict[str, str]
    """Our UUIDs, by the key with `room:`, `track:`, `speaker:` or `session:` before it."""
    slug: str
    """The event's short name, `[a-z0-9][a-z0-9-]{1,62}`."""
    default_language: str
    url: str
    """The public address of the file that is being written, without a language."""
    base_url: str
    """The public address of the event, no `/` at its end."""
    updated_at: datetime
    """UTC. Moves only when the content does: a file written twice of one version is the same bytes."""
    stamps: dict[str, Stamp] = {}
    """By `Session.key`; one that is not there was never changed."""
