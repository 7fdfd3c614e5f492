"""How often a process lets strangers try pairing codes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from server.errors import TooManyRequests

WRONG_A_MINUTE = 30
"""Of 34 billion codes: a year of guessing finds one that is valid all year with a chance of 1 in 2,000."""
WINDOW_SECONDS = 60.0
AT_ONCE = 4
"""Codes tried at a time: each costs about 10 ms of a processor, and check-ins need those too."""


class Guesses:
    """Counts the wrong codes of each event. Refused attempts do not count: the way is free a minute after the last wrong one."""

    def __init__(self) -> None:
        self._wrong: dict[UUID, deque[float]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self, event_id: UUID) -> AsyncIterator[None]:
        """The block may try one code. Raises `TooManyRequests`; counted is only what the block reports as wrong."""
        async with self._turns:  # before the look at the count: those who wait must not all find it low
            wrong = self._wrong.get(event_id)
            while wrong and wrong[0] <= time.monotonic() - WINDOW_SECONDS:
                wrong.popleft()
            if wrong and len(wrong) >= WRONG_A_MINUTE:
                raise TooManyRequests("Too many wrong pairing codes were tried at this event; try again in a minute.")
            yield

    def count_wrong(self, event_id: UUID) -> None:
        self._wrong.setdefault(event_id, deque()).append(time.monotonic())
