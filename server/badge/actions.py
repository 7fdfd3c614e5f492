"""Making and retiring keys, issuing badges."""

from __future__ import annotations

from uuid import UUID

from server.attendee.codes import new_short_code
from server.attendee.errors import UnknownAttendee
from server.attendee.signed_codes import KEY_IDS, new_seed, public_key_of, sign, ticket_index_of
from server.badge import queries
from server.badge.errors import BadgeKeysUsedUp, NewestBadgeKey, UnknownBadgeKey
from server.badge.types import (
    BadgeChanged,
    BadgeKeysChanged,
    BadgeKeyState,
    IssuedBadge,
    SigningKey,
    public,
    states,
)
from server.checkin.events import AttendeesChanged, BadgeRevoked
from server.db import Database, Tx
from server.feed import CHECKIN, emit, emit_to_each


async def rotate_key(db: Database, event_id: UUID) -> BadgeKeyState:
    """A new key, which signs from now on; what older ones have signed stays valid. Raises `BadgeKeysUsedUp`."""
    async with db.tx() as tx:
        await queries.lock_event(tx, event_id)
        newest = await queries.get_signing_key(tx, event_id)
        key_id = newest.key_id + 1 if newest else 0
        if key_id >= KEY_IDS:
            raise BadgeKeysUsedUp
        await _make_key(tx, event_id, key_id)
        await _tell_keys(tx, event_id)
        return states(await queries.list_keys(tx, event_id))[-1]


async def retire_key(db: Database, event_id: UUID, key_id: int) -> None:
    """Lets scanners believe a key's signatures no more. Once retired, retiring it again changes nothing.

    Raises `UnknownBadgeKey`, and `NewestBadgeKey` for the one that signs.
    """
    async with db.tx() as tx:
        await queries.lock_event(tx, event_id)
        keys = await queries.list_keys(tx, event_id)
        if key_id not in {key.key_id for key in keys}:
            raise UnknownBadgeKey
        if key_id == keys[-1].key_id:
            raise NewestBadgeKey
        if await queries.retire_key(tx, event_id, key_id=key_id) is not None:
            await _tell_keys(tx, event_id)


async def replace_badge(db: Database, event_id: UUID, attendee_id: UUID) -> IssuedBadge:
    """A new badge for an attendee, whose other badges are valid no longer. Raises `UnknownAttendee`."""
    async with db.tx() as tx:
        await queries.lock_event(tx, event_id)
        holder = await queries.lock_holder(tx, event_id, attendee_id=attendee_id)
        if holder is None:
            raise UnknownAttendee
        key = await _signing_key(tx, event_id)
        revoked = await queries.revoke_badges_of(tx, event_id, attendee_id=attendee_id)
        number = await queries.next_number(tx, event_id)
        code = sign(key.private_seed, event_id, key.key_id, number, ticket_index_of(holder.ticket_position))
        short_code = await _insert(tx, event_id, attendee_id, code, number)
        for lost in revoked:
            await emit(tx, event_id, channel=CHECKIN, kind="badge.revoked", data=BadgeRevoked(lost.code, lost.number))
        changed = AttendeesChanged([attendee_id])
        await emit(tx, event_id, channel=CHECKIN, kind="attendees.changed", data=changed)
        shown = BadgeChanged(code, short_code)
        await emit_to_each(tx, event_id, [attendee_id], kind="badge.changed", data=shown)
    return IssuedBadge(
        attendee_id=attendee_id,
        code=code,
        short_code=short_code,
        number=number,
        revoked=[lost.code for lost in revoked],
    )


async def _insert(tx: Tx, event_id: UUID, attendee_id: UUID, code: str, number: int) -> str:
    """Stores the badge under the first short code that is free, and returns that."""
    while True:
        short_code = new_short_code()
        if await queries.insert_badge(
            tx, event_id, code=code, short_code=short_code, attendee_id=attendee_id, number=number
        ):
            return short_code


async def _signing_key(tx: Tx, event_id: UUID) -> SigningKey:
    """The newest key, made now where the event has none."""
    newest = await queries.get_signing_key(tx, event_id)
    if newest is None:
        newest = await _make_key(tx, event_id, 0)
        await _tell_keys(tx, event_id)
    return newest


async def _make_key(tx: Tx, event_id: UUID, key_id: int) -> SigningKey:
    seed = new_seed()
    await queries.insert_key(tx, event_id, key_id=key_id, public_key=public_key_of(seed), private_seed=seed)
    return SigningKey(key_id, seed)


async def _tell_keys(tx: Tx, event_id: UUID) -> None:
    valid = [public(key) for key in await queries.list_valid_keys(tx, event_id)]
    await emit(tx, event_id, channel=CHECKIN, kind="badge_keys.changed", data=BadgeKeysChanged(valid))
