"""What a schedule file says before anything is mended: the same shape for XML, JSON version 1 and version 2.

A field typed `object` holds whatever the file had there; `guid`, `id` and `slug` are trimmed texts, empty where absent.
"""

from __future__ import annotations

from msgspec import Struct

from server.interchange.programme import Extra, LinkKind


class LinkDraft(Struct, frozen=True, kw_only=True):
    url: object = None
    title: object = None
    kind: LinkKind = "link"
    """What the field it stands in says; a `type` that is one of our kinds says it better."""
    field: str = "links"
    """The list it stands in."""
    extra: Extra = {}
    """Its `type` and `service`."""


class PersonDraft(Struct, frozen=True, kw_only=True):
    guid: str = ""
    id: str = ""
    name: object = None
    organisation: object = None
    tagline: object = None
    bio: object = None
    photo: object = None
    role: str = ""
    links: tuple[LinkDraft, ...] = ()
    extra: Extra = {}


class RoomDraft(Struct, frozen=True, kw_only=True):
    guid: str = ""
    slug: str = ""
    name: object = None
    description: object = None
    capacity: object = None
    floor: object = None
    extra: Extra = {}


class TrackDraft(Struct, frozen=True, kw_only=True):
    guid: str = ""
    slug: str = ""
    name: object = None
    description: object = None
    color: object = None
    extra: Extra = {}


class DayDraft(Struct, frozen=True, kw_only=True):
    date: object = None
    start: object = None
    end: object = None


class SessionDraft(Struct, frozen=True, kw_only=True):
    where: str
    guid: str = ""
    id: str = ""
    title: object = None
    subtitle: object = None
    abstract: object = None
    description: object = None
    date: object = None
    """Date and time of the start, or its date alone."""
    start: object = None
    """The start on the clock, `10:30`."""
    end: object = None
    duration: object = None
    day: DayDraft = DayDraft()
    room: RoomDraft | None = None
    track: TrackDraft | None = None
    persons: tuple[PersonDraft, ...] = ()
    kind: object = None
    language: object = None
    url: object = None
    logo: object = None
    links: tuple[LinkDraft, ...] = ()
    license: object = None
    do_not_record: object = None
    state: object = None
    meta: bool = False
    """Whether version 2 calls it no event but a `BREAK` or `META`."""
    slug: str = ""
    extra: Extra = {}


class FileDraft(Struct, frozen=True, kw_only=True):
    title: object = None
    acronym: object = None
    version: object = None
    time_zone_name: object = None
    base_url: object = None
    day_change: object = None
    language: str = ""
    """Of all its texts, where the file itself says so."""
    days: tuple[DayDraft, ...] = ()
    rooms: tuple[RoomDraft, ...] = ()
    tracks: tuple[TrackDraft, ...] = ()
    people: tuple[PersonDraft, ...] = ()
    sessions: tuple[SessionDraft, ...] = ()
    extra: Extra = {}
    additions: object = None
    """What our own files say beside the standard's fields, see `additions`."""
