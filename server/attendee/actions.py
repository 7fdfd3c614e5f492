"""Changing registrations."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from server.attendee import queries
from server.attendee.errors import BY_CONSTRAINT, UnknownAttendee
from server.attendee.types import ChangeAttendee, Registration
from server.db import Database
from server.feed import CHECKIN, emit, emit_to_each
from server.feed.types import AttendeeCancelled, TokenReplaced


async def change_attendee(db: Database, event_id: UUID, attendee_id: UUID, change: ChangeAttendee) -> Registration:
    """Cancels a registration or takes that back, and says as whom somebody speaks.

    They hear of it on their own channel, every door and scanner of a cancellation; nobody of a change that changes nothing.
    Raises `UnknownAttendee`, `UnknownSpeaker`, `SpeakerTaken`.
    """
    async with db.tx(BY_CONSTRAINT) as tx:
        before = await queries.lock_registration(tx, event_id, attendee_id)
        if before is None:
            raise UnknownAttendee

        was_cancelled = before.cancelled_at is not None
        cancelled = was_cancelled if change.cancelled is UNSET else change.cancelled
        speaker_id = before.speaker_id if change.speaker_id is UNSET else change.speaker_id
        if (cancelled, speaker_id) == (was_cancelled, before.speaker_id):
            return before

        after = await queries.set_registration(tx, event_id, attendee_id, cancelled=cancelled, speaker_id=speaker_id)
        assert after is not None, "the row is locked"  # noqa: S101 - for the type checker

        if cancelled != was_cancelled:
            data = AttendeeCancelled(attendee_id, cancelled)
            await emit(tx, event_id, channel=CHECKIN, kind="attendee.cancelled", data=data)
        if speaker_id != before.speaker_id:
            since = await queries.get_rights_at(tx, event_id, attendee_id)
            data_of_rights = TokenReplaced(attendee_id, since)
            await emit(tx, event_id, channel=CHECKIN, kind="attendee.rights_changed", data=data_of_rights)
        await emit_to_each(tx, event_id, [attendee_id], kind="registration.changed", data=after)
        return after
