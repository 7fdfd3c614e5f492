"""Badges' shapes."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from server.checkin.events import AttendeesChanged, BadgeRevoked
from server.texts import Texts

Algorithm = Literal["Ed25519"]
ALGORITHM: Algorithm = "Ed25519"


class KeyRow(Struct, frozen=True):
    """A key without its secret."""

    key_id: int
    public_key: bytes
    created_at: datetime
    retired_at: datetime | None


class SigningKey(Struct, frozen=True):
    """The key that signs now, with its secret: for whoever issues badges, and for no answer, log or event."""

    key_id: int
    private_seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey(key_id={self.key_id}, private_seed=…)"


class HolderRow(Struct, frozen=True):
    """For whom a badge is issued."""

    attendee_id: UUID
    ticket_position: int


class PrintedRow(Struct, frozen=True):
    """A valid badge with what is printed on it."""

    code: str
    short_code: str
    attendee_id: UUID
    name: str
    name_ar: str
    company: str
    ticket: str
    ticket_name: Texts
    ticket_position: int


class BadgeKey(Struct, frozen=True, kw_only=True):
    """A public key that verifies this event's signed badges."""

    id: int
    """The key id in a code's first byte."""
    algorithm: Algorithm
    public_key: str
    """32 bytes as base64url without padding, as in a JSON Web Key's `x`."""


class BadgeKeyState(Struct, frozen=True, kw_only=True):
    """A key as organizers see it."""

    id: int
    algorithm: Algorithm
    public_key: str
    """32 bytes as base64url without padding."""
    created_at: datetime
    retired_at: datetime | None
    """From when on scanners do not believe its signatures; None while they do."""
    signs: bool
    """New badges are signed with it."""


class BadgeKeyList(Struct, frozen=True, kw_only=True):
    keys: list[BadgeKeyState]
    """Oldest first, retired ones too."""


class BadgeKeysChanged(Struct, frozen=True):
    """The data of a `badge_keys.changed` event on channel `checkin`."""

    badge_keys: list[BadgeKey]
    """All that verify from now on: a signature by any other key is to be believed no more."""


class BadgeChanged(Struct, frozen=True):
    """The data of a `badge.changed` event on the attendee's own channel `me`: what their app shows from now on."""

    badge_code: str | None
    """For the QR. None: no badge is valid any more."""
    short_code: str | None


EVENTS: dict[str, type[Struct]] = {
    "badge.changed": BadgeChanged,
    "badge.revoked": BadgeRevoked,
    "attendees.changed": AttendeesChanged,
    "badge_keys.changed": BadgeKeysChanged,
}
"""What this noun's events carry, by kind: the first on the attendee's `me`, the others on `checkin`."""


class IssuedBadge(Struct, frozen=True, kw_only=True):
    """A badge that is valid from now on."""

    attendee_id: UUID
    code: str
    """For the QR."""
    short_code: str
    number: int
    revoked: list[str]
    """The codes that this badge has replaced."""


def public(row: KeyRow) -> BadgeKey:
    """The key as everybody may know it."""
    return BadgeKey(id=row.key_id, algorithm=ALGORITHM, public_key=_text(row.public_key))


def states(rows: list[KeyRow]) -> list[BadgeKeyState]:
    """The keys as organizers see them; `rows` by key id."""
    return [
        BadgeKeyState(
            id=row.key_id,
            algorithm=ALGORITHM,
            public_key=_text(row.public_key),
            created_at=row.created_at,
            retired_at=row.retired_at,
            signs=row is rows[-1],
        )
        for row in rows
    ]


def _text(public_key: bytes) -> str:
    return base64.urlsafe_b64encode(public_key).decode().rstrip("=")
