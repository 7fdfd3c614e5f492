"""A browser for the tests of the page, where one is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.reference.chromium import PROGRAMS, Tab, find_chromium, open_tab, running_browser


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the run's one browser takes commands."""
    program = find_chromium()
    if program is None:
        pytest.skip(f"needs a browser: none of {', '.join(PROGRAMS)} is installed")
    async with running_browser(program, tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def tab(browser: str) -> AsyncIterator[Tab]:
    """A page with storage of its own."""
    async with open_tab(browser) as opened:
        yield opened
