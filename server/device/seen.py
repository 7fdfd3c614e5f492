"""When each device was last heard of, and which app it is: noted in memory, written together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from server.background import in_background
from server.db import LOST_CONNECTION, Database
from server.device import queries

logger = logging.getLogger(__name__)

WRITE_SECONDS = 5.0
GOODBYE_SECONDS = 2.0
"""How long a stopping process tries to write what it has noted: a database that is away must not hold it up."""
APP_LENGTH = 200

Note = tuple[float, str | None]
"""When, by the process's own clock, and the User-Agent."""


class Seen:
    """One process's notes. They are no evidence: those of the last seconds before a crash are lost."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._notes: dict[tuple[UUID, UUID], Note] = {}

    def note(self, event_id: UUID, device_id: UUID, user_agent: str | None) -> None:
        """This device has just sent a request. It is called for every scan: what it costs, they cost."""
        self._notes[event_id, device_id] = (time.monotonic(), user_agent)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Seen]:
        """Writes every few seconds for the length of the block, and once more at its end."""
        try:
            async with in_background(self._keep_writing(), name="devices seen"):
                yield self
        finally:
            try:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self.write()
            except LOST_CONNECTION as error:
                logger.warning("could not write when devices were last seen (%r)", error)

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            try:
                await self.write()
            except LOST_CONNECTION as error:
                logger.warning("cannot write when devices were last seen (%r); trying again", error)
            except Exception:
                logger.exception("writing when devices were last seen failed in a way nobody foresaw")

    async def write(self) -> None:
        """Writes what has been noted. What could not be written is noted still."""
        notes, self._notes = self._notes, {}
        if not notes:
            return
        now = time.monotonic()
        try:
            async with self._db.read() as connection:
                await queries.mark_seen(
                    connection,
                    event_ids=[event_id for event_id, _ in notes],
                    device_ids=[device_id for _, device_id in notes],
                    ages=[now - at for at, _ in notes.values()],
                    apps=[as_app(user_agent) for _, user_agent in notes.values()],
                )
        except BaseException:  # a cancelled writing, too, may not have happened
            self._notes = notes | self._notes
            raise


def as_app(user_agent: str | None) -> str | None:
    """What is stored of a User-Agent; None where it says nothing."""
    return (user_agent or "").replace("\x00", "").strip()[:APP_LENGTH] or None
