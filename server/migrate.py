"""Brings a database to this release's schema, or says in one sentence why it will not."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import asyncpg

from server.db import connect, refuse_unsafe

SCHEMA_VERSION = 1

GET_INSTALLATION = "SELECT schema_version, fingerprint FROM digitalnow_installation"
SET_FINGERPRINT = "UPDATE digitalnow_installation SET fingerprint = $1 WHERE fingerprint IS NULL"
GET_TICKET_KEY = "SELECT ticket_key FROM digitalnow_installation"
IS_INSTALLED = "SELECT to_regclass('digitalnow_installation') IS NOT NULL"


class SchemaRefused(Exception):
    """The database is not one this release may use; the message says what to do."""


def schema_text() -> str:
    """`schema.sql`: beside the package in a checkout, inside it once installed."""
    here = Path(__file__).parent
    path = next(path for path in (here / "schema.sql", here.parent / "schema.sql") if path.exists())
    return path.read_text(encoding="utf-8")


def fingerprint_of(schema: str) -> str:
    """A digest that stays the same when only comments or white space change."""
    bare = re.sub(r"--[^\n]*", "", schema)
    return hashlib.sha256(" ".join(bare.split()).encode()).hexdigest()


async def migrate(url: str, *, durable: bool = True) -> bool:
    """Applies the schema where it is missing; True where it was. Safe to run again and by several servers at once.

    Raises `SchemaRefused` for a database that is newer, foreign or of an unreleased state, `UnsafeDatabase` (only if
    `durable`) for one that could lose what it confirmed.
    """
    connection = await connect(url, name="migrate")
    try:
        if durable:
            await refuse_unsafe(connection)
        schema = schema_text()
        was_missing = not await connection.fetchval(IS_INSTALLED)
        try:
            installed = None if was_missing else await connection.fetchrow(GET_INSTALLATION)
            if not was_missing and installed is None:
                raise SchemaRefused(
                    "The database has lost the row that describes it: restore it whole, or use an empty one."
                )
            if installed is None or installed["schema_version"] > SCHEMA_VERSION:
                await connection.execute(schema)
        except asyncpg.PostgresError as error:
            raise _refusal(error) from None
        await connection.execute(SET_FINGERPRINT, fingerprint_of(schema))
        version, fingerprint = await connection.fetchrow(GET_INSTALLATION)
        if version == SCHEMA_VERSION and fingerprint != fingerprint_of(schema):
            raise SchemaRefused(
                "The database was made by another unreleased state of this version: "
                "use an empty database or another --data-dir."
            )
        return was_missing
    finally:
        await connection.close()


async def ticket_key(url: str) -> bytes:
    """The key that signs the feed's tickets."""
    connection = await connect(url, name="ticket key")
    try:
        return bytes(await connection.fetchval(GET_TICKET_KEY))
    finally:
        await connection.close()


def _refusal(error: BaseException) -> BaseException:
    state = getattr(error, "sqlstate", None)
    if state == "DN001":
        return SchemaRefused(f"Update the server: {error}.")
    if state == "DN002":
        return SchemaRefused(f"Give the server a database of its own: {error}.")
    if state == "42501":
        return SchemaRefused(f"Give the database's user the right to create tables: {error}.")
    return error
