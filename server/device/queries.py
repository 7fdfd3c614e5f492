"""Statements on devices and gates."""

from __future__ import annotations

from uuid import UUID

from server.auth import Principal
from server.db import Tx, row, rows
from server.device.types import DeviceRow

# Revoked ones too: an answer given long ago may name one.
LIST_DEVICES = """
    SELECT device.device_id, device.name, device.gate_id, gate.name AS gate, device.token_hash,
           device.revoked_at IS NOT NULL AS revoked
    FROM device
    JOIN gate ON gate.event_id = device.event_id AND gate.gate_id = device.gate_id
    WHERE device.event_id = $1
"""

GET_DEVICE_BY_HASH = """
    SELECT 'device' AS kind, event_id, device_id AS subject_id, name
    FROM device
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
"""

UPSERT_GATE = """
    INSERT INTO gate (event_id, gate_id, name)
    VALUES ($1, $2, $3)
    ON CONFLICT (event_id, name) DO UPDATE SET name = EXCLUDED.name
    RETURNING gate_id
"""

INSERT_DEVICE = """
    INSERT INTO device (event_id, device_id, gate_id, name, token_hash)
    VALUES ($1, $2, $3, $4, $5)
"""

REVOKE_DEVICE = """
    UPDATE device
    SET revoked_at = now()
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
    RETURNING device_id
"""


async def list_devices(tx: Tx, event_id: UUID) -> list[DeviceRow]:
    return await rows(tx, DeviceRow, LIST_DEVICES, event_id)


async def get_device_by_token(tx: Tx, event_id: UUID, *, token_hash: bytes) -> Principal | None:
    return await row(tx, Principal, GET_DEVICE_BY_HASH, event_id, token_hash)


async def upsert_gate(tx: Tx, event_id: UUID, *, gate_id: UUID, name: str) -> UUID:
    """The id of the gate of that name; `gate_id` is used where there is none yet."""
    found: UUID = await tx.fetchval(UPSERT_GATE, event_id, gate_id, name)
    return found


async def insert_device(
    tx: Tx, event_id: UUID, *, device_id: UUID, gate_id: UUID, name: str, token_hash: bytes
) -> None:
    await tx.execute(INSERT_DEVICE, event_id, device_id, gate_id, name, token_hash)


async def revoke_device(tx: Tx, event_id: UUID, *, token_hash: bytes) -> UUID | None:
    """The device's id, or None where there is no such valid token."""
    found: UUID | None = await tx.fetchval(REVOKE_DEVICE, event_id, token_hash)
    return found
