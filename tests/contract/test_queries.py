"""Every SQL statement of the server against the schema: PostgreSQL takes it, its columns fill its Struct in order, it is
given as many values as it wants, one function runs it, and none of those that run often reads a big table from end to end."""

from __future__ import annotations

import ast
import importlib
import re
import types
import typing
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import pytest

from server.migrate import migrate
from tests.conftest import Demo
from tests.contract.statements import (
    METHODS,
    Statement,
    all_statements,
    bare,
    module_of,
    statement_files,
    statements_in,
)
from tests.databases import new_database
from tests.plans import crowded_event, generic_plan, read_whole

STATEMENTS = all_statements()

READS_ALL = {
    "server.attendee.queries.LIST_BADGES": "the door takes all badges into memory, once a process",
    "server.badge.queries.NEXT_NUMBER": "asks for the last entry of one index, which some plans show without a condition",
    "server.badge.queries.LIST_PRINTED": "the badges of an event are printed once, by a command",
    "server.checkin.queries.LIST_ALL_FACTS": "who is inside, for a door that opens: once a process",
    "server.event.queries.DELETE_SCANS": "replaces the sample event, never a real one",
    "server.event.queries.DELETE_ATTENDEES": "the same",
}
"""Statements that may read a big table from end to end, with the reason."""

BIG = ("attendee", "attendee_word", "badge", "scan", "feed_event")
MANY = 20_000

PYTHON_TYPES: dict[str, tuple[Any, ...]] = {
    "uuid": (UUID,),
    "text": (str,),
    "int4": (int,),
    "int8": (int,),
    "bool": (bool,),
    "bytea": (bytes,),
    "timestamptz": (datetime,),
    "date": (date,),
    "time": (time,),
    "jsonb": (dict, list),
    "json": (str,),
    "text[]": (list,),
    "uuid[]": (list,),
    "timestamptz[]": (list,),
}
"""What the driver makes of a column's type."""


class Prepared(NamedTuple):
    """What PostgreSQL says of a statement."""

    columns: list[tuple[str, str]]
    """Names and types."""
    parameters: int


async def prepare_all(url: str, statements: Sequence[Statement]) -> dict[str, Prepared | str]:
    """Each statement as PostgreSQL understands it, or why it does not."""
    connection = await asyncpg.connect(url)
    found: dict[str, Prepared | str] = {}
    try:
        for statement in statements:
            try:
                plan = await connection.prepare(statement.text)
            except asyncpg.PostgresError as error:
                found[statement.id] = str(error)
            else:
                columns = [(column.name, column.type.name) for column in plan.get_attributes()]
                found[statement.id] = Prepared(columns, len(plan.get_parameters()))
    finally:
        await connection.close()
    return found


@pytest.fixture(scope="session")
async def prepared(any_postgres: str) -> dict[str, Prepared | str]:
    async with new_database(any_postgres) as url:
        await migrate(url, durable=False)
        return await prepare_all(url, STATEMENTS)


def struct_of(statement: Statement) -> type[msgspec.Struct] | None:
    """The Struct that a statement's columns fill."""
    names = {use.shape for use in statement.uses if use.shape is not None}
    assert len(names) <= 1, f"{statement.id} fills several shapes: {names}"
    return getattr(importlib.import_module(statement.module), names.pop()) if names else None


def column_faults(statement: Statement, columns: Sequence[tuple[str, str]]) -> list[str]:
    """Where the columns are not what their receiver expects."""
    names = [name for name, _ in columns]
    shape = struct_of(statement)
    if shape is not None:
        fields = msgspec.structs.fields(shape)
        wanted = [field.name for field in fields]
        needed = sum(field.required for field in fields)
        if names != wanted[: max(len(names), needed)]:
            return [f"columns {names} do not fill {shape.__name__}{wanted}"]
        return [
            f"{name} is {kind}, {shape.__name__} says {field.type}"
            for (name, kind), field in zip(columns, fields, strict=False)
            if not takes(field.type, kind)
        ]
    faults = []
    told = next((use.arity for use in statement.uses if use.arity is not None), None)
    for use in statement.uses:
        expected = {"execute": 0, "fetchval": 1}.get(use.how, told)
        if expected is None:
            faults.append(f"nobody says how many columns {use.function} takes by {use.how}")
        elif expected != len(columns):
            faults.append(f"{use.function} takes {expected} columns, there are {names}")
    return faults


def takes(annotation: Any, kind: str) -> bool:
    """Whether a field of this type can hold what the driver makes of a column of that type."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return any(takes(part, kind) for part in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Literal:
        return kind == "text"
    plain = typing.get_origin(annotation) or annotation
    return plain in PYTHON_TYPES.get(kind, ())


def value_faults(statement: Statement, parameters: int) -> list[str]:
    """Where a statement is not given as many values as it has parameters."""
    faults = []
    for use in statement.uses:
        given = use.values if use.values is not None else len(starred_columns(statement, use.function))
        if given != parameters:
            faults.append(f"{use.function} gives {given} values for {parameters} parameters")
    return faults


def starred_columns(statement: Statement, function: str) -> list[str]:
    """The columns of an INSERT whose values come as one sequence: the fields of the Struct its function takes, in order."""
    columns = re.search(r"INSERT INTO \w+ \(([^)]*)\)", statement.text)
    assert columns is not None, f"{statement.id} is given a starred sequence and is no INSERT"
    names = [name.strip() for name in columns[1].split(",")]
    hints = typing.get_type_hints(getattr(importlib.import_module(statement.module), function))
    shapes = [shape for hint in hints.values() for shape in (hint, *typing.get_args(hint)) if _is_struct(shape)]
    fields = [list(shape.__struct_fields__) for shape in shapes]
    assert names in fields, f"{statement.id} inserts {names}, {function} is given {fields}"
    return names


def _is_struct(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, msgspec.Struct)


def user_faults(statement: Statement) -> list[str]:
    """Where a statement is not run by exactly one function."""
    functions = sorted({use.function for use in statement.uses if use.how != "other"})
    faults = [] if len(functions) == 1 else [f"is run by {functions or 'nobody'}"]
    return faults + [
        f"is mentioned in {use.function}, which does not run it" for use in statement.uses if use.how == "other"
    ]


def test_postgres_understands_every_statement(prepared: dict[str, Prepared | str]) -> None:
    assert {name: found for name, found in prepared.items() if isinstance(found, str)} == {}
    assert len(prepared) > 40


def test_columns_fill_their_receiver(prepared: dict[str, Prepared | str]) -> None:
    faults = {
        statement.id: found
        for statement in STATEMENTS
        if isinstance(said := prepared[statement.id], Prepared) and (found := column_faults(statement, said.columns))
    }
    assert faults == {}


def test_every_parameter_gets_a_value(prepared: dict[str, Prepared | str]) -> None:
    faults = {
        statement.id: found
        for statement in STATEMENTS
        if isinstance(said := prepared[statement.id], Prepared) and (found := value_faults(statement, said.parameters))
    }
    assert faults == {}


def test_one_function_runs_each_statement() -> None:
    assert {statement.id: found for statement in STATEMENTS if (found := user_faults(statement))} == {}


BROKEN = """
TYPO = "SELECT slugg, event_id FROM event WHERE event_id = $1"
SWAPPED = "SELECT epoch, channel, seq FROM feed_channel WHERE event_id = $1"
MISTYPED = "SELECT channel, epoch, epoch AS seq FROM feed_channel WHERE event_id = $1"
SHORT = "SELECT version FROM schedule WHERE event_id = $1 AND version > $2"
TWICE = "SELECT slug, name FROM event"
LONELY = "SELECT slug FROM event"
STARRED = "SELECT slug FROM event WHERE event_id = $1 AND slug = $2 AND timezone = $3"

async def typo(tx, event_id): return await row(tx, EventRow, TYPO, event_id)
async def swapped(tx, event_id): return await row(tx, Position, SWAPPED, event_id)
async def mistyped(tx, event_id): return await row(tx, Position, MISTYPED, event_id)
async def short(tx, event_id): return await tx.fetchval(SHORT, event_id)
async def twice(tx): return await tx.fetchval(TWICE)
async def again(tx): return await tx.fetch(TWICE)
async def starred(tx, events): return await tx.fetchval(STARRED, *two_of(events))
def two_of(events): return (events, events)
"""


async def test_broken_statements_are_noticed(postgres: str) -> None:
    broken = {statement.name: statement for statement in statements_in(BROKEN, "server.feed.queries")}
    async with new_database(postgres) as url:
        await migrate(url, durable=False)
        found = await prepare_all(url, list(broken.values()))

    def said(name: str) -> Prepared:
        answer = found[broken[name].id]
        assert isinstance(answer, Prepared)
        return answer

    assert "slugg" in str(found[broken["TYPO"].id])
    assert len(column_faults(broken["SWAPPED"], said("SWAPPED").columns)) == 1
    assert column_faults(broken["MISTYPED"], said("MISTYPED").columns) == ["seq is text, Position says <class 'int'>"]
    assert value_faults(broken["SHORT"], said("SHORT").parameters) == ["short gives 1 values for 2 parameters"]
    assert value_faults(broken["STARRED"], said("STARRED").parameters) == ["starred gives 2 values for 3 parameters"]
    assert column_faults(broken["TWICE"], said("TWICE").columns) == [
        "twice takes 1 columns, there are ['slug', 'name']",
        "nobody says how many columns again takes by fetch",
    ]
    assert user_faults(broken["TWICE"]) == ["is run by ['again', 'twice']"]
    assert user_faults(broken["LONELY"]) == ["is run by nobody"]


def text_faults(sql: str) -> list[str]:
    """What no statement says: `*` picks up columns its reader does not know, OFFSET reads what it throws away."""
    words = bare(sql)
    faults = []
    if re.search(r"(?:\bSELECT|\bRETURNING|,|\.)\s*\*", words, re.IGNORECASE):
        faults.append("names no columns")
    if re.search(r"\bOFFSET\b", words, re.IGNORECASE):
        faults.append("uses OFFSET")
    if re.search(r"\bIN\s*\(\s*\$", words, re.IGNORECASE):
        faults.append("lists parameters: = ANY($1) keeps one text for any number")
    return faults


def made_up_texts(source: str) -> list[str]:
    """Calls that run something else than a constant of the module: a text that is put together can be injected into, and
    fills the cache of prepared statements with copies."""
    tree = ast.parse(source)
    constants = {
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    found = []
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or ast.unparse(call.func) == "cursor.fetch":  # that takes a number of rows
            continue
        named = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        at = {"row": 2, "rows": 2} | dict.fromkeys([*METHODS, "executemany"], 0)
        text = call.args[at[named]] if named in at else None
        if text is not None and not (isinstance(text, ast.Name) and text.id in constants):
            found.append(f"line {call.lineno}: {ast.unparse(call)}")
    return found


def test_every_text_names_its_columns_and_pages_by_key() -> None:
    assert {statement.id: found for statement in STATEMENTS if (found := text_faults(statement.text))} == {}


def test_only_constant_text_is_run() -> None:
    files = [path for path in statement_files() if path.name.endswith("queries.py")]
    assert {module_of(path): found for path in files if (found := made_up_texts(path.read_text("utf-8")))} == {}


def test_careless_texts_are_noticed() -> None:
    assert text_faults("SELECT * FROM event") == ["names no columns"]
    assert text_faults("SELECT event.* FROM event") == ["names no columns"]
    assert text_faults("SELECT slug, * FROM event") == ["names no columns"]
    assert text_faults("DELETE FROM event RETURNING *") == ["names no columns"]
    assert text_faults("SELECT slug FROM event LIMIT $1 OFFSET $2") == ["uses OFFSET"]
    assert len(text_faults("SELECT slug FROM event WHERE event_id IN ($1, $2)")) == 1
    assert text_faults("SELECT count(*), 2 * turn FROM scan -- OFFSET") == []
    assert len(made_up_texts('A = "SELECT 1"\nasync def f(tx, x): await tx.fetch(f"{A} {x}")')) == 1
    assert len(made_up_texts("async def f(tx, text): await tx.execute(text)")) == 1
    assert len(made_up_texts('async def f(tx, a): await row(tx, A, "SELECT " + a)')) == 1


CROWD = f"""
    INSERT INTO attendee (event_id, attendee_id, name, email, language, ticket, token_hash)
    SELECT event_id, gen_random_uuid(), 'Person ' || number, number || '@example.org', 'fr', 'visitor',
           sha256(number::text::bytea)
    FROM event, generate_series(1, {MANY}) AS number;

    INSERT INTO badge (event_id, code, short_code, attendee_id, number)
    SELECT event_id, 'CROWD' || md5(attendee_id::text), 'X' || attendee_id, attendee_id,
           1000000 + row_number() OVER (ORDER BY attendee_id)
    FROM attendee WHERE name LIKE 'Person %';

    INSERT INTO scan (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, code, direction, outcome, turn)
    SELECT attendee.event_id, device.device_id, 'crowd-' || attendee_id, checkin_list.list_id, checkin_list.list_id,
           device.gate_id, attendee_id, 'CROWD', 'entry', 'admitted', 1
    FROM attendee
    JOIN checkin_list ON checkin_list.key = 'main'
    JOIN device ON device.name = 'Scanner ' || lpad((1 + abs(hashtext(attendee.name)) % 20)::text, 2, '0');

    INSERT INTO attendee_word (event_id, word, attendee_id)
    SELECT event_id, 'word' || number, attendee_id
    FROM attendee, generate_series(1, 3) AS number WHERE name LIKE 'Person %';

    INSERT INTO feed_event (event_id, channel, seq, id, kind, data)
    SELECT event_id, channel, number, gen_random_uuid(), 'session.changed', '{{}}'
    FROM feed_channel, generate_series(1, {MANY}) AS number;

    ANALYZE;
"""  # noqa: S608 - a number of our own


@pytest.fixture(scope="module")
async def crowded(postgres: str, template: Demo) -> AsyncIterator[Any]:
    """A connection to the sample event with many more people, scans and events in it."""
    async with crowded_event(postgres, CROWD) as connection:
        yield connection


async def test_no_statement_reads_a_big_table_from_end_to_end(crowded: Any) -> None:
    found = {}
    for statement in STATEMENTS:
        if statement.words() & set(BIG) and statement.id not in READS_ALL:
            try:
                plan = await generic_plan(crowded, statement.text)
            except asyncpg.PostgresError as error:
                found[statement.id] = str(error)
            else:
                found |= {statement.id: plan} if read_whole(plan, BIG) else {}
    assert found == {}
    looked_at = {statement.name for statement in STATEMENTS if statement.words() & set(BIG)}
    assert looked_at >= {
        "LOG_SCANS",
        "LIST_FACTS",
        "LIST_LOGGED",
        "APPEND",
        "LIST_EVENTS_AFTER",
        "GET_ATTENDEE_BY_HASH",
    }


async def test_a_statement_that_reads_a_big_table_from_end_to_end_is_noticed(crowded: Any) -> None:
    for sql in (
        "SELECT scan_id FROM scan WHERE code = $1",
        "SELECT badge.code FROM badge JOIN attendee USING (event_id, attendee_id) WHERE attendee.email = $1",
        "SELECT seq FROM feed_event ORDER BY event_id, channel, seq",
        "SELECT scan_id FROM scan WHERE event_id = $1 ORDER BY event_id, device_id, scan_id",
    ):
        assert read_whole(await generic_plan(crowded, sql), BIG), sql


async def test_a_bitmap_of_a_whole_event_is_noticed(crowded: Any) -> None:
    async with crowded.transaction():
        await crowded.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off"
        )
        whole = await generic_plan(crowded, "SELECT code FROM scan WHERE event_id = $1")
        single = await generic_plan(crowded, "SELECT code FROM scan WHERE event_id = $1 AND device_id = $2")
    assert "Bitmap Heap Scan" in whole
    assert "Bitmap Heap Scan" in single
    assert (read_whole(whole, BIG), read_whole(single, BIG)) == (["scan"], [])


async def test_the_door_finds_each_scan_of_a_batch_by_its_key(crowded: Any) -> None:
    """The first five runs of a connection are planned for their values: a batch of 8 scans in a log of 20,000."""
    await crowded.execute("SET plan_cache_mode = force_custom_plan")
    by_name = {statement.name: statement.text for statement in STATEMENTS}
    scans = await crowded.fetch(
        "SELECT event_id, device_id, scan_id, area_id, attendee_id FROM scan WHERE scan_id LIKE 'crowd-%' LIMIT 8"
    )
    columns = [list(column) for column in zip(*scans, strict=True)]
    for name, values in (("LIST_FACTS", [columns[0], *columns[3:]]), ("LIST_LOGGED", columns[:3])):
        lines = await crowded.fetch(f"EXPLAIN (COSTS OFF) {by_name[name]}", *values)
        plan = "\n".join(line for (line,) in lines)
        assert read_whole(plan, BIG) == [], plan
