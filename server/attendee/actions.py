"""Changing registrations."""

from __future__ import annotations

from uuid import UUID

from server.attendee import queries
from server.attendee.errors import UnknownAttendee
from server.attendee.types import ChangeAttendee, Registration
from server.checkin.events import AttendeeCancelled
from server.db import Database
from server.feed import CHECKIN, emit


async def change_attendee(db: Database, event_id: UUID, attendee_id: UUID, change: ChangeAttendee) -> Registration:
    """Cancels a registration, or takes that back. Every door and scanner hears of it, unless it changes nothing.

    Raises `UnknownAttendee`.
    """
    async with db.tx() as tx:
        before = await queries.lock_registration(tx, event_id, attendee_id)
        if before is None:
            raise UnknownAttendee
        if change.cancelled == (before.cancelled_at is not None):
            return before
        since = await queries.set_cancelled(tx, event_id, attendee_id, cancelled=change.cancelled)
        data = AttendeeCancelled(attendee_id, change.cancelled)
        await emit(tx, event_id, channel=CHECKIN, kind="attendee.cancelled", data=data)
    return Registration(id=attendee_id, cancelled_at=since)
