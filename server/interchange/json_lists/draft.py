"""What a programme in JSON says before anything is mended: one shape for pretalx, Sessionize and mere lists of sessions.

A field typed `object` holds whatever the file had there. An `id` is the source's own, as text, empty where it has none: a
draft with nothing but an id refers to what the file describes elsewhere.
"""

from __future__ import annotations

from msgspec import Struct

from server.interchange.programme import Extra, LinkKind, Status


class LinkDraft(Struct, frozen=True, kw_only=True):
    url: object
    title: object = None
    kind: LinkKind = "link"


class PartDraft(Struct, frozen=True, kw_only=True):
    """A room, a track or a kind of session; each reads the fields it has."""

    id: str = ""
    name: object = None
    description: object = None
    capacity: object = None
    floor: object = None
    color: object = None
    extra: Extra = {}


class PersonDraft(Struct, frozen=True, kw_only=True):
    id: str = ""
    name: object = None
    organisation: object = None
    tagline: object = None
    bio: object = None
    photo: object = None
    links: tuple[LinkDraft, ...] = ()
    role: str = ""
    """In the session that names them; empty for a speaker."""
    extra: Extra = {}


class SessionDraft(Struct, frozen=True, kw_only=True):
    where: str
    id: str = ""
    number: object = None
    title: object = None
    subtitle: object = None
    abstract: object = None
    description: object = None
    date: object = None
    """The day, for times that are a clock alone."""
    starts: object = None
    """A date with a time, or a clock."""
    ends: object = None
    duration: object = None
    """Minutes, `HH:MM` or an ISO 8601 period."""
    room: PartDraft | None = None
    track: PartDraft | None = None
    kind: PartDraft | None = None
    people: tuple[PersonDraft, ...] = ()
    language: object = None
    """On stage, and of the texts where it is one: a tag, a list of them, or a text with several."""
    service: bool = False
    url: object = None
    logo: object = None
    links: tuple[LinkDraft, ...] = ()
    license: object = None
    do_not_record: bool = False
    status: Status = "scheduled"
    extra: Extra = {}


class FileDraft(Struct, frozen=True, kw_only=True):
    title: object = None
    timezone: object = None
    remarks: tuple[str, ...] = ()
    """Texts about the whole file in which a zone may be named."""
    version: object = None
    rooms: tuple[PartDraft, ...] = ()
    tracks: tuple[PartDraft, ...] = ()
    kinds: tuple[PartDraft, ...] = ()
    people: tuple[PersonDraft, ...] = ()
    sessions: tuple[SessionDraft, ...] = ()
    repeats: bool = False
    """Sessions with one id are one talk given several times, not a mistake."""
    extra: Extra = {}
