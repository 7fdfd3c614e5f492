"""A database that is away is called away, however that shows."""

from __future__ import annotations

from typing import Any

import pytest

from server.db import DATABASE_AWAY, Database


class NoSocket:
    """The pool of a PostgreSQL whose socket is gone: it is being started again."""

    async def acquire(self, **options: float) -> Any:
        raise FileNotFoundError(2, f"No such file: {options}")


@pytest.mark.parametrize("how", ["read", "tx", "snapshot"])
async def test_a_socket_that_is_not_there_is_a_database_that_is_away(how: str) -> None:
    with pytest.raises(DATABASE_AWAY):
        async with getattr(Database(NoSocket()), how)():
            pass


async def test_a_file_that_is_not_there_is_none() -> None:
    """What goes wrong inside the block keeps its name."""

    class Pool:
        async def acquire(self, **options: float) -> Any:
            return options

        async def release(self, _connection: Any) -> None:
            return None

    with pytest.raises(FileNotFoundError):
        async with Database(Pool()).read():
            raise FileNotFoundError
