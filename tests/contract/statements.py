"""The server's SQL as it stands in its source: which statements there are, who runs each, with how many values, into what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
SERVER = CHECKOUT / "server"

METHODS = {"execute", "fetch", "fetchrow", "fetchval", "cursor"}
"""asyncpg's ways of running a statement: its text is the first argument, its values are the others."""


class Use(NamedTuple):
    """One place at which a statement is run."""

    function: str
    how: str
    """`row`, `rows` or one of `METHODS`; `other` for a mention that runs nothing we know."""
    shape: str | None
    """The Struct that takes its columns."""
    values: int | None
    """How many values it is given; None where a starred sequence hands them over."""
    arity: int | None
    """How many columns the receiver unpacks or declares, where it takes them without a Struct."""


class Statement(NamedTuple):
    module: str
    name: str
    text: str
    uses: tuple[Use, ...]

    @property
    def id(self) -> str:
        return f"{self.module}.{self.name}"

    def words(self) -> set[str]:
        """Its text's words, without comments and quoted strings."""
        return set(re.findall(r"[a-z_][a-z_0-9]*", bare(self.text).lower()))


def bare(sql: str) -> str:
    """SQL without comments and without what stands in quotes."""
    return re.sub(r"'[^']*'", "''", re.sub(r"--[^\n]*", "", sql))


def statement_files() -> list[Path]:
    """The files in which SQL may stand."""
    return [*sorted(SERVER.rglob("*queries.py")), SERVER / "migrate.py"]


def all_statements() -> list[Statement]:
    """Every statement of the server."""
    return [
        statement for path in statement_files() for statement in statements_in(path.read_text("utf-8"), module_of(path))
    ]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def statements_in(source: str, module: str) -> list[Statement]:
    """The upper-case string constants of a module, each with the functions that run it."""
    tree = ast.parse(source)
    texts = dict(_constants(tree))
    aliases = _tuple_aliases(tree)
    tuples = dict(_returned_tuples(tree))
    uses: dict[str, list[Use]] = {name: [] for name in texts}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for name, use in _uses_in(function, texts, aliases, tuples):
                uses[name].append(use)
    return [Statement(module, name, text, tuple(uses[name])) for name, text in texts.items()]


def copies() -> Iterator[tuple[str, set[str]]]:
    """Each COPY into a table, with the strings that stand around it: its columns are among them."""
    for path in sorted(SERVER.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        shared = {name: _strings(value) for name, value in _assignments(tree)}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _copies_in(function, shared)


def _copies_in(function: ast.AST, shared: Mapping[str, set[str]]) -> Iterator[tuple[str, set[str]]]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and _called(call) in {"copy_records_to_table", "_copy"}:
            table = next((argument.value for argument in call.args if isinstance(argument, ast.Constant)), None)
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            columns = _strings(function).union(*(shared[name] for name in names & shared.keys()))
            if isinstance(table, str):
                yield table, columns


def _uses_in(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    texts: Mapping[str, str],
    aliases: Mapping[str, int],
    tuples: Mapping[str, int],
) -> Iterator[tuple[str, Use]]:
    known: set[ast.Name] = set()
    for call in ast.walk(function):
        if not isinstance(call, ast.Call):
            continue
        how, at = _called(call), 2 if _called(call) in {"row", "rows"} else 0
        name = call.args[at] if (at or how in METHODS) and len(call.args) > at else None
        if isinstance(name, ast.Name) and name.id in texts:
            known.add(name)
            shape = ast.unparse(call.args[1]) if at else _built_from_records(function)
            values = _count_values(call.args[at + 1 :], tuples)
            yield name.id, Use(function.name, how, shape, values, _arity(function, call, aliases))
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in texts and node not in known:
            yield node.id, Use(function.name, "other", None, None, None)


def _count_values(values: Sequence[ast.expr], tuples: Mapping[str, int]) -> int | None:
    """How many parameters are given; None where one is starred that is no call of a function which returns a tuple."""
    count = 0
    for value in values:
        if not isinstance(value, ast.Starred):
            count += 1
        elif isinstance(value.value, ast.Call) and (name := _called(value.value)) in tuples:
            count += tuples[name]
        else:
            return None
    return count


def _returned_tuples(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Functions that do nothing but return a tuple, with its length."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
            if len(returned) == 1 and isinstance(returned[0], ast.Tuple):
                yield function.name, len(returned[0].elts)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _built_from_records(function: ast.AST) -> str | None:
    """The Struct of `Shape(*record)`, where a function fetches by itself."""
    return next(
        (
            call.func.id
            for call in ast.walk(function)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id[:1].isupper()
            if any(isinstance(argument, ast.Starred) for argument in call.args)
        ),
        None,
    )


def _arity(function: ast.AST, call: ast.Call, aliases: Mapping[str, int]) -> int | None:
    """The number of columns in `a, b = await …` and in `found: list[Alias] = await …`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and call in ast.walk(node.value) and isinstance(node.targets[0], ast.Tuple):
            return len(node.targets[0].elts)
        if isinstance(node, ast.AnnAssign) and node.value is not None and call in ast.walk(node.value):
            names = [name.id for name in ast.walk(node.annotation) if isinstance(name, ast.Name)]
            return next((aliases[name] for name in names if name in aliases), None)
    return None


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name) and value is not None:
            yield target.id, value


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for name, value in _assignments(tree):
        if name.isupper() and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield name, value.value


def _tuple_aliases(tree: ast.Module) -> dict[str, int]:
    """`Alias = tuple[A, B]` by its length."""
    return {
        name: len(value.slice.elts)
        for name, value in _assignments(tree)
        if isinstance(value, ast.Subscript)
        and isinstance(value.slice, ast.Tuple)
        and ast.unparse(value.value) == "tuple"
    }


def _strings(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
