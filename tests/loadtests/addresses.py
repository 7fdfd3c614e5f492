"""Where a test's server is, for clients that take a `Place`."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct


class Address(Struct, frozen=True):
    host: str
    port: int


def address_of(url: str) -> Address:
    parts = urlsplit(url)
    return Address(parts.hostname or "", parts.port or 0)
