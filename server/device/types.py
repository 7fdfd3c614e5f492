"""Devices' shapes."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class DeviceRow(Struct, frozen=True):
    """A device that may scan, and where it stands."""

    device_id: UUID
    name: str
    gate_id: UUID
    gate: str
    token_hash: bytes
    revoked: bool
