"""The habits of this code base, checked: in every source file, and in what stands around them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.contract.rules import RULES, Rule, Source
from tests.contract.statements import CHECKOUT, SERVER

TOP_LEVEL = {
    "pyproject.toml", "README.md", "server", "schema.sql", "tests", "loadtests", "deploy",
    ".ci", ".gitignore", "LICENSE", "CHANGELOG.md",
}  # fmt: skip
"""What a stranger sees first. Each further name there costs every reader a question."""

LOCKS = (SERVER / "requirements.lock", CHECKOUT / "tests" / "requirements.lock")

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.check.__name__)


@cache
def sources(folder: str) -> list[Source]:
    """Its files, read once."""
    return [
        Source(path.relative_to(CHECKOUT).as_posix(), path.read_text("utf-8"))
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
    ]


def files_of(folders: Iterable[str]) -> list[Source]:
    return [source for folder in folders for source in sources(folder)]


@each_rule
def test_rule_is_kept(rule: Rule) -> None:
    faults = [fault for source in files_of(rule.where) for fault in rule.faults(source)]
    assert not faults, "\n".join([rule.check.__doc__ or "", *faults])


@each_rule
def test_rule_catches_its_broken_variant(rule: Rule) -> None:
    assert rule.check.__doc__, "a rule tells which harm it prevents"
    assert rule.faults(Source(*rule.broken))


@each_rule
def test_rule_lets_off_nobody_in_vain(rule: Rule) -> None:
    """An exception whose file has gone, or keeps the rule by now, would let off the next one of that name."""
    for name, reason in rule.exceptions.items():
        files = [source for source in sources("server") if source.path.removeprefix("server/").startswith(name)]
        assert any(list(rule.check(source)) for source in files), f"{name} needs no exception: {reason}"


def test_source_files_are_found() -> None:
    paths = {source.path for source in sources("server")}
    assert {"server/db.py", "server/checkin/actions.py", "server/live/gateway.py"} <= paths


def unexplained(toml: str, header: str) -> list[str]:
    """Lines of the array after `header` that name something without a comment beside or just above."""
    name = re.escape(header)
    block = re.search(rf"^{name} = \[\n(.*?)^\]|^{name} = (\[[^\n]+)", toml, re.MULTILINE | re.DOTALL)
    assert block is not None, f"pyproject.toml has no {header}"
    if block[2] is None:
        return [line.strip() for line in block[1].splitlines() if line.strip().startswith('"') and "#" not in line]
    before = toml[: block.start()].rstrip("\n").rpartition("\n")[2]
    return [] if "#" in block[2] or before.startswith("#") else [block[2]]


def pyproject() -> str:
    return (CHECKOUT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("header", ["dependencies", "embedded"])
def test_every_dependency_has_a_reason(header: str) -> None:
    """A dependency is code by strangers that runs at every event; whoever removes it later must know what it was for."""
    assert unexplained(pyproject(), header) == []


def silenced_without_reason(toml: str) -> list[str]:
    """Lines of ruff's `ignore` and `per-file-ignores` without a comment."""
    found = unexplained(toml, "ignore")
    table = toml.partition("[tool.ruff.lint.per-file-ignores]\n")[2].partition("\n[")[0]
    return found + [line for line in table.splitlines() if re.search(r'"[A-Z]+\d*"', line) and "#" not in line]


def test_every_silenced_check_has_a_reason() -> None:
    assert silenced_without_reason(pyproject()) == []


def test_missing_reasons_are_noticed() -> None:
    toml = 'dependencies = [\n  "a>=1",  # for a\n  "b>=2",\n]\nignore = [\n  "T201",\n]\nembedded = ["c"]\n'
    assert unexplained(toml, "dependencies") == ['"b>=2",']
    assert unexplained(toml, "embedded") == ['["c"]']
    files = '[tool.ruff.lint.per-file-ignores]\n"x.py" = ["T201"]\n"y.py" = ["S101"]  # y\n"z/**" = [\n  "ANN",\n]\n'
    assert silenced_without_reason(toml + files) == ['"T201",', '"x.py" = ["T201"]', '  "ANN",']


def pins_of(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name → the pin's line and its hashes. Raises `ValueError` for a line that is neither."""
    pins: dict[str, tuple[str, frozenset[str]]] = {}
    name = ""
    for line in lock.splitlines():
        pin = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s\\;]+)\s*(; [^\\]+?)?\s*\\?", line)
        added = re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})( \\)?", line)
        if pin:
            name = re.sub(r"[-_.]+", "-", pin[1]).lower()
            pins[name] = (f"{pin[2]}{pin[3] or ''}", frozenset())
        elif added and name:
            pins[name] = (pins[name][0], pins[name][1] | {added[1]})
        elif line.strip() and not re.fullmatch(r"\s*#[^:/]*", line):
            raise ValueError(f"neither a pin nor a hash: {line}")
    return pins


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name)
def test_lock_file_pins_by_hash_and_names_no_host(lock: Path) -> None:
    """A pin without a hash is whatever an index answers that day; a host's name is one machine's habit and ends in a time-out
    on every other."""
    pins = pins_of(lock.read_text("utf-8"))
    assert len(pins) >= 10
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []


def test_the_tests_run_on_the_servers_own_versions() -> None:
    """Tests that pass on other versions than those that serve prove nothing."""
    server, tests = (pins_of(lock.read_text("utf-8")) for lock in LOCKS)
    assert {name: tests.get(name) for name in server} == server


def unlocked(wanted: Iterable[str], pins: dict[str, tuple[str, frozenset[str]]]) -> list[str]:
    """Requirements that a lock file does not fulfil."""
    found = []
    for text in wanted:
        requirement = Requirement(text)
        version = pins.get(re.sub(r"[-_.]+", "-", requirement.name).lower(), ("", frozenset()))[0].partition(";")[0]
        if not version or not requirement.specifier.contains(version.strip(), prereleases=True):
            found.append(f"{text}, locked at {version or 'nothing'}")
    return found


def test_lock_files_fulfil_what_is_asked_for() -> None:
    """A dependency that is raised in one file and not in the other is installed old, with the bug it was raised for."""
    content = tomllib.loads(pyproject())
    project = content["project"]
    runtime = [*project["dependencies"], *project["optional-dependencies"]["embedded"]]
    server, tests = (pins_of(lock.read_text("utf-8")) for lock in LOCKS)
    assert unlocked(runtime, server) == []
    assert unlocked([*runtime, *content["dependency-groups"]["test"]], tests) == []


def test_careless_lock_files_are_noticed() -> None:
    assert pins_of("a==1\n")["a"] == ("1", frozenset())
    for line in (
        "--index-url https://packages.example.org/",
        "a @ https://example.org/a.zip",
        "a>=1",
        "# from https://x.org",
    ):
        with pytest.raises(ValueError, match="neither"):
            pins_of(line)
    assert unlocked(["a>=2"], pins_of("a==1\n")) == ["a>=2, locked at 1"]
    assert unlocked(["b"], pins_of("a==1\n")) == ["b, locked at nothing"]


def tracked() -> list[str]:
    """The files that git keeps."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode != 0 or not listed.stdout:
        pytest.skip("this is no checkout by git, or git keeps nothing of it yet")
    return listed.stdout.rstrip("\0").split("\0")


def strangers(files: Iterable[str]) -> set[str]:
    return {name.partition("/")[0] for name in files} - TOP_LEVEL


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert strangers(tracked()) == set()
    assert strangers(["server/db.py", "setup.cfg", "docs/index.md"]) == {"setup.cfg", "docs"}, "a broken variant"


def test_nothing_that_programs_leave_behind_is_kept() -> None:
    left = re.compile(r"(^|/)(__pycache__|\.venv|\.digitalnow|\.\w+_cache|out|dist)/|\.(pyc|log|orig|rej|swp)$")
    assert [name for name in tracked() if left.search(name)] == []


_NAME = re.compile(r"(?<![\w/{}.:<>-])((?:[\w.-]+/)*(?:[\w.-]+/|[\w.-]+\.(?:py|sql|toml|lock|md)))(?![\w{<])")


def named_in(readme: str) -> set[str]:
    """Files and folders (`live/`, `db.py`, `checkin/actions.py`) that a text names in code blocks and backticks."""
    blocks = re.findall(r"```.*?```", readme, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", readme, flags=re.DOTALL))
    return {name for text in [*blocks, *inline] for name in _NAME.findall(text)}


def map_faults(readme: str, files: Iterable[str]) -> list[str]:
    """What the map of `server/` lacks, and what it names that is not there. `files` are paths in the checkout."""
    known = set(files)
    folders = {f"{path.rpartition('/')[0]}/" for path in known if "/" in path}
    folders |= {
        f"{'/'.join(folder.split('/')[:depth])}/" for folder in folders for depth in range(1, folder.count("/"))
    }
    places = known | folders
    endings = {place.split("/", depth)[depth] for place in places for depth in range(place.rstrip("/").count("/") + 1)}
    named = named_in(readme)
    inside = {place.removeprefix("server/") for place in places if place.startswith("server/")}
    wanted = {name for name in inside if name and name.rstrip("/").count("/") == 0 and name.endswith(("/", ".py"))}
    missing = wanted - named - {f"server/{name}" for name in named} - {"__init__.py"}
    return [f"lacks {name}" for name in sorted(missing)] + [f"names {name}" for name in sorted(named - endings)]


def test_the_map_of_the_server_is_true() -> None:
    """A map of an old town leads every newcomer astray once, and then nobody reads it."""
    readme = SERVER / "README.md"
    assert readme.exists(), "server/README.md is missing"
    names = {path.relative_to(CHECKOUT).as_posix() for folder in TOP_LEVEL for path in (CHECKOUT / folder).rglob("*")}
    files = {name for name in names if (CHECKOUT / name).is_file() and "__pycache__" not in name}
    files |= {name for name in TOP_LEVEL if (CHECKOUT / name).is_file()}
    assert map_faults(readme.read_text("utf-8"), files) == []


def test_an_old_map_is_noticed() -> None:
    files = ["schema.sql", "server/db.py", "server/live/hub.py", "server/event/queries.py", "tests/live/test_hub.py"]
    good = "See `schema.sql`, `tests/` and `live/hub.py`, asked at `/v1/events/{event}/live`.\n"
    good += "```\nserver/\n  db.py  a pool\n  live/  event/\n```\n"
    assert map_faults(good, files) == []
    assert map_faults(good.replace("live/  event/", "event/"), files) == ["lacks live/"]
    assert map_faults(good.replace("db.py", "outbox.py"), files) == ["lacks db.py", "names outbox.py"]
    assert map_faults(good + "`chat/` and `event/chat.py`", files) == ["names chat/", "names event/chat.py"]
