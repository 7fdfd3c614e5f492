"""The database as the rest of the server sees it: a pool, a transaction, rows as Structs.

Statements are constant text in `queries.py` files. Their columns come in the Struct's order, so a record becomes a Struct by
position; a test prepares every statement and compares the names.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, LiteralString, NamedTuple, TypeAlias, TypeVar

import asyncpg
import msgspec

Tx: TypeAlias = Any
"""An asyncpg connection, in a transaction where something is written. (asyncpg publishes no types.)"""

Refusals: TypeAlias = Mapping[str, Callable[[], Exception]]
"""Name of a constraint → the refusal that its violation stands for."""
NO_REFUSALS: Refusals = MappingProxyType({})

T = TypeVar("T")
logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 10
OLDEST_SUPPORTED = 15


class Patience(NamedTuple):
    """How long a database that does not answer is waited for. A statement that is given up takes as long again to be cancelled
    where nothing answers at all."""

    acquire_seconds: float
    statement_seconds: float


UNHURRIED = Patience(STATEMENT_SECONDS, STATEMENT_SECONDS)
"""For commands, which may have much to do."""
AT_THE_DOOR = Patience(2.0, 3.5)
"""For requests: 9 s at the worst, so that nobody waits longer than 10."""

_JSONB_VERSION = b"\x01"  # jsonb's binary form is this byte and then the text

LOST_CONNECTION = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a statement meets that is sent while the server's last words are still being read
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""What a statement raises when its connection, or the server behind it, is gone. Whether it took effect is then unknown."""


DATABASE_AWAY = (ConnectionError, *(kind for kind in LOST_CONNECTION if kind is not OSError))
"""The same without what a missing file or a full disk raises too: for whoever sees errors of every origin."""


class UnsafeDatabase(Exception):
    """A database that would lose what it has confirmed, or is too old; the message says what to change."""


def encode_json(value: object) -> str:
    """A value for a json parameter."""
    return msgspec.json.encode(value).decode()


async def prepare_connection(connection: Tx) -> None:
    """Makes jsonb travel as Python values. (json stays text: it only passes through.)"""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: _JSONB_VERSION + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
        format="binary",  # COPY takes no other
    )


async def connect(url: str, *, name: str) -> Tx:
    """One connection outside the pool, for a writer or a listener that holds it for life."""
    connection = await _connect(
        url, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS, server_settings=_session_settings(name)
    )
    await prepare_connection(connection)
    return connection


class Telling:
    """What a transaction under way will say when it has committed."""

    __slots__ = ("wanted",)

    def __init__(self) -> None:
        self.wanted = False


_telling: ContextVar[Telling | None] = ContextVar("telling", default=None)


def telling() -> Telling | None:
    """Of the transaction that this task is in; None where PostgreSQL's own notifications do it."""
    return _telling.get()


class Database:
    """A pool of connections to one database."""

    def __init__(
        self, pool: Any, *, acquire_seconds: float = STATEMENT_SECONDS, on_told: Callable[[], None] | None = None
    ) -> None:
        """`acquire_seconds`: how long one waits for a connection while others have them all. `on_told` is called when a
        transaction has committed that had something to tell (`telling`)."""
        self.pool = pool
        self._acquire_seconds = acquire_seconds
        self._on_told = on_told

    @asynccontextmanager
    async def tx(self, refusals: Refusals = NO_REFUSALS) -> AsyncIterator[Tx]:
        """A transaction at READ COMMITTED. Only actions open one.

        Raises what `refusals` has for a constraint that is violated; one of which it knows nothing is a mistake of ours.
        """
        mine = None if self._on_told is None else Telling()
        token = _telling.set(mine)
        try:
            async with self.read() as connection, connection.transaction():
                yield connection
        except asyncpg.IntegrityConstraintViolationError as violation:
            refusal = refusals.get(violation.constraint_name or "")
            if refusal is None:
                raise
            raise refusal() from violation
        finally:
            _telling.reset(token)
        if mine is not None and mine.wanted and self._on_told is not None:
            self._on_told()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A connection for reading, each statement by itself."""
        async with self.pool.acquire(timeout=self._acquire_seconds) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """Several readings of one moment: nothing committed meanwhile shows in only some of them."""
        async with (
            self.read() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection


@asynccontextmanager
async def open_database(
    url: str, *, size: int, name: str, patience: Patience = UNHURRIED, on_told: Callable[[], None] | None = None
) -> AsyncIterator[Database]:
    """A database with `size` connections, closed at the end. `name` is what PostgreSQL shows for them."""
    async with asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=patience.statement_seconds,
        max_inactive_connection_lifetime=0,
        connect=_connect,
        server_settings=_session_settings(name),
        init=prepare_connection,
        # No pooled connection carries session state, so the query that would clean it up is a round trip for nothing.
        reset=_leave_as_it_is,
    ) as pool:
        yield Database(pool, acquire_seconds=patience.acquire_seconds, on_told=on_told)


async def _connect(*where: Any, **options: Any) -> Tx:
    """asyncpg's, for which a socket that is not there yet is a server that is not there.

    Between its death and its next life PostgreSQL removes its Unix socket. Told as a missing file that would look like a mistake
    of ours, not like a database that is away.
    """
    try:
        return await asyncpg.connect(*where, **options)
    except FileNotFoundError as missing:
        raise ConnectionRefusedError(f"PostgreSQL's socket is not there ({missing})") from missing


async def _leave_as_it_is(_connection: Tx) -> None:
    return None


def _session_settings(name: str) -> dict[str, str]:
    return {"application_name": f"digitalnow {name}", "jit": "off", "TimeZone": "UTC"}


async def rows(tx: Tx, shape: type[T], statement: LiteralString, *parameters: object) -> list[T]:
    """All rows as Structs."""
    return [shape(*record) for record in await tx.fetch(statement, *parameters)]


async def row(tx: Tx, shape: type[T], statement: LiteralString, *parameters: object) -> T | None:
    """The only row as a Struct, or None."""
    record = await tx.fetchrow(statement, *parameters)
    return None if record is None else shape(*record)


async def refuse_unsafe(connection: Tx) -> None:
    """Raises `UnsafeDatabase` where a confirmed scan could be lost: the door answers only what will still be there."""
    version = connection.get_server_version().major
    if version < OLDEST_SUPPORTED:
        raise UnsafeDatabase(f"PostgreSQL {version} is too old: {OLDEST_SUPPORTED} or newer is needed.")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        value = await connection.fetchval("SELECT current_setting($1)", setting)
        if value == "off":
            raise UnsafeDatabase(
                f"PostgreSQL runs with {setting} = off and may lose check-ins it has confirmed: "
                f"set {setting} = on and start again."
            )
