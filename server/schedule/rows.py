"""What the programme consists of, as its tables hold it: six subjects, a row each, and a change of one as a pair of rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from server.interchange.programme import LinkKind
from server.texts import Texts

Status = Literal["scheduled", "moved", "delayed", "cancelled"]
Subject = Literal["day", "room", "track", "kind", "speaker", "session"]
Origin = Literal["edit", "release", "import"]
"""What made a version: one change on the day, a draft that was released, a file."""


class Link(Struct, frozen=True):
    url: str
    title: Texts = {}
    kind: LinkKind = "link"


class VersionRow(Struct, frozen=True):
    version: int
    updated_at: datetime


class TouchedRow(Struct, frozen=True):
    subject: Subject
    id: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class DraftRow(Struct, frozen=True):
    subject: Subject
    id: UUID
    base: dict[str, Any] | None
    """As it was when the draft first touched it."""
    state: dict[str, Any] | None
    """None: the draft removes it."""
    revision: int


class SourceRow(Struct, frozen=True):
    """What the last file said of a thing."""

    subject: Subject
    key: str
    state: dict[str, Any]
    missing: bool
    """The last file no longer had it."""


class StampRow(Struct, frozen=True):
    id: UUID
    sequence: int
    at: datetime


class NamedRow(Struct, frozen=True):
    id: UUID
    name: Texts


class ClashRow(Struct, frozen=True):
    title: Texts
    """Of who is in the room already."""
    room: Texts


class ConcernedRow(Struct, frozen=True):
    session_id: UUID
    attendee_id: UUID


class DayRow(Struct, frozen=True):
    day_id: UUID
    date: date
    name: Texts = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    revision: int = 0


class RoomRow(Struct, frozen=True):
    room_id: UUID
    key: str
    name: Texts
    description: Texts = {}
    capacity: int | None = None
    floor: str | None = None
    position: int = 0
    extra: dict[str, Any] = {}
    revision: int = 0


class TrackRow(Struct, frozen=True):
    track_id: UUID
    key: str
    name: Texts
    description: Texts = {}
    color: str | None = None
    position: int = 0
    extra: dict[str, Any] = {}
    revision: int = 0


class KindRow(Struct, frozen=True):
    kind_id: UUID
    key: str
    name: Texts
    position: int = 0
    revision: int = 0


class SpeakerRow(Struct, frozen=True):
    speaker_id: UUID
    key: str
    name: Texts
    organisation: Texts = {}
    tagline: Texts = {}
    bio: Texts = {}
    photo_url: str | None = None
    links: list[Link] = []
    extra: dict[str, Any] = {}
    revision: int = 0

    def __post_init__(self) -> None:
        _read_links(self)


class SessionRow(Struct, frozen=True):
    session_id: UUID
    key: str
    number: int
    """0: one is given out when the row is written."""
    title: Texts
    subtitle: Texts
    abstract: Texts
    description: Texts
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None = None
    track_id: UUID | None = None
    kind_id: UUID | None = None
    speaker_ids: list[UUID] = []
    roles: dict[str, str] = {}
    """By speaker id."""
    languages: list[str] = []
    service: bool = False
    url: str | None = None
    logo_url: str | None = None
    links: list[Link] = []
    license: str = ""
    do_not_record: bool = False
    shares_room: bool = False
    status: Status = "scheduled"
    extra: dict[str, Any] = {}
    revision: int = 0

    def __post_init__(self) -> None:
        _read_links(self)


Row: TypeAlias = DayRow | RoomRow | TrackRow | KindRow | SpeakerRow | SessionRow

ROWS: dict[Subject, type[Row]] = {
    "day": DayRow,
    "room": RoomRow,
    "track": TrackRow,
    "kind": KindRow,
    "speaker": SpeakerRow,
    "session": SessionRow,
}
"""In an order in which each may be written: what a session refers to comes before it."""


class State(Struct, frozen=True):
    """A whole programme."""

    day: dict[UUID, DayRow] = {}
    room: dict[UUID, RoomRow] = {}
    track: dict[UUID, TrackRow] = {}
    kind: dict[UUID, KindRow] = {}
    speaker: dict[UUID, SpeakerRow] = {}
    session: dict[UUID, SessionRow] = {}

    def of(self, subject: Subject) -> dict[UUID, Row]:
        found: dict[UUID, Row] = getattr(self, subject)
        return found


class Edit(Struct, frozen=True):
    """One thing before and after; None where it was not there, or no longer is. Never both the same."""

    subject: Subject
    id: UUID
    before: Row | None
    after: Row | None


def id_of(row: Row) -> UUID:
    found: UUID = getattr(row, row.__struct_fields__[0])
    return found


def own_key(thing_id: UUID) -> str:
    """The key of what an organizer added here: no source calls anything so."""
    return f"added:{thing_id}"


def stored(row: Row) -> dict[str, Any]:
    """A row as JSON values, for the history and the draft: without its revision, which is theirs to know."""
    plain: dict[str, Any] = msgspec.to_builtins(row)
    del plain["revision"]
    return plain


def restored(subject: Subject, state: dict[str, Any] | None) -> Row | None:
    return None if state is None else msgspec.convert(state, ROWS[subject])


def _read_links(row: SpeakerRow | SessionRow) -> None:
    """Rows are made by position from what the database says, where a link is still an object."""
    if row.links and isinstance(row.links[0], dict):
        msgspec.structs.force_setattr(row, "links", msgspec.convert(row.links, list[Link]))
