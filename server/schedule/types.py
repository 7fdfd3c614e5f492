"""The programme's shapes for its readers: the document an app holds, the changes between two, the events that tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from server.feed import Position
from server.interchange.programme import LinkKind
from server.schedule.rows import Origin, Status, Subject
from server.texts import Texts


class Room(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    description: str | Texts
    capacity: int | None
    floor: str | None
    position: int
    """Rooms are shown in the order of these numbers, then of their ids."""


class Track(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    description: str | Texts
    color: str | None
    position: int


class Kind(Struct, frozen=True, kw_only=True):
    """A sort of session: a keynote, a workshop, a break."""

    id: UUID
    name: str | Texts
    position: int


class LinkView(Struct, frozen=True, kw_only=True):
    url: str
    title: str | Texts
    kind: LinkKind


class Speaker(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    organisation: str | Texts
    tagline: str | Texts
    bio: str | Texts
    photo_url: str | None
    links: list[LinkView]


class SpeakerPage(Struct, frozen=True, kw_only=True):
    speakers: list[Speaker]
    next_cursor: str | None


class Session(Struct, frozen=True, kw_only=True):
    id: UUID
    title: str | Texts
    subtitle: str | Texts
    abstract: str | Texts
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None
    track_id: UUID | None
    kind_id: UUID | None
    speaker_ids: list[UUID]
    roles: dict[str, str]
    """What those of the speakers do who are more than that, by their id: `moderator`, `panelist`, `host`."""
    language: str | None
    """The first of `languages`."""
    languages: list[str]
    """Spoken on stage, the main one first."""
    service: bool
    """A break, a meal: nothing that somebody presents."""
    url: str | None
    logo_url: str | None
    links: list[LinkView]
    do_not_record: bool
    status: Status


class SessionDetail(Session, frozen=True, kw_only=True):
    """One session with its long text."""

    description: str | Texts


class SessionPage(Struct, frozen=True, kw_only=True):
    at: datetime
    """The moment that `now` and `next` were answered for."""
    version: int
    """Of the programme."""
    sessions: list[Session]
    """By start, then in the order of the rooms (those without one last), then by id."""
    next_cursor: str | None


class DayHead(Struct, frozen=True, kw_only=True):
    """What an organizer says of a day."""

    id: UUID | None
    """None for a day of which nothing is known but its sessions."""
    date: str
    """In the event's zone, `2026-12-18`; it begins at `Schedule.day_begins`."""
    name: str | Texts
    starts_at: datetime | None
    """When the doors open."""
    ends_at: datetime | None


class Day(DayHead, frozen=True, kw_only=True):
    session_ids: list[UUID]
    """Those that start on it."""


class Schedule(Struct, frozen=True, kw_only=True):
    """The whole programme in one language."""

    version: int
    updated_at: datetime
    feed: Position
    """Where channel `schedule` stood in this document: listen from here and nothing is missed."""
    timezone: str
    day_begins: str
    """`06:00`: what starts earlier belongs to the day before."""
    days: list[Day]
    rooms: list[Room]
    tracks: list[Track]
    kinds: list[Kind]
    speakers: list[Speaker]
    """By id, so that one who joins late comes last; an app sorts them by name as its language does."""
    sessions: list[Session]
    """By start, then in the order of the rooms (those without one last), then by id."""


ChangeKind = Literal[
    "added",
    "removed",
    "cancelled",
    "reinstated",
    "moved",
    "brought_forward",
    "delayed",
    "on_schedule",
    "shortened",
    "extended",
    "speakers",
    "renamed",
    "details",
]
"""What happened to a session, for an app's icons and filters: `moved` is another room, `brought_forward` and `delayed` another
start, `delayed` also a status that names no time yet and `on_schedule` its end, `shortened` and `extended` another length.
Whatever else changed is `details`, and so is everything about a session that is cancelled and stays so."""


Reference = Literal["room_id", "track_id", "kind_id", "speaker_ids"]
"""The fields of a session that name other things."""


class FieldChange(Struct, frozen=True, omit_defaults=True):
    """What a field was and what it is."""

    old: Any
    new: Any
    old_names: list[Texts] | UnsetType = UNSET
    """What `old` stands for, one name in all languages for each id; only of `room_id`, `track_id`, `kind_id` and
    `speaker_ids`."""
    new_names: list[Texts] | UnsetType = UNSET
    """The same for `new`."""


class SessionChanged(Struct, frozen=True, kw_only=True):
    """The data of a `session.changed` or `session.added` event, in all languages: nobody who hears it has to ask for anything.

    On channel `schedule` for everybody, and the same on `me` for those whom the session concerns.
    """

    version: int
    """The programme's version that this change made."""
    updated_at: datetime
    session: SessionDetail
    """The session as it is now."""
    speakers: list[Speaker]
    """Its speakers, in its order."""
    room: Room | None
    track: Track | None
    kind: Kind | None
    changed: dict[str, FieldChange]
    """By field of the session; empty where it was added."""
    kinds: list[ChangeKind]
    """The most important first; never empty."""
    sentence: Texts
    """What a phone shows, in each of the event's languages; English in those that the server does not speak."""


class SessionRemoved(Struct, frozen=True, kw_only=True):
    """The data of a `session.removed` event: it is gone from the programme, which is not the same as cancelled."""

    version: int
    updated_at: datetime
    id: UUID
    title: Texts
    kinds: list[ChangeKind]
    sentence: Texts


class _ThingChanged(Struct, frozen=True, kw_only=True):
    version: int
    """The programme's version that this change made."""
    updated_at: datetime
    id: UUID
    changed: dict[str, FieldChange]
    """By field; empty where it was added or removed."""


class DayChanged(_ThingChanged, frozen=True, kw_only=True):
    """The data of `day.added`, `day.changed` and `day.removed`, in all languages; `day` is null once it is removed."""

    day: DayHead | None


class RoomChanged(_ThingChanged, frozen=True, kw_only=True):
    """The data of `room.added`, `room.changed` and `room.removed`, in all languages; `room` is null once it is removed."""

    room: Room | None


class TrackChanged(_ThingChanged, frozen=True, kw_only=True):
    """The data of `track.added`, `track.changed` and `track.removed`, in all languages; `track` is null once it is removed."""

    track: Track | None


class KindChanged(_ThingChanged, frozen=True, kw_only=True):
    """The data of `kind.added`, `kind.changed` and `kind.removed`, in all languages; `kind` is null once it is removed."""

    kind: Kind | None


class SpeakerChanged(_ThingChanged, frozen=True, kw_only=True):
    """The data of `speaker.added`, `speaker.changed` and `speaker.removed`, in all languages; `speaker` is null once removed."""

    speaker: Speaker | None


class ScheduleReleased(Struct, frozen=True, kw_only=True):
    """The data of `schedule.released`: a draft was released or a file imported; its changes came before, one event each."""

    version: int
    updated_at: datetime
    origin: Origin
    name: str
    note: str
    changes: int


class ScheduleReplaced(Struct, frozen=True, kw_only=True):
    """The data of `schedule.replaced`: so much has changed at once that it is not told. Read the programme anew, after a random
    part of `within_seconds`, so that not everybody does it in the same moment."""

    version: int
    updated_at: datetime
    origin: Origin
    name: str
    note: str
    changes: int
    within_seconds: int


class Change(Struct, frozen=True, kw_only=True):
    """What became of one thing between two versions."""

    subject: Subject
    id: UUID
    title: str | Texts
    """What it is called now, or was last."""
    kinds: list[ChangeKind]
    """What happened, the most important first; for everything but sessions `added`, `removed` or `details`."""
    changed: dict[str, FieldChange]
    """By field; empty where it was added or removed."""
    sentence: str | Texts
    """What a phone shows; of sessions only, else empty."""
    day: DayHead | None
    """The thing as it is in the newer version, under its own subject; all of these are null where it is gone."""
    room: Room | None
    track: Track | None
    kind: Kind | None
    speaker: Speaker | None
    session: SessionDetail | None


class Changes(Struct, frozen=True, kw_only=True):
    """What changed between two versions: applied to the older programme it makes the newer one."""

    since: int
    version: int
    changes: list[Change]


class Version(Struct, frozen=True):
    """A version of the programme, and what made it."""

    version: int
    at: datetime
    origin: Origin
    name: str
    """What the organizer or the imported file calls it; often empty."""
    note: str
    changes: int
    """How many things it touched."""


class VersionPage(Struct, frozen=True, kw_only=True):
    versions: list[Version]
    """The newest first."""
    next_cursor: str | None


class Clash(Struct, frozen=True, kw_only=True):
    """Two sessions in one room at a time, though neither shares it."""

    session_id: UUID
    title: str | Texts
    with_session_id: UUID
    with_title: str | Texts
    room_id: UUID


class Disagreement(Struct, frozen=True, kw_only=True):
    """The draft and a change that was made since it began want something else of the same field."""

    subject: Subject
    id: UUID
    title: str | Texts
    field: str
    """`*`: one changes what the other removes."""
    base: Any
    live: Any
    draft: Any


class Dangling(Struct, frozen=True, kw_only=True):
    """A session names what would no longer be there: it was removed since, or the draft itself removes it."""

    session_id: UUID
    title: str | Texts
    field: Reference
    id: UUID
    """Of what is not there."""


class Draft(Struct, frozen=True, kw_only=True):
    """What an organizer prepares, against the programme as it is now."""

    changes: list[Change]
    """What a release would change."""
    disagreements: list[Disagreement]
    """A release is refused while there are any, unless it is forced."""
    clashes: list[Clash]
    """A release is refused while there are any."""
    dangling: list[Dangling]
    """The same."""


EVENTS: dict[str, type[Struct]] = {
    "session.added": SessionChanged,
    "session.changed": SessionChanged,
    "session.removed": SessionRemoved,
    **{f"day.{what}": DayChanged for what in ("added", "changed", "removed")},
    **{f"room.{what}": RoomChanged for what in ("added", "changed", "removed")},
    **{f"track.{what}": TrackChanged for what in ("added", "changed", "removed")},
    **{f"kind.{what}": KindChanged for what in ("added", "changed", "removed")},
    **{f"speaker.{what}": SpeakerChanged for what in ("added", "changed", "removed")},
    "schedule.released": ScheduleReleased,
    "schedule.replaced": ScheduleReplaced,
}
"""What this noun's events carry, by kind."""
