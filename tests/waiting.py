"""Waiting until something is so: no test sleeps for a time and hopes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 15
"""Seconds after which something that should have come is reported as missing; nothing is measured by it."""


async def until(condition: Callable[[], object], *, pause: float = 0.002, patience: float = PATIENCE) -> None:
    """Lets the loop run until the condition holds; without a pause it is asked after every turn of the loop."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(pause)


async def until_answered(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Asks until the answer is the wanted one; fails with the last answer if that never comes."""
    answer: object = None
    try:
        async with asyncio.timeout(PATIENCE):
            while (answer := await ask()) != wanted:  # noqa: ASYNC110 - another task or process changes it
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"still {answer!r}, not {wanted!r}") from None
