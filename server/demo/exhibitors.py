"""The exhibitors of the sample event: fifty written by hand, and for load tests more of them, composed from a seed.

Every company is invented, and every website is under `.example`, which is nobody's (RFC 2606).
"""

from __future__ import annotations

import random
import re
import unicodedata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, toml

from server.interchange.programme import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT: Final = Path(__file__).with_name("content")

NUMBERS: Final = (20, 30, 40, 50, 60, 80, 90, 120, 140, 150, 180, 200, 220, 250, 300)
"""What a description may count; sectors.toml says why no other number."""

HALLS: Final = "DEFGHIJKLMNOPQRSUVWXYZ"
"""The halls after the hand-written A, B, C; T is the start-ups' pavilion."""


class Exhibitor(Struct, frozen=True, kw_only=True):
    key: str
    """Unique; `slug` of the name."""
    name: str
    booth: str
    """Unique: a hall's letter and a number of two digits or more."""
    pavilion: Texts = {}
    """The shared stand it belongs to; empty for most."""
    sector: Texts
    city: Texts
    description: Texts
    website: str


class Stand(Struct, frozen=True, forbid_unknown_fields=True):
    booth: str
    sector: str
    city: str
    pavilion: bool = False


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    stand: Stand
    fr: str
    ar: str
    en: str


class Directory(Struct, frozen=True, forbid_unknown_fields=True):
    """exhibitors.toml."""

    exhibitors: dict[str, Entry]


class Sector(Struct, frozen=True, forbid_unknown_fields=True):
    name: Texts
    words: list[str]
    fr: list[str]
    ar: list[str]
    en: list[str]

    def describe(self, which: int, city: Texts, number: int) -> Texts:
        texts = {"fr": self.fr[which], "ar": self.ar[which], "en": self.en[which]}
        return {language: text.format(city=city[language], number=number) for language, text in texts.items()}


class Trades(Struct, frozen=True, forbid_unknown_fields=True):
    """sectors.toml."""

    roots: list[str]
    cities: dict[str, Texts]
    pavilion: Texts
    sectors: dict[str, Sector]


def slug(name: str) -> str:
    """The name in lower-case ASCII letters and digits joined by hyphens, fit for a key and for a domain's label."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))


def load_exhibitors(count: int = 50, seed: int = 1) -> list[Exhibitor]:
    """The first `count` exhibitors. Those after the hand-written fifty depend on the seed alone, so that a smaller list
    is always the beginning of a larger one.

    Raises ValueError for a negative count and for more than the parts of names can make (about 4,000).
    """
    written = toml.decode((CONTENT / "exhibitors.toml").read_bytes(), type=Directory).exhibitors
    trades = toml.decode((CONTENT / "sectors.toml").read_bytes(), type=Trades)
    if count < 0:
        raise ValueError(f"the number of exhibitors cannot be negative: {count}")
    chosen = [_as_written(key, entry, trades) for key, entry in islice(written.items(), count)]
    chosen += islice(_composed(trades, seed, set(written)), count - len(chosen))
    if len(chosen) < count:
        raise ValueError(f"the sample event has at most {len(chosen)} exhibitors, not {count}")
    return chosen


def _as_written(key: str, entry: Entry, trades: Trades) -> Exhibitor:
    stand = entry.stand
    return Exhibitor(
        key=key,
        name=entry.name,
        booth=stand.booth,
        pavilion=trades.pavilion if stand.pavilion else {},
        sector=trades.sectors[stand.sector].name,
        city=trades.cities[stand.city],
        description={"fr": entry.fr, "ar": entry.ar, "en": entry.en},
        website=_website(key),
    )


def _composed(trades: Trades, seed: int, taken: set[str]) -> Iterator[Exhibitor]:
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    fields = [(field, word) for field in trades.sectors.values() for word in field.words]
    parts = [(f"{root} {word}", field) for root in trades.roots for field, word in fields]
    rng.shuffle(parts)
    cities = list(trades.cities.values())
    free = ((slug(name), name, field) for name, field in parts if slug(name) not in taken)
    for index, (key, name, field) in enumerate(free):
        city = rng.choice(cities)
        yield Exhibitor(
            key=key,
            name=name,
            booth=f"{HALLS[index % len(HALLS)]}{index // len(HALLS) + 1:02}",
            sector=field.name,
            city=city,
            description=field.describe(rng.randrange(len(field.fr)), city, rng.choice(NUMBERS)),
            website=_website(key),
        )


def _website(key: str) -> str:
    return f"https://{key}.example"
