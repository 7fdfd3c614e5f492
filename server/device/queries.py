"""Statements on devices and gates."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from server.auth import Principal
from server.db import Tx, row, rows
from server.device.types import Device, DeviceRow, Gate, PairedRow, Profile, SelfRow

# Revoked ones too: an answer given long ago may name one.
LIST_DEVICES = """
    SELECT device.device_id, device.name, device.gate_id, gate.name AS gate, device.token_hash,
           device.revoked_at IS NOT NULL AS revoked, device.profile
    FROM device
    JOIN gate ON gate.event_id = device.event_id AND gate.gate_id = device.gate_id
    WHERE device.event_id = $1
"""

LIST_DEVICES_AFTER = """
    SELECT device.device_id AS id, device.name, device.gate_id, gate.name AS gate, device.profile,
           CASE WHEN device.revoked_at IS NOT NULL THEN 'revoked'
                WHEN device.token_hash IS NOT NULL THEN 'paired'
                ELSE 'waiting' END AS state,
           device.pairing_expires_at, device.paired_at, device.last_seen_at, device.app, device.platform,
           device.created_at, device.revoked_at
    FROM device
    JOIN gate ON gate.event_id = device.event_id AND gate.gate_id = device.gate_id
    WHERE device.event_id = $1 AND device.device_id > $2
    ORDER BY device.device_id
    LIMIT $3
"""

LOCK_DEVICE = """
    SELECT device.device_id AS id, device.name, device.gate_id, gate.name AS gate, device.profile,
           CASE WHEN device.revoked_at IS NOT NULL THEN 'revoked'
                WHEN device.token_hash IS NOT NULL THEN 'paired'
                ELSE 'waiting' END AS state,
           device.pairing_expires_at, device.paired_at, device.last_seen_at, device.app, device.platform,
           device.created_at, device.revoked_at
    FROM device
    JOIN gate ON gate.event_id = device.event_id AND gate.gate_id = device.gate_id
    WHERE device.event_id = $1 AND device.device_id = $2
    FOR NO KEY UPDATE OF device
"""

GET_DEVICE_BY_HASH = """
    SELECT 'device' AS kind, event_id, device_id AS subject_id, name, NULL::uuid AS booth_id, profile, paired_at AS since
    FROM device
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
"""

GET_SELF = """
    SELECT device.device_id, device.name, gate.name AS gate, device.profile
    FROM device
    JOIN gate ON gate.event_id = device.event_id AND gate.gate_id = device.gate_id
    WHERE device.event_id = $1 AND device.device_id = $2
"""

INSERT_PAIRED_DEVICE = """
    INSERT INTO device (event_id, device_id, gate_id, name, profile, token_hash, paired_at)
    VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
"""

INSERT_WAITING_DEVICE = """
    INSERT INTO device (event_id, device_id, gate_id, name, profile, pairing_hash, pairing_expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval)
    RETURNING pairing_expires_at
"""

UPDATE_DEVICE = """
    UPDATE device
    SET name = $3, gate_id = $4, profile = $5
    WHERE event_id = $1 AND device_id = $2
"""

OFFER_PAIRING = """
    UPDATE device
    SET pairing_hash = $3, pairing_expires_at = now() + $4::interval
    WHERE event_id = $1 AND device_id = $2
    RETURNING pairing_expires_at
"""

# The code is looked for, used up and exchanged for a token in this one statement: of two who bring it at once, the second
# waits for the first one's row and then finds that the code is no longer there.
PAIR_DEVICE = """
    UPDATE device
    SET token_hash = $3, pairing_hash = NULL, pairing_expires_at = NULL,
        paired_at = GREATEST(clock_timestamp(), device.paired_at + interval '1 microsecond'),
        last_seen_at = now(), app = COALESCE($4, device.app), platform = COALESCE($5, device.platform)
    FROM gate
    WHERE device.event_id = $1 AND device.pairing_hash = $2 AND device.pairing_expires_at > now()
      AND gate.event_id = device.event_id AND gate.gate_id = device.gate_id
    RETURNING device.device_id, device.name, gate.name AS gate, device.profile, device.paired_at
"""

IS_PAIRING_EXPIRED = """
    SELECT EXISTS (
        SELECT FROM device
        WHERE event_id = $1 AND pairing_hash = $2 AND pairing_expires_at <= now()
    ) AS expired
"""

REVOKE_DEVICE = """
    UPDATE device
    SET revoked_at = now(), token_hash = NULL, pairing_hash = NULL, pairing_expires_at = NULL
    WHERE event_id = $1 AND device_id = $2
"""

REVOKE_DEVICE_BY_HASH = """
    UPDATE device
    SET revoked_at = now(), token_hash = NULL, pairing_hash = NULL, pairing_expires_at = NULL
    WHERE event_id = $1 AND token_hash = $2
    RETURNING device_id
"""

# Locked in one order everywhere, so that two processes that write their notes never wait for each other in a circle.
MARK_SEEN = """
    WITH seen AS (
        SELECT device.event_id, device.device_id, now() - make_interval(secs => noted.age) AS at, noted.app
        FROM unnest($1::uuid[], $2::uuid[], $3::double precision[], $4::text[]) AS noted (event_id, device_id, age, app)
        JOIN device ON device.event_id = noted.event_id AND device.device_id = noted.device_id
        ORDER BY device.event_id, device.device_id
        FOR NO KEY UPDATE OF device
    )
    UPDATE device
    SET last_seen_at = seen.at, app = COALESCE(seen.app, device.app)
    FROM seen
    WHERE device.event_id = seen.event_id AND device.device_id = seen.device_id
      AND (device.last_seen_at IS NULL OR device.last_seen_at < seen.at)
"""

LIST_GATES = """
    SELECT gate_id AS id, name
    FROM gate
    WHERE event_id = $1
"""

LIST_GATES_AFTER = """
    SELECT gate_id AS id, name
    FROM gate
    WHERE event_id = $1 AND gate_id > $2
    ORDER BY gate_id
    LIMIT $3
"""

FIND_GATE = """
    SELECT gate_id AS id, name
    FROM gate
    WHERE event_id = $1 AND (gate_id = $2 OR name = $3)
    ORDER BY gate_id = $2 DESC
    LIMIT 1
"""

INSERT_GATE = """
    INSERT INTO gate (event_id, gate_id, name)
    VALUES ($1, $2, $3)
"""

UPSERT_GATE = """
    INSERT INTO gate (event_id, gate_id, name)
    VALUES ($1, $2, $3)
    ON CONFLICT (event_id, name) DO UPDATE SET name = EXCLUDED.name
    RETURNING gate_id
"""

RENAME_GATE = """
    UPDATE gate
    SET name = $3
    WHERE event_id = $1 AND gate_id = $2
    RETURNING gate_id
"""

# Scans that are counted, and those that wait for it.
GATE_HAS_SCANS = """
    SELECT EXISTS (SELECT FROM checkin_tally WHERE event_id = $1 AND gate_id = $2)
        OR EXISTS (SELECT FROM scan_news WHERE event_id = $1 AND $2 = ANY(gate_ids))
        OR EXISTS (
            SELECT
            FROM scan_news
            CROSS JOIN unnest(scan_news.device_ids, scan_news.scan_ids) AS told (device_id, scan_id)
            JOIN scan ON scan.event_id = $1 AND scan.device_id = told.device_id AND scan.scan_id = told.scan_id
            WHERE scan_news.event_id = $1 AND scan_news.scan_ids IS NOT NULL AND scan.gate_id = $2
        )
"""

DELETE_GATE = """
    DELETE FROM gate
    WHERE event_id = $1 AND gate_id = $2
    RETURNING name
"""


async def list_devices(tx: Tx, event_id: UUID) -> list[DeviceRow]:
    return await rows(tx, DeviceRow, LIST_DEVICES, event_id)


async def list_devices_after(tx: Tx, event_id: UUID, *, device_id: UUID, limit: int) -> list[Device]:
    return await rows(tx, Device, LIST_DEVICES_AFTER, event_id, device_id, limit)


async def lock_device(tx: Tx, event_id: UUID, device_id: UUID) -> Device | None:
    """The device as it is now; it stays so for others until the transaction ends."""
    return await row(tx, Device, LOCK_DEVICE, event_id, device_id)


async def get_device_by_token(tx: Tx, event_id: UUID, *, token_hash: bytes) -> Principal | None:
    return await row(tx, Principal, GET_DEVICE_BY_HASH, event_id, token_hash)


async def get_self(tx: Tx, event_id: UUID, device_id: UUID) -> SelfRow | None:
    return await row(tx, SelfRow, GET_SELF, event_id, device_id)


async def insert_paired_device(
    tx: Tx, event_id: UUID, *, device_id: UUID, gate_id: UUID, name: str, profile: Profile, token_hash: bytes
) -> None:
    await tx.execute(INSERT_PAIRED_DEVICE, event_id, device_id, gate_id, name, profile, token_hash)


async def insert_waiting_device(
    tx: Tx,
    event_id: UUID,
    *,
    device_id: UUID,
    gate_id: UUID,
    name: str,
    profile: Profile,
    pairing_hash: bytes,
    lifetime: timedelta,
) -> datetime:
    """Until when its code is valid."""
    expires_at: datetime = await tx.fetchval(
        INSERT_WAITING_DEVICE, event_id, device_id, gate_id, name, profile, pairing_hash, lifetime
    )
    return expires_at


async def update_device(tx: Tx, event_id: UUID, *, device_id: UUID, name: str, gate_id: UUID, profile: Profile) -> None:
    await tx.execute(UPDATE_DEVICE, event_id, device_id, name, gate_id, profile)


async def offer_pairing(
    tx: Tx, event_id: UUID, *, device_id: UUID, pairing_hash: bytes, lifetime: timedelta
) -> datetime:
    """Until when the code is valid; one that was given out before no longer is."""
    expires_at: datetime = await tx.fetchval(OFFER_PAIRING, event_id, device_id, pairing_hash, lifetime)
    return expires_at


async def pair_device(
    tx: Tx, event_id: UUID, *, pairing_hash: bytes, token_hash: bytes, app: str | None, platform: str | None
) -> PairedRow | None:
    """Exchanges a valid code for a token; None where there is no such code, or no longer."""
    return await row(tx, PairedRow, PAIR_DEVICE, event_id, pairing_hash, token_hash, app, platform)


async def is_pairing_expired(tx: Tx, event_id: UUID, *, pairing_hash: bytes) -> bool:
    """Whether a device waits for this code and has waited for too long."""
    expired: bool = await tx.fetchval(IS_PAIRING_EXPIRED, event_id, pairing_hash)
    return expired


async def revoke_device(tx: Tx, event_id: UUID, *, device_id: UUID) -> None:
    await tx.execute(REVOKE_DEVICE, event_id, device_id)


async def revoke_device_by_token(tx: Tx, event_id: UUID, *, token_hash: bytes) -> UUID | None:
    """The device's id, or None where there is no such valid token."""
    found: UUID | None = await tx.fetchval(REVOKE_DEVICE_BY_HASH, event_id, token_hash)
    return found


async def mark_seen(
    tx: Tx, *, event_ids: list[UUID], device_ids: list[UUID], ages: list[float], apps: list[str | None]
) -> None:
    """Each device was seen `age` seconds ago. Never moves a time back."""
    await tx.execute(MARK_SEEN, event_ids, device_ids, ages, apps)


async def list_gates(tx: Tx, event_id: UUID) -> list[Gate]:
    return await rows(tx, Gate, LIST_GATES, event_id)


async def list_gates_after(tx: Tx, event_id: UUID, *, gate_id: UUID, limit: int) -> list[Gate]:
    return await rows(tx, Gate, LIST_GATES_AFTER, event_id, gate_id, limit)


async def find_gate(tx: Tx, event_id: UUID, *, gate_id: UUID | None, name: str) -> Gate | None:
    """The gate of this id, else the one of this name."""
    return await row(tx, Gate, FIND_GATE, event_id, gate_id, name)


async def insert_gate(tx: Tx, event_id: UUID, *, gate_id: UUID, name: str) -> None:
    await tx.execute(INSERT_GATE, event_id, gate_id, name)


async def upsert_gate(tx: Tx, event_id: UUID, *, gate_id: UUID, name: str) -> UUID:
    """The id of the gate of that name; `gate_id` is used where there is none yet."""
    found: UUID = await tx.fetchval(UPSERT_GATE, event_id, gate_id, name)
    return found


async def rename_gate(tx: Tx, event_id: UUID, *, gate_id: UUID, name: str) -> UUID | None:
    """The gate's id, or None where there is none."""
    found: UUID | None = await tx.fetchval(RENAME_GATE, event_id, gate_id, name)
    return found


async def gate_has_scans(tx: Tx, event_id: UUID, *, gate_id: UUID) -> bool:
    return bool(await tx.fetchval(GATE_HAS_SCANS, event_id, gate_id))


async def delete_gate(tx: Tx, event_id: UUID, *, gate_id: UUID) -> str | None:
    """The name it had, or None where there is no such gate."""
    name: str | None = await tx.fetchval(DELETE_GATE, event_id, gate_id)
    return name
