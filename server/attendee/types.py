"""Attendees' shapes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class AttendeeRow(Struct, frozen=True):
    attendee_id: UUID
    name: str
    name_ar: str
    email: str
    company: str
    language: str
    ticket: str
    badge_code: str | None
    short_code: str | None


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


class ChangeAttendee(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organizer changes of a registration."""

    cancelled: bool
    """No door lets this person in any more; `false` takes that back."""


class Registration(Struct, frozen=True):
    """How an attendee's registration stands."""

    id: UUID
    cancelled_at: datetime | None


class Attendee(Struct, frozen=True, kw_only=True):
    """An attendee as they see themselves."""

    id: UUID
    name: str
    name_ar: str
    email: str
    company: str
    language: str
    ticket: str
    badge_code: str | None
    """To show as a QR; None while no badge is valid."""
    short_code: str | None
