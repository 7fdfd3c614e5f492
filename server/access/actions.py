"""Giving out and revoking."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from server.attendee import queries as attendee_queries
from server.auth import Kind, hash_token, kind_of, new_token
from server.badge.types import BadgeChanged
from server.checkin.events import BadgeRevoked
from server.checkin.policy import clean_code
from server.db import Database
from server.device import queries as device_queries
from server.device.actions import add_device, ensure_gate
from server.device.errors import DeviceNameTaken
from server.device.types import AddDevice, DeviceChanged, Invitation, Profile
from server.event import queries as event_queries
from server.exhibitor import queries as exhibitor_queries
from server.feed import CHECKIN, emit, emit_to_each
from server.feed.types import TokenRevoked
from server.ids import new_id
from server.refusal import Refused

_REVOKERS = {
    "organizer": event_queries.revoke_organizer,
    "device": device_queries.revoke_device_by_token,
    "exhibitor": exhibitor_queries.revoke_staff,
}


async def create_organizer(db: Database, event_id: UUID, *, name: str) -> str:
    """A new organizer's token."""
    token = new_token("organizer")
    async with db.tx() as tx:
        await event_queries.insert_organizer(
            tx, event_id, organizer_id=new_id(), name=name, token_hash=hash_token(token)
        )
    return token


async def create_device(db: Database, event_id: UUID, *, name: str, gate: str, profile: Profile = "scan+search") -> str:
    """A new scanner's token. Raises `Refused` where a scanner of that name exists."""
    token = new_token("device")
    try:
        async with db.tx() as tx:
            gate_id = await device_queries.upsert_gate(tx, event_id, gate_id=new_id(), name=gate)
            device_id = new_id()
            await device_queries.insert_paired_device(
                tx,
                event_id,
                device_id=device_id,
                gate_id=gate_id,
                name=name,
                profile=profile,
                token_hash=hash_token(token),
            )
            data = DeviceChanged(device_id, name, gate, profile)
            await emit(tx, event_id, channel=CHECKIN, kind="device.created", data=data)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "device_name":
            raise Refused(f"There is a device `{name}` already: choose another --name.") from None
        raise
    return token


async def invite_device(db: Database, event_id: UUID, *, name: str, gate: str, profile: Profile) -> Invitation:
    """A new scanner that waits for its phone; makes the gate if there is none. Raises `Refused` as above."""
    await ensure_gate(db, event_id, name=gate)
    try:
        return await add_device(db, event_id, AddDevice(name=name, gate=gate, profile=profile))
    except DeviceNameTaken:
        raise Refused(f"There is a device `{name}` already: choose another --name.") from None


async def revoke(db: Database, event_id: UUID, code: str) -> str:
    """Takes a token or a badge out of use; returns what it was. Raises `Refused` for one that is unknown or revoked already."""
    kind = kind_of(code)
    if kind == "attendee":
        raise Refused("An attendee's token opens only their own data: revoke the badge by its code instead.")
    return await _revoke_badge(db, event_id, code) if kind is None else await _revoke_token(db, event_id, kind, code)


async def _revoke_token(db: Database, event_id: UUID, kind: Kind, token: str) -> str:
    async with db.tx() as tx:
        subject_id = await _REVOKERS[kind](tx, event_id, token_hash=hash_token(token))
        if subject_id is None:
            raise Refused("This event has no such valid token.")
        await emit(tx, event_id, channel=CHECKIN, kind=f"{kind}.revoked", data=TokenRevoked(subject_id))
    return f"{kind} {subject_id}"


async def _revoke_badge(db: Database, event_id: UUID, code: str) -> str:
    async with db.tx() as tx:
        badge = await attendee_queries.revoke_badge(tx, event_id, code=clean_code(code))
        if badge is None:
            raise Refused("This event has no such valid token or badge.")
        left = await attendee_queries.get_attendee(tx, event_id, badge.attendee_id)
        shown = BadgeChanged(left.badge_code, left.short_code) if left else BadgeChanged(None, None)
        await emit(tx, event_id, channel=CHECKIN, kind="badge.revoked", data=BadgeRevoked(badge.code, badge.number))
        await emit_to_each(tx, event_id, [badge.attendee_id], kind="badge.changed", data=shown)
    return f"badge {badge.code}"
