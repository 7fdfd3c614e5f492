"""The rules of the house, each a look at one source file. A rule's docstring tells what happens without it; beside it
stands a snippet that it must catch."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from tests.contract.statements import bare

MAX_FILE_LINES, MAX_FUNCTION_LINES = 500, 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """A file by its path in the checkout, `server/checkin/actions.py`."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def everything(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in self.everything if isinstance(node, kinds))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full name of everything imported: `from a import b` is `a.b`."""
        for node in self.everything:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)

    def strings(self) -> Iterator[tuple[int, str]]:
        """Every string but those that only document something."""
        prose = {
            id(node.value)
            for node in self.everything
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in self.everything:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                yield node.lineno, node.value

    def calls(self) -> Iterator[tuple[int, str]]:
        """Line and name of every call; of `a.b.c()` the name is `a.b.c`."""
        for node in self.everything:
            if isinstance(node, ast.Call):
                yield node.lineno, ast.unparse(node.func)

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


Check = Callable[[Source], Iterator[str]]


class Rule(NamedTuple):
    check: Check
    where: tuple[str, ...]
    """The folders whose files it holds for."""
    broken: tuple[str, str]
    """Path and text of a file that it must catch."""
    exceptions: dict[str, str]
    """Files and folders (`embedded/`) below `server/` that are let off, each with the reason."""

    def faults(self, source: Source) -> list[str]:
        below = source.path.removeprefix("server/")
        if any(below == name or (name.endswith("/") and below.startswith(name)) for name in self.exceptions):
            return []
        return [f"{source.path}: {fault}" for fault in self.check(source)]


RULES: list[Rule] = []


def rule(
    broken: tuple[str, str], *, where: tuple[str, ...] = ("server",), exceptions: dict[str, str] | None = None
) -> Callable[[Check], Check]:
    def add(check: Check) -> Check:
        RULES.append(Rule(check, where, broken, exceptions or {}))
        return check

    return add


@rule(("server/feed/long.py", "x = 1\n" * (MAX_FILE_LINES + 1)), where=("server", "loadtests"))
def files_are_short(source: Source) -> Iterator[str]:
    """A file beyond 500 lines does two things, and nobody finds the second."""
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{lines} lines"


@rule(("server/feed/long.py", "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES), where=("server", "loadtests"))
def functions_are_short(source: Source) -> Iterator[str]:
    """A function beyond 40 lines cannot be seen whole, and its cases cannot be tried one by one."""
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, Function)
        lines = (node.end_lineno or 0) - node.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield f"line {node.lineno}: {node.name} has {lines} lines"


_SQL = re.compile(
    r"\s*(SELECT\b|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\b|LISTEN\s|NOTIFY\s|COPY\s+\w+\s"
    r"|TRUNCATE\s|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|DATABASE|ROLE|VIEW|EXTENSION)\b|select\s.*\bfrom\b|create\s+(table|database)\b)"
)


@rule(
    ("server/event/routes.py", 'async def get(tx):\n    return await tx.fetch("SELECT name FROM event")\n'),
    exceptions={
        "migrate.py": "asks what the database is before there is any domain; its statements are prepared like all others",
        "db.py": "asks PostgreSQL about its own settings",
        "operations.py": "an empty SELECT: does the database answer at all",
        "embedded/": "makes the database itself, over a protocol of its own, before anybody can connect",
    },
)
def sql_stands_in_queries(source: Source) -> Iterator[str]:
    """SQL elsewhere is prepared against the schema by no test, and breaks when a column is renamed, on the day of the event."""
    if not source.name.endswith("queries.py"):
        yield from (f"line {line}: {text.strip()[:60]}" for line, text in source.strings() if _SQL.match(text))


@rule(
    ("server/event/routes.py", "async def post(db):\n    async with db.tx() as tx:\n        await insert(tx)\n"),
    exceptions={"demo/load.py": "loads a whole event, which is no request's action"},
)
def transactions_open_in_actions(source: Source) -> Iterator[str]:
    """A handler that opens a transaction decides what is written together; the next that writes the same decides otherwise."""
    if not source.name.endswith("actions.py"):
        yield from (f"line {line}: {name}()" for line, name in source.calls() if name.endswith(".tx"))


@rule(("server/announcement/routes.py", "async def post(tx):\n    await emit(tx, event_id, data={})\n"))
def events_are_born_in_actions(source: Source) -> Iterator[str]:
    """An event that is told outside the transaction that makes it true is sometimes told without being true, or true without
    being told; phones then differ from the server until somebody reloads."""
    if not source.name.endswith("actions.py"):
        yield from (f"line {line}: {name}()" for line, name in source.calls() if name.rpartition(".")[2] == "emit")


@rule(("server/checkin/actions.py", "from litestar import Request\n"))
def the_inside_knows_no_web(source: Source) -> Iterator[str]:
    """A rule that reads a request can be used by no command, no import and no test without pretending to be a browser."""
    if source.name in {"actions.py", "queries.py", "policy.py", "types.py"}:
        for line, name in source.imports():
            if name.partition(".")[0] in {"litestar", "uvicorn", "websockets", "httpx"}:
                yield f"line {line}: {name}"


@rule(("server/checkin/policy.py", "import asyncio\nfrom server.db import Tx\n"))
def policies_are_pure(source: Source) -> Iterator[str]:
    """A rule that looks at the clock, at random bits or into the database cannot be tried on every case in a second."""
    impure = r"(asyncio|asyncpg|os|time|random|secrets|socket|logging|server\.db|server\.\w+\.queries|server\.\w+\.actions)\b"
    if source.name == "policy.py":
        for line, name in source.imports():
            if re.match(impure, name) or name.endswith(".queries"):
                yield f"line {line}: {name}"


@rule(
    (
        "server/event/queries.py",
        "async def get(tx):\n    found = await row(tx)\n    if found is None:\n        raise UnknownEvent\n",
    )
)
def queries_raise_nothing(source: Source) -> Iterator[str]:
    """A query that decides what is an error serves one caller: the next one finds the row missing and means well."""
    if source.name == "queries.py":
        yield from (f"line {node.lineno}: raise" for node in source.nodes(ast.Raise) if isinstance(node, ast.Raise))


@rule(
    ("server/live/gateway.py", 'import os\nURL = os.environ.get("LIVE_URL")\n'),
    exceptions={
        "config.py": "the one place",
        "child.py": "its two file descriptors, which are no settings",
        "processes.py": "hands everything on to its children",
        "bootstrap.py": "runs before any package is there, config's included",
        "environment.py": "as bootstrap: the variables of pip",
        "zones.py": "asks whether the operator has told Python itself which zones to take; before config can be read",
        "embedded/": "where PostgreSQL's programs and sockets are; usable without the rest of the server",
        "commands/test.py": "hands everything on to the tools it runs",
    },
)
def the_environment_is_read_in_config(source: Source) -> Iterator[str]:
    """A variable read in passing appears in no list of settings, is checked by nobody and is the same in every test."""
    for node in source.nodes(ast.Attribute):
        if ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)}"


_EMPTY = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc", "core", "shared"}


@rule(("server/common/event_utils.py", "class EventManager:\n    pass\n"), where=("server", "loadtests", "tests"))
def names_say_something(source: Source) -> Iterator[str]:
    """A name that fits everything collects everything: soon each change begins in `utils` and nobody knows why."""
    for part in source.path.removesuffix(".py").split("/"):
        if _EMPTY & set(part.lower().split("_")):
            yield f"is called {part}"
    for node in source.nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        if _EMPTY & {word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", node.name)}:
            yield f"line {node.lineno}: class {node.name}"


@rule(("server/event/reader.py", "import time\n"), where=("server", "loadtests", "tests"))
def modules_say_what_they_are(source: Source) -> Iterator[str]:
    """Whoever looks for the place of a change reads first lines; a file without one is opened every time."""
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield "has no docstring"


@rule(("server/checkin/errors.py", "class UnknownGate(AppError):\n    status = 404\n"))
def errors_have_a_sentence_and_a_code(source: Source) -> Iterator[str]:
    """An error's docstring is what the client reads, its code what a program reads: without them it says `request.refused`."""
    for node in source.nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        if "AppError" in {ast.unparse(parent) for parent in node.bases}:
            given = {
                ast.unparse(target) for each in node.body if isinstance(each, ast.Assign) for target in each.targets
            }
            if not ast.get_docstring(node) or not {"status", "code"} <= given:
                yield f"line {node.lineno}: {node.name}"


@rule(
    ("server/checkin/door.py", 'def admit(badge):\n    print("admitted", badge)\n'),
    exceptions={
        "commands/": "a command talks to the terminal",
        "bootstrap.py": "as a command, before there are any",
    },
)
def nothing_prints(source: Source) -> Iterator[str]:
    """A print carries no time and no level, and what it prints at a door is somebody's name."""
    yield from (f"line {line}: print()" for line, name in source.calls() if name == "print")


@rule(
    ("server/live/relay.py", "try:\n    run()\nexcept Exception as error:\n    logger.warning(error)\n"),
    exceptions={
        "checkin/lane.py": "the last one to see an error, as `errors` is: it is logged whole there, and told as an id"
    },
)
def nothing_is_swallowed(source: Source) -> Iterator[str]:
    """A handler for everything also handles the typing error of tomorrow: the door goes on answering, and wrongly. Only who
    cleans up and raises again, or logs it with its traceback, may catch everything."""
    for node in source.nodes(ast.ExceptHandler):
        assert isinstance(node, ast.ExceptHandler)
        broad = node.type is None or bool(
            {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(node.type)))
        )
        last = node.body[-1]
        raised = isinstance(last, ast.Raise) and last.exc is None
        logged = re.search(r"logger\.exception\(|exc_info=", ast.unparse(node)) and node.type is not None
        if broad and not raised and not logged:
            yield f"line {node.lineno}: except {ast.unparse(node.type) if node.type else ''}"


_SESSION_STATE = re.compile(
    r"\b(UN)?LISTEN\b|(^|;)\s*SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)|pg_(try_)?advisory_(lock|unlock)\w*\s*\("
    r"|\bset_config\s*\([^)]*\bfalse\s*\)|\bCREATE\s+TEMP|\bPREPARE\b|\bDECLARE\b.*\bCURSOR\b|\bRESET\b",
    re.IGNORECASE,
)


@rule(("server/checkin/queries.py", 'LOCK = "SELECT pg_advisory_lock($1)"\n'))
def pooled_connections_keep_no_state(source: Source) -> Iterator[str]:
    """The pool hands connections on without cleaning them (a round trip saved for every request): a session's lock, setting
    or LISTEN would be found by the next one who borrows it."""
    if source.name in {"queries.py", "migrate.py"}:
        for line, text in source.strings():
            if _SQL.match(text) and _SESSION_STATE.search(bare(text)):
                yield f"line {line}: {text.strip()[:60]}"


@rule(
    ("server/live/relay.py", "async def run(url):\n    return await asyncpg.connect(url)\n"),
    exceptions={"db.py": "the one place"},
)
def connections_come_from_db(source: Source) -> Iterator[str]:
    """A connection made elsewhere has no time limit, no name in PostgreSQL's list and other ideas of jsonb."""
    made = {"asyncpg.connect", "asyncpg.create_pool"}
    for line, name in source.calls():
        if name in made or name.endswith("pool.acquire"):
            yield f"line {line}: {name}()"


@rule(("server/event/types.py", "class Event(Struct):\n    name: str\n"))
def structs_are_frozen(source: Source) -> Iterator[str]:
    """A row or message that can be changed on its way is not what the database or the client said."""
    for node in source.nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        parents = {ast.unparse(parent).rpartition(".")[2] for parent in node.bases}
        if "Struct" in parents and options.get("frozen") != "True":
            yield f"line {node.lineno}: {node.name}"


@rule(("server/event/reader.py", "x = 1  # TODO think\n"), where=("server", "loadtests", "tests"))
def nothing_is_left_for_later(source: Source) -> Iterator[str]:
    """A note to oneself is read by others, years later, who cannot tell whether it still holds."""
    for line, comment in source.comments:
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment):
            yield f"line {line}: {comment}"


@rule(("server/event/reader.py", "x = f()  # type: ignore\n"), where=("server", "loadtests", "tests"))
def a_silenced_warning_is_named(source: Source) -> Iterator[str]:
    """A blanket `ignore` also hides the mistakes that come later on the same line."""
    for line, comment in source.comments:
        if re.search(r"type:\s*ignore(?!\[)|\bnoqa\b(?!:)", comment):
            yield f"line {line}: {comment}"


@rule(("server/event/reader.py", "# ---- reading ----\n"), where=("server", "loadtests", "tests"))
def no_banners(source: Source) -> Iterator[str]:
    """A file that needs headlines is two files."""
    for line, comment in source.comments:
        if re.match(r"#\s*[-=─━*#~]{3,}", comment):
            yield f"line {line}: {comment[:40]}"
