"""Programmes made for one question, in memory and without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from server.event.types import EventRow
from server.feed import Position
from server.schedule.edition import Edition
from server.schedule.rows import DayRow, KindRow, RoomRow, SessionRow, SpeakerRow, State, TrackRow, VersionRow

LANGUAGES = ["fr", "ar", "en"]


def id_of(number: int) -> UUID:
    return UUID(int=number)


def event_row(**fields: Any) -> EventRow:
    given: dict[str, Any] = {
        "event_id": id_of(1),
        "slug": "nights-of-fez",
        "name": {"fr": "Nuits de Fès", "ar": "ليالي فاس", "en": "Nights of Fez"},
        "theme": {},
        "organiser": {},
        "venue": {},
        "timezone": "Africa/Casablanca",
        "languages": LANGUAGES,
        "default_language": "fr",
        "starts_on": date(2021, 4, 10),
        "ends_on": date(2021, 4, 12),
        "day_begins": time(6),
    }
    return EventRow(**given | fields)


def session_row(number: int, starts_at: str, minutes: int = 60, **fields: Any) -> SessionRow:
    """`starts_at` with its offset from UTC."""
    begin = datetime.fromisoformat(starts_at).astimezone(UTC)
    given: dict[str, Any] = {
        "session_id": id_of(1000 + number),
        "key": f"s{number}",
        "number": number,
        "title": {"fr": f"Titre {number}", "ar": f"عنوان {number}", "en": f"Title {number}"},
        "subtitle": {},
        "abstract": {},
        "description": {},
        "starts_at": begin,
        "ends_at": begin + timedelta(minutes=minutes),
    }
    return SessionRow(**given | fields)


def edition_of(event: EventRow, sessions: list[SessionRow], days: tuple[DayRow, ...] = ()) -> Edition:
    """With two rooms (100, 101), a track (200), a kind (300) and a speaker (400)."""
    rooms = [RoomRow(id_of(100 + n), f"r{n}", {"fr": f"Salle {n}", "ar": f"قاعة {n}"}, position=n) for n in (0, 1)]
    place = {room.room_id: (room.position, room.room_id) for room in rooms}
    last = (99, id_of(0))
    ordered = sorted(
        sessions, key=lambda one: (one.starts_at, place.get(one.room_id, last) if one.room_id else last, one.session_id)
    )
    state = State(
        day={one.day_id: one for one in days},
        room={room.room_id: room for room in rooms},
        track={id_of(200): TrackRow(id_of(200), "t", {"fr": "Piste"})},
        kind={id_of(300): KindRow(id_of(300), "k", {"fr": "Atelier"})},
        speaker={id_of(400): SpeakerRow(id_of(400), "p", {"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"})},
        session={one.session_id: one for one in ordered},
    )
    version = VersionRow(3, datetime(2021, 1, 1, 12, tzinfo=UTC))
    return Edition(
        event, Position("schedule", "e", 9), version, state, [], base_url="https://api.example.org/v1/events/fez"
    )
