"""Work that goes on in the background for as long as something is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

AGAIN_SECONDS = 5.0
"""After which a cancellation is repeated: longer than a database that does not answer is waited for."""


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Lets `work` go on for the length of the block, at whose end it is cancelled and has ended.

    A cancellation can get lost in whatever `work` waits for just then, and work without an end would go on with nobody who
    wants it; so it is cancelled until it ends.
    """
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=AGAIN_SECONDS)
