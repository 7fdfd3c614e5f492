"""Several writers side by side: while one batch is being flushed to disk, another one is on its way.

A person's scans always go through the same writer, so they are answered in the order of arrival, as with one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from server.checkin.types import LoggedScan, Scan
from server.checkin.writer import MAX_WAITING, Connect, Writer


class Writers:
    """The door's way into the log."""

    def __init__(self, connect: Connect, *, count: int) -> None:
        """`count` connections share what one writer may let wait."""
        self._writers = [Writer(connect, max_waiting=MAX_WAITING // count) for _ in range(count)]

    @property
    def depth(self) -> int:
        """How many scans wait for their turn."""
        return sum(writer.depth for writer in self._writers)

    @property
    def batches(self) -> int:
        """Batches committed."""
        return sum(writer.batches for writer in self._writers)

    @property
    def written(self) -> int:
        """Scans answered by the log."""
        return sum(writer.written for writer in self._writers)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Writers]:
        """Writes in the background for the length of the block; what waits at its end is still written."""
        async with AsyncExitStack() as stack:
            for writer in self._writers:
                await stack.enter_async_context(writer.run())
            yield self

    def submit(self, scan: Scan) -> asyncio.Future[LoggedScan]:
        """As `Writer.submit`."""
        return self._writers[hash(scan.attendee_id or scan.scan_id) % len(self._writers)].submit(scan)
