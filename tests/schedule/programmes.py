"""Programmes as files bring them, in an order that only their seed knows: each a little otherwise than the one before it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from server.db import Database
from server.event.queries import insert_event
from server.event.reader import EVERY_LANGUAGE
from server.event.types import EventRow
from server.feed import open_channels, topics
from server.ids import new_id
from server.interchange.programme import Day, Kind, Link, Programme, Room, Session, Speaker, Track
from server.schedule.import_actions import Imported, import_programme
from server.schedule.queries import read_state
from server.schedule.rows import Row, State

T = TypeVar("T", bound=Struct)

FIRST = datetime(2026, 12, 18, 8, tzinfo=UTC)
WORDS = ("Sardines", "Anchois", "تونة", "Whales", "é\u0301", "“quoted”")
COLORS = (None, "#0072b2", "#d55e00")

FROM_A_FILE: dict[str, tuple[str, ...]] = {
    "day": ("date", "name", "starts_at", "ends_at"),
    "room": ("key", "name", "description", "capacity", "floor", "extra"),
    "track": ("key", "name", "description", "color", "extra"),
    "kind": ("key", "name"),
    "speaker": ("key", "name", "organisation", "tagline", "bio", "photo_url", "links", "extra"),
    "session": (
        *("key", "title", "subtitle", "abstract", "description", "starts_at", "ends_at", "languages", "service", "url"),
        *("logo_url", "links", "license", "do_not_record", "extra", "number"),
    ),
}
"""What a row has from a file; a session also has its references, and a status that is the server's as much as the file's."""


class Files:
    """A source that publishes its programme again and again."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        self._made = 0
        self.programme = Programme(
            title={"en": "Fish"},
            timezone="Africa/Casablanca",
            days=(Day(date="2026-12-18", name={"en": "First"}),),
            rooms=self._several(self._room, 3),
            tracks=self._several(self._track, 2),
            kinds=self._several(self._kind, 2),
            speakers=self._several(self._speaker, 4),
        )
        self.programme = replace(self.programme, sessions=self._several(self._session, 6))

    def next(self) -> Programme:
        """The file after some changes; what nothing is left of, nothing names either."""
        for _ in range(self._source.randint(1, 5)):
            self._change_something()
        self.programme = self._consistent(replace(self.programme, version=f"v{self._made}"))
        return self.programme

    def _change_something(self) -> None:
        noun = self._source.choice(("days", "rooms", "tracks", "kinds", "speakers", "sessions", "sessions", "sessions"))
        things = list(getattr(self.programme, noun))
        what = self._source.choice(("add", "drop", "change", "change", "swap"))
        make = {
            "days": self._day,
            "rooms": self._room,
            "tracks": self._track,
            "kinds": self._kind,
            "speakers": self._speaker,
            "sessions": self._session,
        }[noun]
        place = self._source.randrange(len(things) + 1)
        if what == "add":
            things.insert(place, make())
        elif things and what == "drop":
            things.pop(place % len(things))
        elif things and what == "change":
            things[place % len(things)] = self._otherwise(things[place % len(things)], make())
        else:
            self._source.shuffle(things)
            if noun == "sessions":
                things = self._with_numbers_passed_on(things)
        if noun == "days":
            things = list({one.date: one for one in things}.values())
        self.programme = replace(self.programme, **{noun: tuple(things)})

    def _otherwise(self, thing: T, other: T) -> T:
        """Some fields of one thing as another has them; its name stays."""
        fields = [name for name in thing.__struct_fields__ if name not in ("key", "number", "date", "ends_at")]
        chosen = {
            name: getattr(other, name)
            for name in self._source.sample(fields, min(self._source.randint(1, 3), len(fields)))
        }
        if "starts_at" in chosen:
            chosen["ends_at"] = getattr(other, "ends_at")  # noqa: B009
        return replace(thing, **chosen)

    def _with_numbers_passed_on(self, sessions: list[Any]) -> list[Any]:
        numbers = [one.number for one in sessions]
        return [replace(one, number=number) for one, number in zip(sessions, numbers[1:] + numbers[:1], strict=True)]

    def _consistent(self, programme: Programme) -> Programme:
        rooms, tracks, kinds, speakers = (
            {one.key for one in getattr(programme, noun)} for noun in ("rooms", "tracks", "kinds", "speakers")
        )
        sessions = []
        for one in programme.sessions:
            named = tuple(key for key in one.speakers if key in speakers)
            changes = {
                "room": one.room if one.room in rooms else None,
                "track": one.track if one.track in tracks else None,
                "kind": one.kind if one.kind in kinds else None,
                "speakers": named,
                "roles": {key: role for key, role in one.roles.items() if key in named},
            }
            sessions.append(replace(one, **changes))
        return replace(programme, sessions=tuple(sessions))

    def _several(self, make: Any, count: int) -> tuple[Any, ...]:
        return tuple(make() for _ in range(count))

    def _key(self, of: str) -> str:
        self._made += 1
        return f"{of}-{self._made}"

    def _text(self) -> dict[str, str]:
        return {language: self._source.choice(WORDS) for language in self._source.sample(["fr", "ar", "en"], 2)}

    def _maybe(self) -> dict[str, str]:
        return self._text() if self._source.random() < 0.4 else {}

    def _extra(self) -> dict[str, Any]:
        return {"x": [1, {"y": None}], "z": self._source.random()} if self._source.random() < 0.2 else {}

    def _links(self) -> tuple[Link, ...]:
        return (Link(url="https://example.org/a", title=self._maybe(), kind="file"),)[: self._source.randint(0, 1)]

    def _day(self) -> Day:
        opens = FIRST + timedelta(days=self._source.randint(0, 3))
        return Day(date=opens.date().isoformat(), name=self._maybe(), starts_at=opens)

    def _room(self) -> Room:
        capacity = self._source.choice([None, 30, 500])
        return Room(key=self._key("room"), name=self._text(), capacity=capacity, extra=self._extra())

    def _track(self) -> Track:
        return Track(key=self._key("track"), name=self._text(), color=self._source.choice(COLORS))

    def _kind(self) -> Kind:
        return Kind(key=self._key("kind"), name=self._text())

    def _speaker(self) -> Speaker:
        return Speaker(
            key=self._key("speaker"), name=self._text(), bio=self._maybe(), links=self._links(), extra=self._extra()
        )

    def _session(self) -> Session:
        starts_at = FIRST + timedelta(minutes=30 * self._source.randint(0, 20))
        speakers = self._named("speakers", self._source.randint(0, 3))
        return Session(
            key=self._key("session"),
            number=self._made,
            title=self._text(),
            abstract=self._maybe(),
            description=self._maybe(),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=self._source.choice((30, 45, 90))),
            room=next(iter(self._named("rooms", 1)), None),
            track=next(iter(self._named("tracks", 1)), None),
            kind=next(iter(self._named("kinds", 1)), None),
            speakers=speakers,
            roles=dict.fromkeys(speakers[:1], "moderator") if self._source.random() < 0.3 else {},
            languages=self._source.choice(((), ("fr",), ("ar", "en"))),
            links=self._links(),
            status=self._source.choice(("scheduled",) * 5 + ("cancelled",)),
            extra=self._extra(),
        )

    def _named(self, noun: str, count: int) -> tuple[str, ...]:
        keys = [one.key for one in getattr(self.programme, noun)]
        return tuple(self._source.sample(keys, min(count, len(keys))))


async def new_event(db: Database, slug: str = "fish-days") -> EventRow:
    """One with nothing in it."""
    event = EventRow(
        *(new_id(), slug, {"en": slug}, {}, {}, {}, "Africa/Casablanca", ["fr", "ar", "en"], "fr"),
        *(date(2026, 12, 18), date(2026, 12, 20)),
    )
    async with db.tx() as tx:
        await insert_event(tx, event)
        await open_channels(tx, event.event_id, topics.EVENT_CHANNELS)
    return event


async def bring(db: Database, event: EventRow, programme: Programme, **more: Any) -> Imported:
    return await import_programme(db, event, programme, reader=EVERY_LANGUAGE, **more)


async def state_of(db: Database, event: EventRow) -> State:
    async with db.snapshot() as tx:
        return await read_state(tx, event.event_id)


def said_by(state: State) -> dict[str, dict[str, dict[str, Any]]]:
    """What a programme says that files bring, without our ids: by subject and the file's key. What is cancelled is not in it."""
    keys: dict[UUID, str] = {
        thing_id: getattr(row, "key", "")
        for subject in FROM_A_FILE
        for thing_id, row in state.of(subject).items()  # type: ignore[arg-type]
    }
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for subject, fields in FROM_A_FILE.items():
        rows = [one for one in state.of(subject).values() if getattr(one, "status", "") != "cancelled"]  # type: ignore[arg-type]
        found[subject] = {str(getattr(row, fields[0])): _said(row, fields, keys) for row in rows}
    return found


def _said(row: Row, fields: tuple[str, ...], keys: dict[UUID, str]) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in fields}
    if hasattr(row, "speaker_ids"):
        for name in ("room_id", "track_id", "kind_id"):
            said[name] = keys.get(getattr(row, name))
        said["speakers"] = [keys[one] for one in row.speaker_ids]
        said["roles"] = {keys[UUID(one)]: role for one, role in row.roles.items()}
    return said
