"""What else devices and organizers ask while the door is under load: whether it answers, and how long it takes."""

from __future__ import annotations

import asyncio
import random
import types
from collections import Counter
from datetime import UTC, datetime
from typing import Self

from loadtests import checkins
from loadtests.generator import now
from loadtests.line import Line, Place, request_for
from loadtests.scanner_network import encode
from loadtests.witness import Venue

PAUSE_SECONDS = 0.5
LINES = 4
"""Connections for each kind: enough to meet every process."""
PATIENCE_SECONDS = 15.0
UPLOADED = 3
KINDS = ("lists", "search", "batch")


class Beside:
    """Asks everything again and again for the length of the block, and once more at its end."""

    def __init__(self, server: Place, venue: Venue, seed: int) -> None:
        self.requests = 0
        self.failed = 0
        self.unhelpful = 0
        """Those that were answered neither with 200 nor with 503, or not at all."""
        self.longest = 0.0
        self.slowest = ""
        """What took so long."""
        self.broken: set[str] = set()
        """What was not answered with 200 at the end."""
        self._reasons: Counter[str] = Counter()
        self._server = server
        self._venue = venue
        self._random = random.Random(f"beside {seed}")  # not the ids that the door draws from the same seed
        self._over = asyncio.Event()
        self._asking: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._asking = [asyncio.create_task(self._keep_asking(kind)) for kind in KINDS for _ in range(LINES)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._over.set()
        await asyncio.gather(*self._asking)

    def reasons(self) -> str:
        """What was answered instead of 200, by kind."""
        return "; ".join(f"{count} × {reason}" for reason, count in self._reasons.most_common(4))

    async def _keep_asking(self, kind: str) -> None:
        line = Line(self._server)
        while not self._over.is_set():
            await self._ask(line, kind)
            await asyncio.sleep(PAUSE_SECONDS)
        if await self._ask(line, kind) != "200":
            self.broken.add(kind)
        line.close()

    async def _ask(self, line: Line, kind: str) -> str:
        began = now()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, _ = await line.exchange(self._request(kind))
                said = status.decode("ascii", "replace")
        except (OSError, EOFError) as error:  # a time-out is an OSError too
            line.close()
            said = type(error).__name__
        self.requests += 1
        if now() - began > self.longest:
            self.longest, self.slowest = now() - began, kind
        if said != "200":
            self.failed += 1
            self.unhelpful += said != "503"
            self._reasons[f"{kind} {said}"] += 1
        return said

    def _request(self, kind: str) -> bytes:
        device = next(iter(self._venue.devices.values()))
        if kind == "lists":
            return request_for("GET", f"{self._venue.path}/checkins/lists", self._venue.organizer)
        if kind == "search":
            return request_for("GET", f"{self._venue.path}/checkins/search?q=moh", self._venue.organizer)
        scans = [
            {
                "scan_id": checkins.scan_id(self._random),
                "list": "main",
                "code": "NOBODY" + self._random.choice(self._venue.codes),
                "scanned_at": datetime.now(UTC),
            }
            for _ in range(UPLOADED)
        ]
        return request_for("POST", f"{self._venue.path}/checkins/batch", device, encode({"scans": scans}))
