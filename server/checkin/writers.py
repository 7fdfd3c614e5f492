"""Several writers side by side: while one batch is being flushed to disk, another one is on its way.

A person's scans always go through the same writer, so they are answered in the order of arrival, as with one. Lists that are
counted have a writer of their own, because their batches lock the counts; so have uploads, because people who stand at a door
go before scans that have waited in a phone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from server.checkin.types import LoggedScan, Scan
from server.checkin.writer import MAX_WAITING, Connect, OnWritten, Results, Writer, ignore
from server.errors import Overloaded

UPLOAD_BATCH = 512
"""One upload of the largest size is one batch."""


class Writers:
    """The door's way into the log."""

    def __init__(self, connect: Connect, *, count: int, on_written: OnWritten = ignore) -> None:
        """`count` connections for questions share what one writer may let wait; two more as said above."""
        waiting = MAX_WAITING // count
        self._online = [Writer(connect, max_waiting=waiting, on_written=on_written) for _ in range(count)]
        self._counted = Writer(connect, on_written=on_written)
        self._uploads = Writer(connect, max_batch=UPLOAD_BATCH, max_waiting=2 * MAX_WAITING, on_written=on_written)
        self._all = [*self._online, self._counted, self._uploads]

    @property
    def depth(self) -> int:
        """How many scans wait for their turn."""
        return sum(writer.depth for writer in self._all)

    @property
    def batches(self) -> int:
        """Batches committed."""
        return sum(writer.batches for writer in self._all)

    @property
    def written(self) -> int:
        """Scans answered by the log."""
        return sum(writer.written for writer in self._all)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Writers]:
        """Writes in the background for the length of the block; what waits at its end is still written."""
        async with AsyncExitStack() as stack:
            for writer in self._all:
                await stack.enter_async_context(writer.run())
            yield self

    def submit(self, scan: Scan) -> asyncio.Future[LoggedScan]:
        """As `Writer.submit`."""
        if scan.counted:
            return self._counted.submit(scan)
        return self._online[hash(scan.attendee_id or scan.scan_id) % len(self._online)].submit(scan)

    async def submit_all(self, scans: Sequence[Scan], deadline: float) -> Results:
        """As `Writer.submit_all`, and waits. A part whose writer is overloaded is `Overloaded`; the rest goes through."""
        counted = [place for place, scan in enumerate(scans) if scan.counted]
        others = [place for place, scan in enumerate(scans) if not scan.counted]
        results: dict[int, LoggedScan | Exception] = {}
        pending = []
        for writer, places in ((self._counted, counted), (self._uploads, others)):
            try:
                pending.append((places, writer.submit_all([scans[place] for place in places], deadline)))
            except Overloaded as error:
                results |= dict.fromkeys(places, error)
        for places, answers in pending:
            results |= dict(zip(places, await answers, strict=True))
        return [results[place] for place in range(len(scans))]
