"""What an organizer says of the programme: a new thing, or what of one is to change. What is left out of a change stays."""

from __future__ import annotations

import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from server.instants import Instant
from server.interchange.programme import LinkKind
from server.schedule.rows import Status
from server.texts import LanguageTag, Line, LineTexts, ParagraphTexts

MAX_SPEAKERS = 50
"""Of one session."""
MAX_LINKS = 20
MAX_LANGUAGES = 10
LAST_NUMBER = 2**31 - 1
"""Of sessions: what the database holds."""

# No other scheme: a link must not run a script.
WebAddress = Annotated[str, Meta(pattern=r"^https?://[^\s\x00/?#]+([/?#][^\s\x00]*)?$(?!\n)", max_length=2000)]
MaybeLineTexts = Annotated[dict[LanguageTag, Line], Meta(max_length=20)]
Role = Annotated[str, Meta(pattern=r"^[a-z][a-z_-]*$(?!\n)", max_length=40)]
Color = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$(?!\n)")]
Floor = Annotated[str, Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=100)]
License = Annotated[str, Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=300)]
Position = Annotated[int, Meta(ge=0, le=100_000)]
Capacity = Annotated[int, Meta(ge=1, le=1_000_000)]
Number = Annotated[int, Meta(ge=1, le=LAST_NUMBER)]


class GivenLink(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: WebAddress
    title: MaybeLineTexts = {}
    kind: LinkKind = "link"


Links = Annotated[list[GivenLink], Meta(max_length=MAX_LINKS)]
SpeakerIds = Annotated[list[UUID], Meta(max_length=MAX_SPEAKERS)]
Roles = Annotated[dict[UUID, Role], Meta(max_length=MAX_SPEAKERS)]
Languages = Annotated[list[LanguageTag], Meta(max_length=MAX_LANGUAGES)]


class AddDay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day of which there is more to say than its date, or one on which nothing is planned yet."""

    date: datetime.date
    """In the event's zone."""
    name: MaybeLineTexts = {}
    starts_at: Instant | None = None
    """When the doors open."""
    ends_at: Instant | None = None


class ChangeDay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    date: datetime.date | UnsetType = UNSET
    name: MaybeLineTexts | UnsetType = UNSET
    starts_at: Instant | UnsetType | None = UNSET
    ends_at: Instant | UnsetType | None = UNSET


class AddRoom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: LineTexts
    description: ParagraphTexts = {}
    capacity: Capacity | None = None
    floor: Floor | None = None
    position: Position | UnsetType = UNSET
    """Its place among the rooms; behind all others without one."""


class ChangeRoom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: LineTexts | UnsetType = UNSET
    description: ParagraphTexts | UnsetType = UNSET
    capacity: Capacity | UnsetType | None = UNSET
    floor: Floor | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET


class AddTrack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: LineTexts
    description: ParagraphTexts = {}
    color: Color | None = None
    position: Position | UnsetType = UNSET


class ChangeTrack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: LineTexts | UnsetType = UNSET
    description: ParagraphTexts | UnsetType = UNSET
    color: Color | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET


class AddKind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sort of session: keynote, workshop, break."""

    name: LineTexts
    position: Position | UnsetType = UNSET


class ChangeKind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: LineTexts | UnsetType = UNSET
    position: Position | UnsetType = UNSET


class AddSpeaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody whom sessions can name from now on."""

    name: LineTexts
    """One name in several scripts."""
    organisation: MaybeLineTexts = {}
    tagline: MaybeLineTexts = {}
    bio: ParagraphTexts = {}
    photo_url: WebAddress | None = None
    links: Links = []


class ChangeSpeaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: LineTexts | UnsetType = UNSET
    organisation: MaybeLineTexts | UnsetType = UNSET
    tagline: MaybeLineTexts | UnsetType = UNSET
    bio: ParagraphTexts | UnsetType = UNSET
    photo_url: WebAddress | UnsetType | None = UNSET
    links: Links | UnsetType = UNSET


class AddSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: LineTexts
    starts_at: Instant
    ends_at: Instant
    subtitle: ParagraphTexts = {}
    abstract: ParagraphTexts = {}
    description: ParagraphTexts = {}
    room_id: UUID | None = None
    track_id: UUID | None = None
    kind_id: UUID | None = None
    speaker_ids: SpeakerIds = []
    """In the order in which the session names them, nobody twice."""
    roles: Roles = {}
    """What those do there who are more than speakers: `moderator`, `panelist`, `host`."""
    languages: Languages = []
    """Spoken on stage, the main one first."""
    service: bool = False
    """A break, a meal: nothing that somebody presents."""
    url: WebAddress | None = None
    logo_url: WebAddress | None = None
    links: Links = []
    license: License = ""
    do_not_record: bool = False
    shares_room: bool = False
    """Others may be in its room at the same time. Without it that is refused."""
    status: Status = "scheduled"
    number: Number | UnsetType = UNSET
    """By which apps know it that read frab's files; the next free one if none is given."""


class ChangeSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new start without a new end keeps the length. Without a `status`, another room or an earlier start makes it `moved`, a
    later start `delayed`; a cancelled session stays cancelled until a status says otherwise.
    """

    starts_at: Instant | UnsetType = UNSET
    ends_at: Instant | UnsetType = UNSET
    room_id: UUID | UnsetType | None = UNSET
    track_id: UUID | UnsetType | None = UNSET
    kind_id: UUID | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    title: LineTexts | UnsetType = UNSET
    subtitle: ParagraphTexts | UnsetType = UNSET
    abstract: ParagraphTexts | UnsetType = UNSET
    description: ParagraphTexts | UnsetType = UNSET
    speaker_ids: SpeakerIds | UnsetType = UNSET
    """All of them, in the order in which the session names them, nobody twice."""
    roles: Roles | UnsetType = UNSET
    languages: Languages | UnsetType = UNSET
    service: bool | UnsetType = UNSET
    url: WebAddress | UnsetType | None = UNSET
    logo_url: WebAddress | UnsetType | None = UNSET
    links: Links | UnsetType = UNSET
    license: License | UnsetType = UNSET
    do_not_record: bool | UnsetType = UNSET
    shares_room: bool | UnsetType = UNSET
    number: Number | UnsetType = UNSET


class ReleaseDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the version is called that a release makes."""

    name: Annotated[str, Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=100)] = ""
    note: Annotated[str, Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=2000)] = ""
    force: bool = False
    """Where the draft and a change made meanwhile disagree, the draft wins."""
