"""An event's shapes."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from uuid import UUID

from msgspec import Struct

from server.badge.types import BadgeKey
from server.feed import Position
from server.texts import Texts


class EventRow(Struct, frozen=True):
    event_id: UUID
    slug: str
    name: Texts
    theme: Texts
    organiser: Texts
    venue: dict[str, Any]
    timezone: str
    languages: list[str]
    default_language: str
    starts_on: date
    ends_on: date
    day_begins: time = time()
    """By the clock of the event's zone."""


class Venue(Struct, frozen=True, kw_only=True):
    name: str | Texts
    address: str | Texts
    city: str | Texts
    latitude: float | None = None
    longitude: float | None = None


class Event(Struct, frozen=True, kw_only=True):
    """What an app needs to know of an event before anything else."""

    id: UUID
    slug: str
    name: str | Texts
    theme: str | Texts
    organiser: str | Texts
    venue: Venue
    timezone: str
    """IANA name: the zone in which the event's times are meant to be read."""
    languages: list[str]
    default_language: str
    starts_on: date
    ends_on: date
    live_url: str
    """The websocket of the live feed."""
    stream_url: str
    """The same feed as Server-Sent Events."""
    badge_keys: list[BadgeKey]
    """All that verify a signed badge; a signature by any other key is not to be believed."""
    channels: list[Position]
    """How far the public channels have come: say these to the feed to hear everything from here on."""
