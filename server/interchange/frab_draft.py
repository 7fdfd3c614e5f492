"""What a schedule file says before anything is mended: the same shape for XML, JSON version 1 and version 2.

A field typed `object` holds whatever the file had there; `guid`, `id` and `slug` are trimmed texts, empty where absent.
"""

from __future__ import annotations

from msgspec import Struct


class PersonDraft(Struct, frozen=True, kw_only=True):
    guid: str = ""
    id: str = ""
    name: object = None
    organisation: object = None
    bio: object = None


class RoomDraft(Struct, frozen=True, kw_only=True):
    guid: str = ""
    slug: str = ""
    name: object = None
    capacity: object = None


class TrackDraft(Struct, frozen=True, kw_only=True):
    guid: str = ""
    slug: str = ""
    name: object = None
    color: object = None


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
    state: object = None


class FileDraft(Struct, frozen=True, kw_only=True):
    title: object = None
    acronym: object = None
    version: object = None
    time_zone_name: object = None
    base_url: object = None
    day_change: object = None
    rooms: tuple[RoomDraft, ...] = ()
    tracks: tuple[TrackDraft, ...] = ()
    people: tuple[PersonDraft, ...] = ()
    sessions: tuple[SessionDraft, ...] = ()
