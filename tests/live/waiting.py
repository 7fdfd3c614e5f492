"""Waiting until something is so: no test sleeps for a time and hopes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 15
"""Seconds after which something that should have come is reported as missing; nothing is measured by it."""


async def until(condition: Callable[[], object], *, pause: float = 0.002) -> None:
    """Lets the loop run until the condition holds; without a pause it is asked after every turn of the loop."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(pause)
