"""A session to change and what people are told of it, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from server.event.types import EventRow
from server.schedule.policy import Names
from server.schedule.rows import SessionRow
from server.schedule.sentences import sentences
from server.texts import Texts

EVENT = EventRow(
    UUID(int=1),
    "e",
    {},
    {},
    {},
    {},
    "Africa/Casablanca",
    ["fr", "ar", "en"],
    "fr",
    date(2020, 12, 18),
    date(2020, 12, 19),
)

ATLAS, RIF = UUID(int=11), UUID(int=12)
SALMA, KARIM, NADIA, HICHAM, IHSSANE = (UUID(int=number) for number in range(21, 26))
NAMES = Names(
    rooms={
        ATLAS: {"fr": "Salle Atlas", "ar": "قاعة الأطلس", "en": "Atlas Room"},
        RIF: {"fr": "Salle Rif", "ar": "قاعة الريف", "en": "Rif Room"},
    },
    speakers={
        SALMA: {"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"},
        KARIM: {"fr": "Karim Azelmad", "ar": "كريم أزلماض"},
        NADIA: {"fr": "Nadia El Ouafi", "ar": "نادية الوافي"},
        HICHAM: {"fr": "Hicham Bouzerda", "ar": "هشام بوزردة"},
        IHSSANE: {"fr": "Ihssane Mekouri", "ar": "إحسان المكوري"},
    },
)


def at(clock: str, day: str = "2020-12-18") -> datetime:
    """A time in Casablanca, which is an hour ahead of UTC in winter."""
    return datetime.fromisoformat(f"{day}T{clock}:00+01:00").astimezone(UTC)


SESSION = SessionRow(
    session_id=UUID(int=31),
    key="opening",
    number=1,
    title={"fr": "Ouverture", "ar": "الافتتاح", "en": "Opening"},
    subtitle={},
    abstract={},
    description={},
    starts_at=at("10:00"),
    ends_at=at("11:00"),
    room_id=RIF,
    track_id=None,
    speaker_ids=[KARIM],
    languages=["fr"],
    status="scheduled",
)


def tell(before: dict[str, Any], after: dict[str, Any], event: EventRow = EVENT) -> Texts:
    """The sentences for a session that is like `SESSION` but for `before`, and then for `after` too."""
    old = replace(SESSION, **before)
    return sentences(old, replace(old, **after), NAMES, event)


FSI, PDI, NO_BREAK = "\u2068", "\u2069", "\u00a0"


def plain(sentence: str) -> str:
    """With the characters that nobody sees as others: isolates as brackets, no-break spaces as tildes."""
    return sentence.translate({ord(FSI): "[", ord(PDI): "]", ord(NO_BREAK): "~"})
