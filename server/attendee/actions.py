"""Changing registrations."""

from __future__ import annotations

from uuid import UUID

from server.attendee import queries
from server.attendee.errors import UnknownAttendee
from server.attendee.types import ChangeAttendee, RegistrationRow
from server.checkin.events import AttendeeCancelled
from server.db import Database
from server.feed import CHECKIN, emit


async def change_attendee(db: Database, event_id: UUID, attendee_id: UUID, change: ChangeAttendee) -> RegistrationRow:
    """Cancels a registration, or takes that back; every door and scanner hears of it. Raises `UnknownAttendee`."""
    async with db.tx() as tx:
        changed = await queries.set_cancelled(tx, event_id, attendee_id, cancelled=change.cancelled)
        if changed is None:
            raise UnknownAttendee
        data = AttendeeCancelled(attendee_id, change.cancelled)
        await emit(tx, event_id, channel=CHECKIN, kind="attendee.cancelled", data=data)
    return changed
