"""`schema.sql` keeps what its first lines promise, and `migrate` refuses in one sentence what it must not touch."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from server.db import UnsafeDatabase
from server.migrate import SCHEMA_VERSION, SchemaRefused, fingerprint_of, migrate, schema_text, ticket_key
from tests.contract import catalog
from tests.contract.statements import SERVER, all_statements, copies
from tests.databases import administer, new_database

KEYLESS = {"digitalnow_installation"}
"""The table that belongs to no event: it says what the database is."""

OF_ITS_OWN = {
    ("event", "event_slug"): ["slug"],
    ("search_entry", "search_entry_by_head"): ["head"],
    ("search_entry", "search_entry_by_whole"): ["whole"],
}
"""The one key that finds an event, and so cannot begin with it; two indexes of words, in which each word begins with it."""

UNREAD = {
    "only_one": "its constraint is its use: it keeps the table at one row",
    "created_at": "written by its default, for the eyes of an operator who asks since when",
}
"""Columns no statement names, with the reason."""

KEYS = """
    SELECT relation.relname AS table, named.relname AS name, indexing.indisunique AS unique,
           ARRAY(
               SELECT attribute.attname::text
               FROM unnest(indexing.indkey::int2[]) WITH ORDINALITY AS part (number, place)
               JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid AND attribute.attnum = part.number
               ORDER BY part.place
           ) AS columns, pg_get_indexdef(indexing.indexrelid) AS definition
    FROM pg_index AS indexing
    JOIN pg_class AS relation ON relation.oid = indexing.indrelid
    JOIN pg_class AS named ON named.oid = indexing.indexrelid
    WHERE relation.relnamespace = 'public'::regnamespace
"""

LIMITS = """
    SELECT relation.relname AS table, limiting.conname AS name, limiting.contype::text AS kind,
           limiting.confrelid::regclass::text AS target,
           ARRAY(
               SELECT attribute.attname::text
               FROM unnest(limiting.conkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_attribute AS attribute ON attribute.attrelid = limiting.conrelid AND attribute.attnum = part.number
               ORDER BY part.place
           ) AS columns,
           ARRAY(
               SELECT attribute.attname::text
               FROM unnest(limiting.confkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_attribute AS attribute ON attribute.attrelid = limiting.confrelid AND attribute.attnum = part.number
               ORDER BY part.place
           ) AS target_columns
    FROM pg_constraint AS limiting
    JOIN pg_class AS relation ON relation.oid = limiting.conrelid
    WHERE relation.relnamespace = 'public'::regnamespace AND limiting.contype <> 'n'
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def everything(url: str) -> tuple[list[str], dict[str, list[str]]]:
    async with connected(url) as connection:
        return await catalog.structure(connection), await catalog.rows(connection)


async def test_schema_makes_an_empty_database_ours(empty_anywhere: str) -> None:
    assert await migrate(empty_anywhere, durable=False) is True

    structure, rows = await everything(empty_anywhere)
    assert "r scan" in structure
    assert "plpgsql" in structure
    (installation,) = rows.pop("digitalnow_installation")
    assert f",{SCHEMA_VERSION},{fingerprint_of(schema_text())}," in installation
    assert not any(rows.values()), "a new database holds no data"


async def test_schema_needs_no_extension(empty_anywhere: str) -> None:
    await migrate(empty_anywhere, durable=False)
    async with connected(empty_anywhere) as connection:
        assert await connection.fetch(catalog.EXTENSIONS) == [("plpgsql",)]


async def test_schema_is_the_same_on_the_oldest_and_the_newest_postgres(postgres: str, oldest_postgres: str) -> None:
    found = []
    for server in (postgres, oldest_postgres):
        async with new_database(server) as url, connected(url) as connection:
            await migrate(url, durable=False)
            found.append(await catalog.structure(connection))
    assert found[0] == found[1]


async def test_migrate_again_touches_nothing(database_url: str) -> None:
    before = await everything(database_url)
    assert await migrate(database_url, durable=False) is False
    assert await everything(database_url) == before


async def test_schema_applied_again_by_hand_touches_nothing(database_url: str) -> None:
    before = await everything(database_url)
    async with connected(database_url) as connection:
        await connection.execute(schema_text())
    assert await everything(database_url) == before


async def test_an_update_that_writes_the_same_values_is_noticed(database_url: str) -> None:
    """The comparison of the two tests above catches a schema that touches rows."""
    before = await everything(database_url)
    await administer(database_url, "UPDATE event SET slug = slug")
    assert await everything(database_url) != before


async def test_schema_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    before = await everything(empty_database_url)
    failing = schema_text().replace("COMMIT;", "SELECT 1 / 0; COMMIT;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await administer(empty_database_url, failing)
    assert await everything(empty_database_url) == before


async def test_servers_that_start_at_once_all_find_a_whole_database(empty_anywhere: str) -> None:
    await asyncio.gather(*(migrate(empty_anywhere, durable=False) for _ in range(6)))

    keys = {await ticket_key(empty_anywhere) for _ in range(2)}
    assert len(keys) == 1
    assert await migrate(empty_anywhere, durable=False) is False


async def apply_while_another_is_at_it(url: str, schema: str) -> None:
    """The second of two runs of the schema, begun while the first had made everything and not yet committed."""
    async with connected(url) as first, connected(url) as second, connected(url) as observer:
        await first.execute(schema.replace("COMMIT;", ""))
        applying = asyncio.create_task(second.execute(schema))
        waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
        while not await observer.fetchval(waiting, second.get_server_pid()):
            assert not applying.done(), "the second run did not wait for the first"
            await asyncio.sleep(0.001)
        await first.execute("COMMIT")
        await applying


async def test_the_second_of_two_runs_waits_for_the_first(empty_database_url: str) -> None:
    await apply_while_another_is_at_it(empty_database_url, schema_text())
    assert await migrate(empty_database_url, durable=False) is False


async def test_two_runs_without_the_lock_get_into_each_others_way(empty_database_url: str) -> None:
    """IF NOT EXISTS alone does not make two runs safe: the lock of the first line does."""
    unlocked = re.sub(r"SELECT pg_advisory_xact_lock\(\d+\);", "", schema_text())
    assert unlocked != schema_text()
    with pytest.raises(asyncpg.UniqueViolationError):
        await apply_while_another_is_at_it(empty_database_url, unlocked)


async def refused(url: str, *, durable: bool = False) -> str:
    """The sentence with which `migrate` refuses the database, which it must leave as it is."""
    before = await everything(url)
    with pytest.raises((SchemaRefused, UnsafeDatabase)) as refusal:
        await migrate(url, durable=durable)
    assert await everything(url) == before, "a refused database was touched"
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


async def test_a_newer_database_is_refused(database_url: str) -> None:
    newer = SCHEMA_VERSION + 1
    await administer(database_url, "UPDATE digitalnow_installation SET schema_version = schema_version + 1")
    sentence = await refused(database_url)
    assert sentence.startswith("Update the server: ")
    assert f"schema version {newer}, newer than this release's {SCHEMA_VERSION}" in sentence


async def test_a_newer_database_is_refused_by_the_schema_itself(database_url: str) -> None:
    await administer(database_url, "UPDATE digitalnow_installation SET schema_version = schema_version + 1")
    before = await everything(database_url)
    with pytest.raises(asyncpg.PostgresError, match="newer than this release's"):
        await administer(database_url, schema_text())
    assert await everything(database_url) == before


async def test_a_database_of_something_else_is_refused(empty_database_url: str) -> None:
    for kind, made in (
        ("TABLE", "TABLE wordpress_posts (id integer)"),
        ("TABLE", "TABLE event (id integer)"),
        ("TABLE", "TABLE measurement (at date) PARTITION BY RANGE (at)"),
        ("VIEW", "VIEW report AS SELECT 1 AS one"),
        ("MATERIALIZED VIEW", "MATERIALIZED VIEW report AS SELECT 1 AS one"),
    ):
        await administer(empty_database_url, f"CREATE {made}")
        assert await refused(empty_database_url) == (
            "Give the server a database of its own: the database already holds tables of something else."
        )
        await administer(empty_database_url, f"DROP {kind} {made.removeprefix(kind).split()[0]}")


async def test_a_database_of_another_unreleased_state_is_refused(database_url: str) -> None:
    await administer(database_url, "UPDATE digitalnow_installation SET fingerprint = 'another'")
    assert "another unreleased state" in await refused(database_url)


async def test_a_database_whose_description_is_lost_is_refused(database_url: str) -> None:
    """A dump of the schema alone, played back, has every table and no row that says what they are."""
    await administer(database_url, "DELETE FROM digitalnow_installation")
    await refused(database_url)


async def test_a_database_that_may_lose_what_it_confirms_is_refused(empty_database_url: str) -> None:
    sentence = await refused(empty_database_url, durable=True)
    assert "= on and start again" in sentence


def test_a_comment_does_not_make_another_state() -> None:
    schema = schema_text()
    assert fingerprint_of(schema + "\n-- one more word\n") == fingerprint_of(schema)
    assert fingerprint_of(schema.replace("    ", " ")) == fingerprint_of(schema)
    assert fingerprint_of(schema.replace("bigint", "integer")) != fingerprint_of(schema)


@pytest.fixture
async def stranger(any_postgres: str) -> AsyncIterator[str]:
    """A user without rights."""
    await administer(any_postgres, "CREATE ROLE stranger LOGIN")
    yield "stranger"
    await administer(any_postgres, "DROP ROLE stranger")


def as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}"))


async def test_a_user_who_may_not_create_tables_is_told_so(any_postgres: str, stranger: str) -> None:
    async with new_database(any_postgres) as url:
        assert (await refused(as_user(url, stranger))).startswith(
            "Give the database's user the right to create tables: "
        )


async def test_a_user_who_may_only_write_rows_can_use_what_another_has_made(any_postgres: str, stranger: str) -> None:
    async with new_database(any_postgres) as url:
        await migrate(url, durable=False)
        await administer(url, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {stranger}")
        assert await migrate(as_user(url, stranger), durable=False) is False
        await administer(url, f"DROP OWNED BY {stranger}")


def keys_of_no_event(keys: Iterable[Any]) -> list[str]:
    """Primary keys, unique keys and indexes whose first column is not the event."""
    return [
        f"{key['table']}.{key['name']} begins with {next(iter(key['columns']), key['definition'])}"
        for key in keys
        if key["table"] not in KEYLESS
        and key["columns"][:1] != ["event_id"]
        and not (key["columns"] == [] and "(ROW(event_id, " in key["definition"])
        and OF_ITS_OWN.get((key["table"], key["name"])) != key["columns"]
    ]


def references_across_events(limits: Iterable[Any]) -> list[str]:
    """Foreign keys that could lead from one event into another."""
    return [
        f"{limit['table']}.{limit['name']}"
        for limit in limits
        if limit["kind"] == "f" and not limit["columns"][0] == limit["target_columns"][0] == "event_id"
    ]


def meaningless_names(limits: Iterable[Any]) -> list[str]:
    """Names that PostgreSQL made up: an answer cannot be chosen by `session_check1`. A plain parent may keep its own."""
    return [
        f"{limit['table']}.{limit['name']}"
        for limit in limits
        if not (limit["kind"] == "f" and limit["columns"] == ["event_id"])
        and limit["name"].rstrip("0123456789") == _made_up(limit["table"], limit["kind"], limit["columns"])
    ]


def _made_up(table: str, kind: str, columns: list[str]) -> str | None:
    """How PostgreSQL calls a constraint of these columns, but for a number behind it."""
    suffix = {"c": "check", "u": "key", "f": "fkey", "x": "excl"}.get(kind)
    named = columns if kind != "c" or len(columns) == 1 else []
    return "_".join([table, *named, suffix]) if suffix else None


class Facts(NamedTuple):
    """What the catalog of a fresh database says."""

    keys: list[Any]
    limits: list[Any]
    columns: list[tuple[str, str]]
    """Table and name."""


@pytest.fixture(scope="module")
async def facts(postgres: str) -> Facts:
    async with new_database(postgres) as url, connected(url) as connection:
        await migrate(url, durable=False)
        columns = await connection.fetch(
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'"
        )
        return Facts(
            await connection.fetch(KEYS), await connection.fetch(LIMITS), [tuple(column) for column in columns]
        )


def test_every_key_begins_with_the_event(facts: Facts) -> None:
    assert keys_of_no_event(facts.keys) == []
    assert references_across_events(facts.limits) == []


def test_every_table_has_a_key(facts: Facts) -> None:
    assert {key["table"] for key in facts.keys if key["unique"]} == {table for table, _ in facts.columns}


def test_every_constraint_is_named_by_its_meaning(facts: Facts) -> None:
    assert meaningless_names(facts.limits) == []


async def test_careless_tables_are_noticed(database_url: str) -> None:
    await administer(
        database_url,
        "CREATE TABLE vote (vote_id uuid PRIMARY KEY, event_id uuid REFERENCES event, code text UNIQUE,"
        " stars integer CHECK (stars > 0), room_event uuid, room_id uuid,"
        " FOREIGN KEY (room_event, room_id) REFERENCES room)",
        "CREATE INDEX vote_by_stars ON vote (stars)",
    )
    async with connected(database_url) as connection:
        keys, limits = await connection.fetch(KEYS), await connection.fetch(LIMITS)
    assert len(keys_of_no_event(keys)) == 3
    assert references_across_events(limits) == ["vote.vote_room_event_room_id_fkey"]
    assert sorted(meaningless_names(limits)) == [
        "vote.vote_code_key",
        "vote.vote_room_event_room_id_fkey",
        "vote.vote_stars_check",
    ]


def constraints_spoken_of(sources: Iterable[str]) -> set[str]:
    """The constraints that the code translates: compared with `constraint_name`, or a key of `BY_CONSTRAINT`."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Compare) and "constraint_name" in ast.unparse(node.left):
                found |= {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            if isinstance(node, ast.Assign | ast.AnnAssign) and "BY_CONSTRAINT" in ast.unparse(node).split("=")[0]:
                found |= {key.value for key in getattr(node.value, "keys", ()) if isinstance(key, ast.Constant)}
    return {name for name in found if isinstance(name, str)}


def test_every_constraint_the_code_speaks_of_exists(facts: Facts) -> None:
    spoken_of = constraints_spoken_of(path.read_text("utf-8") for path in SERVER.rglob("*.py"))
    assert "session_room" in spoken_of
    assert spoken_of - {limit["name"] for limit in facts.limits} - {key["name"] for key in facts.keys} == set()


def test_a_constraint_that_was_renamed_is_noticed() -> None:
    source = 'if error.constraint_name == "old_name":\n    raise\nBY_CONSTRAINT: dict[str, type] = {"older_name": X}\n'
    assert constraints_spoken_of([source]) == {"old_name", "older_name"}


def unused(columns: Iterable[tuple[str, str]], users: Iterable[tuple[set[str], set[str]]]) -> list[str]:
    """Columns no statement or COPY that speaks of their table names. `users`: tables spoken of, columns spoken of."""
    spoken = list(users)
    return [
        f"{table}.{column}"
        for table, column in columns
        if column not in UNREAD and not any(table in tables and column in words for tables, words in spoken)
    ]


def test_every_table_and_column_has_a_user(facts: Facts) -> None:
    users = [(statement.words(), statement.words()) for statement in all_statements()]
    users += [({table}, columns) for table, columns in copies()]
    assert unused(facts.columns, users) == []
    assert unused([("scan", "mood"), ("vote", "stars")], users) == ["scan.mood", "vote.stars"], "a broken variant"
