"""The servers and empty databases on which the contract with PostgreSQL is tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from server.config import Settings
from server.embedded import EmbeddedPostgres, binaries
from tests.conftest import Demo, running_api
from tests.databases import TEMPLATE, new_database

OLDEST = binaries.OLDEST


@pytest.fixture(scope="session")
def oldest_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of the oldest PostgreSQL that is promised, from the system's programs."""
    programs = binaries.system_folder(OLDEST)
    if programs is None:
        pytest.skip(f"PostgreSQL {OLDEST} is not installed in {binaries.SYSTEM}")
    with EmbeddedPostgres(tmp_path_factory.mktemp("oldest"), durable=False) as server:
        with (
            pytest.MonkeyPatch.context() as environment
        ):  # for the start alone: other tests of the run look for programs too
            environment.setenv("DIGITALNOW_PG_BIN", str(programs))
            dsn = server.start()
        yield dsn


@pytest.fixture(scope="session", params=["newest", "oldest"])
def any_postgres(request: pytest.FixtureRequest) -> str:
    """Each of the PostgreSQL versions at hand in turn."""
    dsn: str = request.getfixturevalue("postgres" if request.param == "newest" else "oldest_postgres")
    return dsn


@pytest.fixture
async def empty_anywhere(any_postgres: str) -> AsyncIterator[str]:
    """An empty database on each of them."""
    async with new_database(any_postgres) as url:
        yield url


@pytest.fixture(scope="module")
async def api(
    postgres: str, template: Demo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API that all tests of a file share: what these ask leaves nothing that another would see."""
    async with new_database(postgres, template=TEMPLATE) as url:
        settings = Settings(database_url=url, data_dir=tmp_path_factory.mktemp("api"), durable=False, drain_seconds=0.2)
        async with running_api(settings) as base, httpx.AsyncClient(base_url=base) as client:
            yield client
