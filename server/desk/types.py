"""The desk's rows."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct


class Counted(NamedTuple):
    """What is counted together."""

    list_id: UUID
    bucket: datetime
    """When its five minutes began."""
    gate_id: UUID
    ticket: str
    outcome: str
    reason: str


class NewsRow(Struct, frozen=True):
    """What one batch logged."""

    at: datetime
    device_ids: list[UUID]
    scan_ids: list[str] | None
    list_ids: list[UUID] | None
    gate_ids: list[UUID] | None
    attendee_ids: list[UUID | None] | None
    reasons: list[str | None] | None
    ats: list[datetime] | None


class NewsScanRow(Struct, frozen=True):
    """A scan that is news."""

    device_id: UUID
    scan_id: str
    list_id: UUID
    area_id: UUID
    gate_id: UUID
    attendee_id: UUID | None
    at: datetime
    outcome: str
    reason: str | None
    conflict: bool
    turn: int | None


class ConflictRow(Struct, frozen=True):
    conflict_id: UUID
    kind: str
    list_id: UUID
    attendee_id: UUID | None
    device_id: UUID
    scan_id: str
    first_device_id: UUID | None
    first_scan_id: str | None

    @property
    def scans(self) -> tuple[object, ...]:
        """What makes it the same conflict."""
        return (self.kind, self.device_id, self.scan_id, self.first_device_id, self.first_scan_id)


class MomentRow(Struct, frozen=True):
    device_id: UUID
    scan_id: str
    gate_id: UUID
    at: datetime


class Occupancy(Struct, frozen=True):
    """The state `list:KEY` of channel `occupancy`: how full a list is."""

    inside: int
    """Of a room, those who came for the session that it is open for."""
    capacity: int | None
    free: int | None
    """How many more may come in; null without a capacity."""
    session_id: UUID | None


STATES: dict[str, type] = {"list:": Occupancy}
"""Beginning of a key → value of what channel `occupancy` says."""


class Told(Struct, frozen=True, kw_only=True):
    """What came of one round."""

    occupancy: dict[str, Occupancy] | None
    """As it was told; None where nothing was."""
    more: bool
    """There may be more to tell."""


class ArrivalRow(Struct, frozen=True):
    bucket: datetime
    gate_id: UUID
    admitted: int
    exited: int


class TicketCountRow(Struct, frozen=True):
    ticket: str
    admitted: int


class ReasonCountRow(Struct, frozen=True):
    reason: str
    scans: int


class Arrivals(Struct, frozen=True):
    """Five minutes at one gate."""

    at: datetime
    """When they began."""
    gate: str
    admitted: int
    exited: int


class TicketCount(Struct, frozen=True):
    ticket: str
    admitted: int


class ReasonCount(Struct, frozen=True):
    reason: str
    scans: int


ArrivalList = list[Arrivals]
TicketCounts = list[TicketCount]
ReasonCounts = list[ReasonCount]


class Statistics(Struct, frozen=True, kw_only=True):
    """What happened at a list."""

    list: str
    inside: int
    """How many are inside now; of a room, of the session that it is open for."""
    capacity: int | None
    session_id: UUID | None
    admitted: int
    """Admissions, re-entries included, in the time asked for."""
    arrivals: ArrivalList
    tickets: TicketCounts
    refusals: ReasonCounts
    conflicts: int
    """How many stand now."""


class StandingConflictRow(Struct, frozen=True):
    """A conflict with the two scans."""

    conflict_id: UUID
    kind: str
    list_id: UUID
    attendee_id: UUID | None
    name: str | None
    detected_at: datetime
    resolved_at: datetime | None
    at: datetime
    device_id: UUID
    gate_id: UUID
    scan_id: str
    first_at: datetime | None
    first_device_id: UUID | None
    first_gate_id: UUID | None
    first_scan_id: str | None


class StandingConflict(Struct, frozen=True, kw_only=True):
    """Something that offline scanners did and that does not go together."""

    id: UUID
    kind: str
    """`double_admission`: two doors let the same person in. `not_entitled`: a door let in whom the server would have refused."""
    list: str
    attendee_id: UUID | None
    name: str | None
    detected_at: datetime
    resolved_at: datetime | None
    """A later upload or an undo explained it."""
    at: datetime
    device_id: UUID
    device: str
    gate: str
    scan_id: str
    first_at: datetime | None
    first_device_id: UUID | None
    first_device: str | None
    first_gate: str | None
    first_scan_id: str | None


class ConflictPage(Struct, frozen=True, kw_only=True):
    conflicts: list[StandingConflict]
    """Newest first."""
    next_cursor: str | None


class RefusalRow(Struct, frozen=True):
    device_id: UUID
    scan_id: str
    list_id: UUID
    gate_id: UUID
    attendee_id: UUID | None
    name: str | None
    code: str
    direction: str
    at: datetime
    received_at: datetime
    reason: str
    decided: str | None


class Refusal(Struct, frozen=True, kw_only=True):
    """A scan that was refused."""

    scan_id: str
    device: str
    gate: str
    list: str
    attendee_id: UUID | None
    name: str | None
    code: str
    """As scanned, where nobody has it; else empty: it would open a door."""
    direction: str
    at: datetime
    reason: str
    offline: bool


class RefusalPage(Struct, frozen=True, kw_only=True):
    refusals: list[Refusal]
    """Newest first."""
    next_cursor: str | None


class WordCountRow(Struct, frozen=True):
    found: int


class FoundRow(Struct, frozen=True):
    attendee_id: UUID
    name: str
    name_ar: str
    company: str
    ticket: str
    language: str


class Found(Struct, frozen=True, kw_only=True):
    """Somebody who was looked for."""

    id: UUID
    name: str
    name_ar: str
    company: str
    ticket: str
    language: str
    code: str | None
    """The short code of the valid badge, to check the person in with; None while no badge is valid."""
    inside: bool | None
    """Whether the person is inside the list that was asked for."""
    since: datetime | None
    gate: str | None
    device: str | None


class SearchAnswer(Struct, frozen=True, kw_only=True):
    attendees: list[Found]
    """At most 20."""
    more: bool
    """There are others: type on."""
