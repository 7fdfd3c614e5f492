"""Attendees' shapes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from server.feed.types import AttendeeCancelled, Position, TokenReplaced


class BadgeRow(Struct, frozen=True):
    """A badge and whom it belongs to, as the door needs it."""

    code: str
    short_code: str
    attendee_id: UUID
    name: str
    company: str
    ticket: str
    language: str
    number: int
    """What the signed code names the badge by; unique in the event."""
    revoked_at: datetime | None
    cancelled_at: datetime | None
    """The registration was taken back."""

    @property
    def is_void(self) -> bool:
        """Whether no door lets anybody in with it now."""
        return self.revoked_at is not None or self.cancelled_at is not None


class RevokedRow(Struct, frozen=True):
    """A badge that is valid no longer."""

    code: str
    number: int
    attendee_id: UUID


class ChangeAttendee(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of a registration; what is left out stays."""

    cancelled: bool | UnsetType = UNSET
    """No door lets this person in any more; `false` takes that back."""
    speaker_id: UUID | UnsetType | None = UNSET
    """As whom this person speaks here, and nobody else; null: they do not."""


class Registration(Struct, frozen=True):
    """How an attendee's registration stands; also the data of a `registration.changed` event on the attendee's channel `me`."""

    id: UUID
    cancelled_at: datetime | None
    speaker_id: UUID | None


class AttendeeRow(Struct, frozen=True):
    """What an attendee is told of themselves."""

    id: UUID
    name: str
    name_ar: str
    email: str
    company: str
    language: str
    ticket: str
    cancelled_at: datetime | None
    """The registration was taken back: no door lets them in."""
    speaker_id: UUID | None
    """As whom they speak here."""
    badge_code: str | None
    """To show as a QR; None while no badge is valid."""
    short_code: str | None


class Attendee(AttendeeRow, frozen=True, kw_only=True):
    """An attendee as they see themselves."""

    feed: Position
    """Where channel `me` stood in this document: listen from here and nothing is missed."""


EVENTS: dict[str, type[Struct]] = {
    "registration.changed": Registration,
    "attendee.cancelled": AttendeeCancelled,
    "attendee.rights_changed": TokenReplaced,
}
"""What this noun's events carry, by kind: the first on the attendee's `me`, the others on `checkin`."""
