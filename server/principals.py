"""Whom a token stands for: each kind is looked up where its noun keeps it."""

from __future__ import annotations

from uuid import UUID

from server.attendee.queries import get_attendee_by_token
from server.auth import Kind, Principal, hash_token
from server.db import Database
from server.device.queries import get_device_by_token
from server.event.queries import get_organizer_by_token
from server.exhibitor.queries import get_staff_by_token

_LOOKUPS = {
    "organizer": get_organizer_by_token,
    "device": get_device_by_token,
    "exhibitor": get_staff_by_token,
    "attendee": get_attendee_by_token,
}


class Principals:
    """Finds the holder of a token in one event; a token of another event is as good as none."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, event_id: UUID, kind: Kind, token: str) -> Principal | None:
        """None for an unknown or revoked token."""
        async with self._db.read() as connection:
            return await _LOOKUPS[kind](connection, event_id, token_hash=hash_token(token))
