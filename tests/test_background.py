"""Work in the background ends with the block that it belongs to, even where a cancellation got lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from server import background
from server.background import in_background
from tests.waiting import PATIENCE, until


class Work:
    """Goes on until it is cancelled so often that it notices, or let go."""

    def __init__(self, deaf_to: int = 0) -> None:
        self.deaf_to = deaf_to
        self.cancelled = 0
        self.let_go = asyncio.Event()

    async def go_on(self) -> None:
        while not self.let_go.is_set():
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                if self.cancelled > self.deaf_to:
                    raise


async def _open_and_close(work: Work, *, failing: bool = False) -> None:
    async with in_background(work.go_on(), name="work"):
        await asyncio.sleep(0)
        assert work.cancelled == 0
        if failing:
            raise RuntimeError("the block")


@pytest.mark.parametrize("deaf_to", [0, 1, 3])
async def test_it_ends_with_its_block(monkeypatch: pytest.MonkeyPatch, deaf_to: int) -> None:
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.001)
    work = Work(deaf_to)
    async with asyncio.timeout(PATIENCE):
        await _open_and_close(work)
    assert work.cancelled == deaf_to + 1


async def test_it_ends_where_the_block_fails() -> None:
    work = Work()
    with pytest.raises(RuntimeError, match="the block"):
        await _open_and_close(work, failing=True)
    assert work.cancelled == 1


async def test_what_has_ended_by_itself_is_not_waited_for() -> None:
    work = Work()
    async with in_background(work.go_on(), name="work"):
        work.let_go.set()
        await asyncio.sleep(0)
    assert work.cancelled == 0


async def test_cancelling_once_would_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken variant, which the first test would notice."""
    monkeypatch.setattr(background, "AGAIN_SECONDS", None)
    work = Work(deaf_to=1)
    closing = asyncio.create_task(_open_and_close(work))
    await until(lambda: work.cancelled)
    done, _ = await asyncio.wait([closing], timeout=0.05)
    assert not done
    work.let_go.set()
    await closing
