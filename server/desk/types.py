"""The desk's rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

Counted = tuple[UUID, datetime, UUID, str, str, str]
"""What is counted together: list, bucket, gate, ticket, outcome, reason."""


class NewsRow(Struct, frozen=True):
    """What one batch logged."""

    at: datetime
    device_ids: list[UUID]
    scan_ids: list[str] | None
    list_ids: list[UUID] | None
    gate_ids: list[UUID] | None
    attendee_ids: list[UUID | None] | None
    reasons: list[str | None] | None


class NewsScanRow(Struct, frozen=True):
    """A scan that is news, and the one it takes back if it does."""

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
    undone_at: datetime | None
    undone_gate_id: UUID | None
    undone_outcome: str | None
    undone_reason: str | None


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
