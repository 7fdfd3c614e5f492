"""Changing the programme."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from server.db import Database
from server.feed import emit
from server.feed.types import SCHEDULE
from server.schedule import queries
from server.schedule.errors import UnknownSession, translate
from server.schedule.policy import apply_change, differences
from server.schedule.types import ChangeSession, SessionChanged, SessionRow
from server.schedule.views import in_all_languages


async def change_session(db: Database, event_id: UUID, session_id: UUID, change: ChangeSession) -> SessionRow:
    """Moves, delays, cancels or rewrites a session and tells the feed; a change that changes nothing tells nobody.

    Raises `UnknownSession`, `UnknownRoom`, `UnknownTrack`, `InvalidRequest`.
    """
    try:
        async with db.tx() as tx:
            await queries.lock_version(tx, event_id)
            before = await queries.get_session(tx, event_id, session_id)
            if before is None:
                raise UnknownSession

            after = apply_change(before, change)
            changed = differences(before, after)
            if not changed:
                return before

            await queries.update_session(tx, event_id, session=after)
            version = await queries.advance_version(tx, event_id)

            data = SessionChanged(
                version=version.version if version else 0, session=in_all_languages(after), changed=changed
            )
            await emit(tx, event_id, channel=SCHEDULE, kind="session.changed", data=data)
            return after
    except asyncpg.IntegrityConstraintViolationError as error:
        raise translate(error) from error
