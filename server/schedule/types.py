"""The programme's shapes: rows, the document an app reads, an organizer's change, the event it makes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from server.feed import Position
from server.instants import Instant
from server.texts import LanguageTag, Line, LineTexts, ParagraphTexts, Texts

Status = Literal["scheduled", "moved", "delayed", "cancelled"]

MAX_SPEAKERS = 50
"""Of one session."""
SessionKind = Annotated[str, Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=100)]
# No other scheme: a link must not run a script.
WebAddress = Annotated[str, Meta(pattern=r"^https?://[^\s\x00/?#]+([/?#][^\s\x00]*)?$(?!\n)", max_length=2000)]
MaybeLineTexts = Annotated[dict[LanguageTag, Line], Meta(max_length=20)]


class VersionRow(Struct, frozen=True):
    version: int
    updated_at: datetime


class RoomRow(Struct, frozen=True):
    room_id: UUID
    name: Texts
    capacity: int | None
    floor: str | None


class TrackRow(Struct, frozen=True):
    track_id: UUID
    name: Texts
    color: str | None


class SpeakerRow(Struct, frozen=True):
    speaker_id: UUID
    name: Texts
    organisation: Texts
    bio: Texts


class SessionRow(Struct, frozen=True):
    session_id: UUID
    title: Texts
    subtitle: Texts
    abstract: Texts
    description: Texts
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None
    track_id: UUID | None
    speaker_ids: list[UUID]
    kind: str
    language: str | None
    url: str | None
    status: Status


class Room(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    capacity: int | None
    floor: str | None


class Track(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    color: str | None


class Speaker(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | Texts
    organisation: str | Texts
    bio: str | Texts


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
    speaker_ids: list[UUID]
    kind: str
    language: str | None
    url: str | None
    status: Status


class SessionDetail(Session, frozen=True, kw_only=True):
    """One session with its long text."""

    description: str | Texts


class Day(Struct, frozen=True, kw_only=True):
    date: str
    """A date in the event's zone, `2026-12-18`; a session belongs to the day on which it starts there."""
    session_ids: list[UUID]


class Schedule(Struct, frozen=True, kw_only=True):
    """The whole programme in one language."""

    version: int
    updated_at: datetime
    feed: Position
    """Where channel `schedule` stood in this document: listen from here and nothing is missed."""
    timezone: str
    days: list[Day]
    rooms: list[Room]
    tracks: list[Track]
    speakers: list[Speaker]
    """By id, so that one who joins late comes last; an app sorts them by name as its language does."""
    sessions: list[Session]
    """By start, then in the order of the rooms (those without one last), then by id."""


class ChangeSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of a session; what is left out stays.

    A new start without a new end keeps the length. Without a `status`, another room or an earlier start makes it `moved`, a
    later start `delayed`; a cancelled session stays cancelled until a status says otherwise.
    """

    starts_at: Instant | UnsetType = UNSET
    ends_at: Instant | UnsetType = UNSET
    room_id: UUID | UnsetType | None = UNSET
    track_id: UUID | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    title: LineTexts | UnsetType = UNSET
    subtitle: ParagraphTexts | UnsetType = UNSET
    abstract: ParagraphTexts | UnsetType = UNSET
    description: ParagraphTexts | UnsetType = UNSET
    language: LanguageTag | UnsetType | None = UNSET
    speaker_ids: Annotated[list[UUID], Meta(max_length=MAX_SPEAKERS)] | UnsetType = UNSET
    """All of them, in the order in which the session names them, nobody twice."""
    kind: SessionKind | UnsetType = UNSET
    url: WebAddress | UnsetType | None = UNSET


class AddSpeaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who joins the programme late."""

    name: LineTexts
    """One name in several scripts."""
    organisation: MaybeLineTexts = {}
    bio: ParagraphTexts = {}


class ChangeSpeaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of a speaker; what is left out stays."""

    name: LineTexts | UnsetType = UNSET
    organisation: MaybeLineTexts | UnsetType = UNSET
    bio: ParagraphTexts | UnsetType = UNSET


ChangeKind = Literal[
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


class FieldChange(Struct, frozen=True, omit_defaults=True):
    """What a field was and what it is."""

    old: Any
    new: Any
    old_names: list[Texts] | UnsetType = UNSET
    """What `old` stands for, one name in all languages for each id; only of `room_id`, `track_id` and `speaker_ids`."""
    new_names: list[Texts] | UnsetType = UNSET
    """The same for `new`."""


class SessionChanged(Struct, frozen=True, kw_only=True):
    """The data of a `session.changed` event, in all languages: nobody who hears it has to ask for anything.

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
    changed: dict[str, FieldChange]
    """By field of the session."""
    kinds: list[ChangeKind]
    """The most important first; never empty."""
    sentence: Texts
    """What a phone shows, in each of the event's languages; English in those that the server does not speak."""


class SpeakerAdded(Struct, frozen=True, kw_only=True):
    """The data of a `speaker.added` event, in all languages."""

    version: int
    """The programme's version that this change made."""
    updated_at: datetime
    speaker: Speaker


class SpeakerChanged(SpeakerAdded, frozen=True, kw_only=True):
    """The data of a `speaker.changed` event, in all languages."""

    changed: dict[str, FieldChange]
    """By field of the speaker."""


EVENTS: dict[str, type[Struct]] = {
    "session.changed": SessionChanged,
    "speaker.added": SpeakerAdded,
    "speaker.changed": SpeakerChanged,
}
"""What this noun's events carry, by kind."""
