"""Devices and gates: made, changed, paired with a phone, revoked. All of it is told on channel `checkin`."""

from __future__ import annotations

import asyncio
from uuid import UUID

from msgspec import UNSET

from server.auth import hash_token, new_token
from server.db import Database, Tx
from server.device import queries
from server.device.codes import LIFETIME, hash_pairing_code, new_pairing_code, read_pairing_code
from server.device.errors import (
    BY_CONSTRAINT,
    BY_CONSTRAINT_OF_REMOVAL,
    DeviceRevoked,
    GateInUse,
    PairingExpired,
    PairingMistyped,
    PairingUnknown,
    UnknownDevice,
    UnknownGate,
)
from server.device.guesses import Guesses
from server.device.types import (
    AddDevice,
    ChangeDevice,
    Device,
    DeviceChanged,
    Gate,
    GateChanged,
    Invitation,
    PairDevice,
    Paired,
)
from server.event.types import EventRow
from server.feed import CHECKIN, emit
from server.feed.types import TokenReplaced, TokenRevoked
from server.ids import new_id


async def add_gate(db: Database, event_id: UUID, *, name: str) -> Gate:
    """A new gate. Raises `GateNameTaken`."""
    gate = Gate(new_id(), name)
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.insert_gate(tx, event_id, gate_id=gate.id, name=name)
        await emit(tx, event_id, channel=CHECKIN, kind="gate.created", data=GateChanged(gate.id, name))
    return gate


async def ensure_gate(db: Database, event_id: UUID, *, name: str) -> None:
    """Makes the gate if there is none of that name."""
    async with db.tx() as tx:
        proposed = new_id()
        if await queries.upsert_gate(tx, event_id, gate_id=proposed, name=name) == proposed:
            await emit(tx, event_id, channel=CHECKIN, kind="gate.created", data=GateChanged(proposed, name))


async def rename_gate(db: Database, event_id: UUID, gate_id: UUID, *, name: str) -> Gate:
    """The gate under its new name. Raises `UnknownGate`, `GateNameTaken`."""
    async with db.tx(BY_CONSTRAINT) as tx:
        if await queries.rename_gate(tx, event_id, gate_id=gate_id, name=name) is None:
            raise UnknownGate
        await emit(tx, event_id, channel=CHECKIN, kind="gate.changed", data=GateChanged(gate_id, name))
    return Gate(gate_id, name)


async def remove_gate(db: Database, event_id: UUID, gate_id: UUID) -> None:
    """Deletes a gate at which no device stands or was revoked, and nobody was scanned. Raises `UnknownGate`, `GateInUse`."""
    async with db.tx(BY_CONSTRAINT_OF_REMOVAL) as tx:
        name = await queries.delete_gate(tx, event_id, gate_id=gate_id)
        if name is None:
            raise UnknownGate
        if await queries.gate_has_scans(tx, event_id, gate_id=gate_id):
            raise GateInUse
        await emit(tx, event_id, channel=CHECKIN, kind="gate.deleted", data=GateChanged(gate_id, name))


async def add_device(db: Database, event_id: UUID, command: AddDevice) -> Invitation:
    """A new device that waits for its phone. Raises `UnknownGate`, `DeviceNameTaken`."""
    device_id, code = new_id(), new_pairing_code()
    pairing_hash = await asyncio.to_thread(hash_pairing_code, event_id, code)
    async with db.tx(BY_CONSTRAINT) as tx:
        gate = await _find_gate(tx, event_id, command.gate)
        expires_at = await queries.insert_waiting_device(
            tx,
            event_id,
            device_id=device_id,
            gate_id=gate.id,
            name=command.name,
            profile=command.profile,
            pairing_hash=pairing_hash,
            lifetime=LIFETIME,
        )
        device = await _lock(tx, event_id, device_id)
        await emit(tx, event_id, channel=CHECKIN, kind="device.created", data=_changed(device))
        return Invitation(device, code, expires_at)


async def change_device(db: Database, event_id: UUID, device_id: UUID, change: ChangeDevice) -> Device:
    """Renames a device, moves it to another gate or gives it another profile; a change that changes nothing tells nobody.

    Raises `UnknownDevice`, `DeviceRevoked`, `UnknownGate`, `DeviceNameTaken`.
    """
    async with db.tx(BY_CONSTRAINT) as tx:
        before = await _lock_valid(tx, event_id, device_id)
        gate_id = before.gate_id if change.gate is UNSET else (await _find_gate(tx, event_id, change.gate)).id
        name = before.name if change.name is UNSET else change.name
        profile = before.profile if change.profile is UNSET else change.profile
        if (name, gate_id, profile) == (before.name, before.gate_id, before.profile):
            return before

        await queries.update_device(tx, event_id, device_id=device_id, name=name, gate_id=gate_id, profile=profile)

        after = await _lock(tx, event_id, device_id)
        await emit(tx, event_id, channel=CHECKIN, kind="device.changed", data=_changed(after))
        return after


async def offer_pairing(db: Database, event_id: UUID, device_id: UUID) -> Invitation:
    """A new code for a device; one given out before is worth nothing from now on.

    A paired device's phone goes on working until another one brings the code. Raises `UnknownDevice`, `DeviceRevoked`.
    """
    code = new_pairing_code()
    pairing_hash = await asyncio.to_thread(hash_pairing_code, event_id, code)
    async with db.tx() as tx:
        await _lock_valid(tx, event_id, device_id)
        expires_at = await queries.offer_pairing(
            tx, event_id, device_id=device_id, pairing_hash=pairing_hash, lifetime=LIFETIME
        )
        device = await _lock(tx, event_id, device_id)
        await emit(tx, event_id, channel=CHECKIN, kind="device.changed", data=_changed(device))
        return Invitation(device, code, expires_at)


async def pair_device(
    db: Database, guesses: Guesses, event: EventRow, command: PairDevice, *, user_agent: str | None
) -> Paired:
    """Makes a phone the device that waits for its code; a phone that was it before no longer is, from the commit on.

    Raises `PairingMistyped`, `PairingUnknown`, `PairingExpired`, `TooManyRequests`.
    """
    code = read_pairing_code(command.code)
    if code is None:
        raise PairingMistyped
    async with guesses.turn(event.event_id):
        pairing_hash = await asyncio.to_thread(hash_pairing_code, event.event_id, code)
        token = new_token("device")
        async with db.tx() as tx:
            paired = await queries.pair_device(
                tx,
                event.event_id,
                pairing_hash=pairing_hash,
                token_hash=hash_token(token),
                app=command.app or user_agent,
                platform=command.platform,
            )
            if paired is not None:
                data = TokenReplaced(paired.device_id, paired.paired_at)
                await emit(tx, event.event_id, channel=CHECKIN, kind="device.paired", data=data)
                return Paired(
                    device_id=paired.device_id,
                    name=paired.name,
                    gate=paired.gate,
                    profile=paired.profile,
                    token=token,
                    event=event.slug,
                )
            if await queries.is_pairing_expired(tx, event.event_id, pairing_hash=pairing_hash):
                raise PairingExpired
        guesses.count_wrong(event.event_id)
        raise PairingUnknown


async def revoke_device(db: Database, event_id: UUID, device_id: UUID) -> None:
    """Takes a device out of use, for ever; doing it again changes nothing. Raises `UnknownDevice`."""
    async with db.tx() as tx:
        device = await _lock(tx, event_id, device_id)
        if device.state == "revoked":
            return
        await queries.revoke_device(tx, event_id, device_id=device_id)
        await emit(tx, event_id, channel=CHECKIN, kind="device.revoked", data=TokenRevoked(device_id))


async def _lock(tx: Tx, event_id: UUID, device_id: UUID) -> Device:
    device = await queries.lock_device(tx, event_id, device_id)
    if device is None:
        raise UnknownDevice
    return device


async def _lock_valid(tx: Tx, event_id: UUID, device_id: UUID) -> Device:
    device = await _lock(tx, event_id, device_id)
    if device.state == "revoked":
        raise DeviceRevoked
    return device


async def _find_gate(tx: Tx, event_id: UUID, named: str) -> Gate:
    gate = await queries.find_gate(tx, event_id, gate_id=_as_id(named), name=named)
    if gate is None:
        raise UnknownGate(f"There is no gate `{named}` in this event.")
    return gate


def _as_id(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None


def _changed(device: Device) -> DeviceChanged:
    return DeviceChanged(device.id, device.name, device.gate, device.profile)
