"""The sample event's programme, read from the TOML files in `content/`.

Translators write those files, so a slip in them is refused with its place: the file, then the entry and the field. What
they need not care about is mended here: lines are joined, and French gets its no-break spaces.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from server.interchange.programme import Kind, Programme, Room, Session, Speaker, Texts, Track

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTENT = Path(__file__).with_name("content")

Language = Literal["fr", "ar", "en"]
Key = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Line = Annotated[str, Meta(min_length=1)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Color = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$")]

BREAK = "break"
"""The kind of what nobody presents."""

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
_FRENCH_NO_BREAK = re.compile(r" (?=[;:!?»%])|(?<=«) |(?<=\d) (?=\d{3}\b|h\b)|(?<=\d h) (?=\d)")

_Decoded = TypeVar("_Decoded")


class ContentError(ValueError):
    """A file of the sample event is wrong; the message names the file and the place in it."""


class Venue(Struct, frozen=True, kw_only=True):
    name: Texts
    address: Texts
    city: Texts
    latitude: float
    """Degrees, north positive."""
    longitude: float
    """Degrees, east positive."""


class EventContent(Struct, frozen=True, kw_only=True):
    """The sample event itself, without its programme and without a date: it begins whenever it is loaded for."""

    slug: str
    name: Texts
    theme: Texts
    organiser: Texts
    venue: Venue
    timezone: str
    """IANA name."""
    default_language: Language
    languages: tuple[Language, ...]
    days: int


class _Trilingual(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fr: Line
    ar: Line
    en: Line

    def texts(self) -> Texts:
        return {"fr": french_spacing(_one_line(self.fr)), "ar": _one_line(self.ar), "en": _one_line(self.en)}


class _VenueEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: _Trilingual
    address: _Trilingual
    city: _Trilingual
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


class _EventEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: Key
    name: _Trilingual
    theme: _Trilingual
    organiser: _Trilingual
    timezone: Line
    default_language: Language
    languages: tuple[Language, ...]
    days: Annotated[int, Meta(ge=1)]
    venue: _VenueEntry


class _RoomEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Key
    name: _Trilingual
    capacity: Annotated[int, Meta(ge=1)]
    floor: Line


class _TrackEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Key
    name: _Trilingual
    color: Color


class _KindEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Key
    name: _Trilingual


class _SpeakerEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Key
    name: _Trilingual
    organisation: _Trilingual
    bio: _Trilingual


class _SessionEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Key
    day: Annotated[int, Meta(ge=1)]
    start: Clock
    end: Clock
    room: str
    kind: str
    title: _Trilingual
    abstract: _Trilingual
    track: str | None = None
    language: Language | None = None
    speakers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"session {self.key} ends at {self.end}, not after its start {self.start}")


class _EventFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    event: _EventEntry
    room: tuple[_RoomEntry, ...]
    track: tuple[_TrackEntry, ...]
    kind: tuple[_KindEntry, ...]


class _SpeakerFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    speaker: tuple[_SpeakerEntry, ...]


class _SessionFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    session: tuple[_SessionEntry, ...]


def load_event(content: Path = CONTENT) -> EventContent:
    """The event of `content/event.toml`. Raises `ContentError` when the file is wrong."""
    entry = _read(content / "event.toml", _EventFile).event
    return EventContent(
        slug=entry.slug,
        name=entry.name.texts(),
        theme=entry.theme.texts(),
        organiser=entry.organiser.texts(),
        venue=_venue(entry.venue),
        timezone=entry.timezone,
        default_language=entry.default_language,
        languages=entry.languages,
        days=entry.days,
    )


def load_programme(starts_on: date, content: Path = CONTENT) -> Programme:
    """The whole programme with day 1 on `starts_on`, sessions in order of time and then of the rooms in `event.toml`.

    Times are aware, in the event's own zone. Breaks have neither track, nor language, nor speakers. Raises
    `ContentError` when a file is wrong or a session names a day, room, track, kind or speaker that does not exist.
    """
    head = _read(content / "event.toml", _EventFile)
    speakers = tuple(_speaker(entry) for entry in _read(content / "speakers.toml", _SpeakerFile).speaker)
    rooms = tuple(_room(entry) for entry in head.room)
    tracks = tuple(_track(entry) for entry in head.track)
    kinds = tuple(Kind(key=entry.key, name=entry.name.texts()) for entry in head.kind)
    known = _Known(head.event.days, _keys(rooms), _keys(tracks), _keys(kinds), _keys(speakers))
    zone = ZoneInfo(head.event.timezone)
    rank = {room.key: index for index, room in enumerate(rooms)}
    entries = sorted(_session_entries(content, known), key=lambda entry: (entry.day, entry.start, rank[entry.room]))
    return Programme(
        title=head.event.name.texts(),
        timezone=head.event.timezone,
        rooms=rooms,
        tracks=tracks,
        kinds=kinds,
        speakers=speakers,
        sessions=tuple(_session(entry, starts_on, zone) for entry in entries),
    )


def french_spacing(text: str) -> str:
    """`text` with no-break spaces where French wants them, so that no line begins or ends in the wrong place.

    That is before `; : ! ? » %`, after `«`, inside a number (`500 000`) and around the `h` of a time (`9 h 12`).
    """
    return _FRENCH_NO_BREAK.sub(NO_BREAK_SPACE, text)


class _Known(Struct, frozen=True):
    days: int
    rooms: frozenset[str]
    tracks: frozenset[str]
    kinds: frozenset[str]
    speakers: frozenset[str]

    def strangers(self, entry: _SessionEntry) -> Iterable[str]:
        """What `entry` names and nobody declared, in words."""
        if entry.day > self.days:
            yield f"day {entry.day}"
        if entry.room not in self.rooms:
            yield f"room {entry.room}"
        if entry.track is not None and entry.track not in self.tracks:
            yield f"track {entry.track}"
        if entry.kind not in self.kinds:
            yield f"kind {entry.kind}"
        for key in entry.speakers:
            if key not in self.speakers:
                yield f"speaker {key}"


def _session_entries(content: Path, known: _Known) -> Iterable[_SessionEntry]:
    for path in sorted(content.glob("day*.toml")):
        for entry in _read(path, _SessionFile).session:
            for stranger in known.strangers(entry):
                raise ContentError(f"{path.name}: session {entry.key} names {stranger}, which does not exist")
            yield entry


def _read(path: Path, shape: type[_Decoded]) -> _Decoded:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ContentError(f"{path.name}: {error}") from error


def _keys(things: Iterable[Room | Track | Kind | Speaker]) -> frozenset[str]:
    return frozenset(thing.key for thing in things)


def _one_line(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def _venue(entry: _VenueEntry) -> Venue:
    return Venue(
        name=entry.name.texts(),
        address=entry.address.texts(),
        city=entry.city.texts(),
        latitude=entry.latitude,
        longitude=entry.longitude,
    )


def _room(entry: _RoomEntry) -> Room:
    return Room(key=entry.key, name=entry.name.texts(), capacity=entry.capacity, floor=entry.floor)


def _track(entry: _TrackEntry) -> Track:
    return Track(key=entry.key, name=entry.name.texts(), color=entry.color)


def _speaker(entry: _SpeakerEntry) -> Speaker:
    return Speaker(
        key=entry.key,
        name=entry.name.texts(),
        organisation=entry.organisation.texts(),
        bio=entry.bio.texts(),
    )


def _session(entry: _SessionEntry, starts_on: date, zone: ZoneInfo) -> Session:
    day = starts_on + timedelta(days=entry.day - 1)
    return Session(
        key=entry.key,
        title=entry.title.texts(),
        abstract=entry.abstract.texts(),
        starts_at=datetime.combine(day, time.fromisoformat(entry.start), zone),
        ends_at=datetime.combine(day, time.fromisoformat(entry.end), zone),
        room=entry.room,
        track=entry.track,
        speakers=entry.speakers,
        kind=entry.kind,
        service=entry.kind == BREAK,
        languages=(entry.language,) if entry.language else (),
    )
