"""The background task that publishes and expires announcements when their time has come.

Every process has one. When something is due says the database's clock; that it happens once says the row's lock
(`actions.take_due_step`). Each looks at least once a second, so one that has died is made up for by the others, and what fell
into a time when there was none is done when there is one again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from server.announcement import queries
from server.announcement.actions import take_due_step
from server.background import in_background
from server.db import LOST_CONNECTION, Database

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at most; what becomes due in between is waited for, to the millisecond."""
REST_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""How long one that failed is left alone, by how often it has: it shall fill neither the log nor the others' time."""


class Clock:
    """The background task of one process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._woken = asyncio.Event()
        self._failed: dict[tuple[UUID, UUID], tuple[int, float]] = {}
        """How often a step failed, and until when, by the loop's time, its announcement is left alone."""
        self.looks = 0

    def wake(self) -> None:
        """Something may be due earlier than was known."""
        self._woken.set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Clock]:
        """Goes on in the background for the length of the block. A step that is under way at its end is not taken."""
        async with in_background(self._keep_looking(), name="announcement clock"):
            yield self

    async def _keep_looking(self) -> None:
        while True:
            try:
                seconds = await self.look()
            except LOST_CONNECTION as error:
                logger.warning("cannot look which announcements are due (%r); trying again", error)
                seconds = LOOK_SECONDS
            except Exception:
                logger.exception("looking which announcements are due failed in a way nobody foresaw")
                seconds = LOOK_SECONDS
            try:
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
            except TimeoutError:
                pass  # the next look
            self._woken.clear()

    async def look(self) -> float:
        """Takes every step that is due; returns how many seconds to wait for the next, `LOOK_SECONDS` at most.

        Raises one of `LOST_CONNECTION` where the database is away; what was due stays so.
        """
        async with self._db.read() as connection:
            coming = await queries.list_due(connection, within_seconds=LOOK_SECONDS)
        due = [row for row in coming if row.milliseconds <= 0]
        self._failed = {
            key: self._failed[key] for row in due if (key := (row.event_id, row.announcement_id)) in self._failed
        }
        for row in due:
            await self._take_step(row.event_id, row.announcement_id)
        self.looks += 1
        return min([LOOK_SECONDS, *(row.milliseconds / 1000 for row in coming if row.milliseconds > 0)])

    async def _take_step(self, event_id: UUID, announcement_id: UUID) -> None:
        now = asyncio.get_running_loop().time()
        failures, rests_until = self._failed.get((event_id, announcement_id), (0, now))
        if rests_until > now:
            return
        try:
            await take_due_step(self._db, event_id, announcement_id)
        except Exception as error:
            if isinstance(error, LOST_CONNECTION) and not isinstance(error, TimeoutError):
                raise  # nothing of this one's; a time-out may be: somebody may hold its channel and not let go
            logger.exception("the next step of announcement %s failed; the others go on", announcement_id)
            rest = REST_SECONDS[min(failures, len(REST_SECONDS) - 1)]
            self._failed[event_id, announcement_id] = (failures + 1, now + rest)
