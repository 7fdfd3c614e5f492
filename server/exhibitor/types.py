"""Exhibitors' shapes."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from server.texts import Texts


class ExhibitorRow(Struct, frozen=True):
    exhibitor_id: UUID
    name: str
    booth: str
    pavilion: Texts
    sector: Texts
    city: Texts
    description: Texts
    website: str | None


class Exhibitor(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    booth: str
    pavilion: str | Texts
    """The group of booths it belongs to; empty for one that stands alone."""
    sector: str | Texts
    city: str | Texts
    description: str | Texts
    website: str | None


class ExhibitorPage(Struct, frozen=True, kw_only=True):
    exhibitors: list[Exhibitor]
    """By booth."""
    next_cursor: str | None
