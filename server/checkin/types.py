"""The door's shapes: what a scanner sends, what it gets, and the rows between."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from server.instants import Instant
from server.texts import Texts

Direction = Literal["entry", "exit"]
Outcome = Literal["admitted", "already_admitted", "refused", "exited"]
Reason = Literal["unknown_code", "revoked", "cancelled", "wrong_ticket", "not_open", "list_full", "not_inside"]


class CheckIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scan."""

    scan_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:\-]{1,64}$")]
    """The scanner's own id of this scan, a UUID for instance; a retry sends the same one."""
    list: Annotated[str, Meta(min_length=1, max_length=64)]
    """The check-in list's key; the main door's is `main`."""
    code: Annotated[str, Meta(min_length=1, max_length=4296)]
    """What was read or typed: a badge's code or its short code. 4,296 characters are the most a QR code holds."""
    direction: Direction = "entry"
    scanned_at: Instant | None = None
    """When, by the device's clock."""


class Person(Struct, frozen=True):
    """Whom the badge belongs to, as the door shows it."""

    id: UUID
    name: str
    company: str
    ticket: str
    language: str


class Admission(Struct, frozen=True):
    """The admission an answer speaks of: this one, or the one that stood in its way."""

    at: datetime
    gate: str
    device: str
    same_device_recently: bool
    """The same device admitted this badge less than 5 seconds before: most likely it was triggered twice."""


class Answer(Struct, frozen=True):
    scan_id: str
    outcome: Outcome
    reason: Reason | None
    attendee: Person | None
    admission: Admission | None
    conflict: bool = False


class CheckinListRow(Struct, frozen=True):
    list_id: UUID
    key: str
    name: Texts
    tickets: list[str]


class Scan(Struct, frozen=True):
    """A scan on its way into the log, with the answer it will get unless somebody was there before."""

    event_id: UUID
    device_id: UUID
    scan_id: str
    list_id: UUID
    gate_id: UUID
    attendee_id: UUID | None
    code: str
    direction: Direction
    scanned_at: datetime | None
    outcome: Outcome
    reason: Reason | None
    stay: int | None


class StayRow(Struct, frozen=True):
    """How a person stands on a list, asked for one scan."""

    place: int
    """Which of the asked-for scans, from 1."""
    logged: bool
    """This very scan is in the log already."""
    stay: int | None
    """The person's newest stay; None: never admitted."""
    outcome: Outcome | None
    """`admitted`: the stay goes on; `exited`: it has ended."""


class LoggedScan(Struct, frozen=True):
    """A scan as the log has it, with the admission that stood in its way, if one did."""

    device_id: UUID
    scan_id: str
    list_id: UUID
    gate_id: UUID
    code: str
    direction: Direction
    scanned_at: datetime | None
    received_at: datetime
    attendee_id: UUID | None
    outcome: Outcome
    reason: Reason | None
    blocked_at: datetime | None
    blocking_gate_id: UUID | None
    blocking_device_id: UUID | None
