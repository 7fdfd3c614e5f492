"""The door's shapes: what a scanner sends, what it gets, and the rows between."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from server.instants import Instant

Direction = Literal["entry", "exit"]
Decided = Literal["admitted", "exited", "refused"]
Outcome = Literal["admitted", "already_admitted", "refused", "exited"]
LoggedOutcome = Literal["admitted", "already_admitted", "refused", "exited", "undone"]
Reason = Literal[
    "unknown_code", "revoked", "cancelled", "wrong_ticket", "not_open", "list_full", "not_inside", "turned_away"
]
Clock = Literal["ahead", "behind"]

PersonKey = tuple[UUID, UUID, UUID | None]
"""Event, area, attendee: whose turns are numbered together."""
ScanKey = tuple[UUID, UUID, str]
"""Event, device, scan id: what makes a scan the same scan."""

MAX_CODE_LENGTH = 4296
"""The most characters a QR code holds."""


class CheckIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scan."""

    scan_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:\-]{1,64}$(?!\n)")]
    """The scanner's own id of this scan, a UUID for instance; a retry sends the same one."""
    list: Annotated[str, Meta(min_length=1, max_length=64)]
    """The check-in list's key; the main door's is `main`."""
    code: Annotated[str, Meta(min_length=1, max_length=MAX_CODE_LENGTH)]
    """What was read or typed: a badge's code or its short code. 4,296 characters are the most a QR code holds."""
    direction: Direction = "entry"
    scanned_at: Instant | None = None
    """When, by the device's clock. Decides who was first among scans made offline."""
    decided: Decided | None = None
    """What the scanner told the person by itself, offline. Missing in a single check-in: the server is asked now. Missing in
    a batch: the person was let through."""
    synced_at: Instant | None = None
    """`synced_at` of the snapshot the scanner held when it decided: its clock is believed from there on."""
    number: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """The scanner's own count of its scans, 1, 2, 3 …: with it the server can say up to where all of them are stored."""


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
    """Decided offline, and it does not go together with what another scanner did; the organizers see both."""
    clock: Clock | None = None
    """The device's clock was not believed: it was ahead of the arrival, or behind the last sync. The scan counts at the
    nearest moment that is possible."""


class Mark(Struct, frozen=True):
    """How far a device's scans are stored."""

    mark: int
    """All of the device's scans with numbers from 1 to this one are in the log."""


class CheckinListRow(Struct, frozen=True):
    """A check-in list, as the door decides by it."""

    list_id: UUID
    key: str
    kind: str
    room_id: UUID | None
    opens_at: datetime | None
    closes_at: datetime | None
    capacity: int | None
    reentry: str
    early_minutes: int
    tickets: list[str]

    @property
    def is_counted(self) -> bool:
        """Whether each of its scans has to see how many are inside before it is answered."""
        return self.capacity is not None or self.room_id is not None


class TicketRow(Struct, frozen=True):
    """A ticket type and its place among the event's: signed codes name it by that."""

    ticket: str
    position: int


class SessionRow(Struct, frozen=True):
    """A session in a room, as far as the door is concerned."""

    session_id: UUID
    room_id: UUID
    starts_at: datetime
    ends_at: datetime


class Scan(Struct, frozen=True):
    """A scan on its way into the log, with the answer it will get unless somebody was there before."""

    event_id: UUID
    device_id: UUID
    scan_id: str
    list_id: UUID
    area_id: UUID
    gate_id: UUID
    attendee_id: UUID | None
    code: str
    direction: Direction
    scanned_at: datetime | None
    outcome: LoggedOutcome
    reason: Reason | None
    turn: int | None
    session_id: UUID | None = None
    at: datetime | None = None
    """When an offline scan counts as having happened; None: when the server logs it."""
    decided: Decided | None = None
    number: int | None = None
    conflict: bool = False
    against: int | None = None
    undoes: str | None = None
    undone_by: UUID | None = None
    reentry: str = "after_exit"
    """The list's rule; not logged."""
    capacity: int | None = None
    """The list's; not logged."""
    counted: bool = False
    """`CheckinListRow.is_counted`; not logged."""

    @property
    def seems_first(self) -> bool:
        """Whether it may be written without a look at the log: nothing stands against it, as far as this process knows."""
        return (
            (self.turn == 1 or self.reason is not None)
            and self.direction == "entry"
            and not self.conflict
            and not self.counted
            and self.undoes is None
        )

    @property
    def passes(self) -> bool:
        """Whether somebody went through, or a passing is taken back: such a scan takes a turn."""
        return self.turn is not None

    @property
    def key(self) -> ScanKey:
        return (self.event_id, self.device_id, self.scan_id)

    @property
    def person(self) -> PersonKey:
        """Whose turns in which area it joins."""
        return (self.event_id, self.area_id, self.attendee_id)


class Fact(Struct, frozen=True):
    """A row of the log that has a turn."""

    event_id: UUID
    area_id: UUID
    attendee_id: UUID
    turn: int
    device_id: UUID
    scan_id: str
    list_id: UUID
    session_id: UUID | None
    gate_id: UUID
    direction: Direction
    at: datetime
    offline: bool
    undoes: str | None

    @property
    def key(self) -> tuple[UUID, str]:
        return (self.device_id, self.scan_id)

    @property
    def person(self) -> PersonKey:
        return (self.event_id, self.area_id, self.attendee_id)

    @property
    def place(self) -> tuple[UUID, UUID | None]:
        """Where one is after entering: a list, in a room the session too."""
        return (self.list_id, self.session_id)


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
    at: datetime
    decided: Decided | None
    number: int | None
    attendee_id: UUID | None
    outcome: LoggedOutcome
    reason: Reason | None
    conflict: bool
    blocked_at: datetime | None
    blocking_gate_id: UUID | None
    blocking_device_id: UUID | None


class LoggedPassing(Struct, frozen=True):
    """A scan that somebody wants to undo."""

    device_id: UUID
    scan_id: str
    list_id: UUID
    area_id: UUID
    gate_id: UUID
    attendee_id: UUID | None
    session_id: UUID | None
    code: str
    direction: Direction
    received_at: datetime
    passed: bool
    """Somebody went through with it."""
    undone: bool


class CountChange(Struct, frozen=True):
    """What a batch changes of how many are inside."""

    event_id: UUID
    list_id: UUID
    session_id: UUID
    """All zeros for a list that follows no session."""
    granted: int
    merged: int
    capacity: int | None


class CountRow(Struct, frozen=True):
    """How many are inside."""

    event_id: UUID
    list_id: UUID
    session_id: UUID
    inside: int
