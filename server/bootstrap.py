"""From any Python with pip to a running command: makes the environment on the first call, steps into it on every call.

Standard library only, and little of it: a later call costs the comparison of a stamp and an exec. What makes the
environment is in `server.environment`, which is not even read then.

The environment is `.venv` in the checkout, or what `DIGITALNOW_VENV` names. Its stamp holds the SHA-256 of each lock
file whose packages it has, and is written last: an environment without a fitting stamp is made good before use. An
interpreter that already has every pinned package (a container image, an environment of the developer's own) is used as
it is. The installed package never makes anything.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFINISHED = "unfinished"
"""The stamp of an environment that is being made, or whose making was interrupted."""

_ENTERED = "DIGITALNOW_ENTERED"
"""Set across the exec: an environment that does not fit after that is broken, not missing."""

INTERRUPTED = 130
"""128 + SIGINT, as shells say it."""

HELP = """\
usage: python3 -m server COMMAND [OPTION …]

  demo      a sample event on a database of its own: API on :8000, live feed on :8001
  serve     the API and the live feed
  test      the whole test suite, lint and types
  import    bring a schedule file into an event
  export    write an event's programme into a file
  migrate   bring the database's schema up to date
  token     give out or revoke tokens and badges
  devices   an event's scanners, and how they are
  badges    an event's badges, ready to print
  keys      what signs an event's badges
  doctor    look for what is wrong with this installation

The packages are not installed yet: the first command does that, once, in a folder of its own. Then COMMAND --help
shows a command's options.
"""


class BootstrapError(Exception):
    """The environment cannot be made. The message is one sentence that says what to do."""


class Environment(NamedTuple):
    """The folder of the virtual environment of a checkout."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        return self.folder / "digitalnow-stamp"

    def lines(self) -> list[str]:
        """What the stamp says; nothing if there is none."""
        try:
            return self.stamp.read_text("utf-8").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def has(self, lock: Path) -> bool:
        """Whether the lock file's packages were installed to the end, for the Python that is still there."""
        lines = self.lines()
        return digest(lock) in lines and self.place_line() in lines and self.python.exists()

    def place_line(self) -> str:
        """The stamp's line about its Python: an upgrade of that, in its place, leaves the packages behind."""
        return f"at {os.path.realpath(self.python)}"

    def is_this(self) -> bool:
        """Whether this interpreter runs in it."""
        return os.path.realpath(sys.prefix) == os.path.realpath(self.folder)


def main(argv: list[str]) -> int:
    """Runs a command, in the right environment. Returns the exit status: 1 for a failure, 2 for a wrong use."""
    if argv in (["--version"], ["-V"]):
        from server import __version__

        print(f"digitalnow {__version__}")
        return 0
    try:
        lock = "tests" if argv[:1] == ["test"] else "server"
        if (not argv or {"-h", "--help"} & set(argv)) and not (ready(lock) or _environment().has(_lock(lock))):
            print(HELP, end="", file=sys.stdout if argv else sys.stderr)
            return 0 if argv else 2
        ensure("server", argv, lock)
        from server import commands

        return commands.main(argv)
    except BootstrapError as refusal:
        print(f"digitalnow: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED


def ready(lock: str = "server") -> bool:
    """Whether this interpreter has the packages of `server` or `tests` already."""
    if not _in_checkout():
        return True
    wanted, environment = _lock(lock), _environment()
    if environment.is_this():
        lines = environment.lines()
        if lines:
            return environment.has(wanted) and python_line() in lines
    return has_pins(wanted)


def ensure(module: str, argv: list[str], lock: str = "server") -> None:
    """Returns when this interpreter has the packages. If not, the process goes on as `python -m module argv` in the
    environment, which is made or repaired first; then this does not return.

    Raises:
        BootstrapError: the environment cannot be made, or still does not fit after it was entered.
    """
    entered = os.environ.pop(_ENTERED, None)
    if ready(lock):
        return
    wanted, environment = _lock(lock), _environment()
    if entered == str(environment.folder):
        if python_line() in environment.lines():
            raise BootstrapError(f"The environment {environment.folder} does not work: delete it and start again.")
        environment.stamp.unlink(missing_ok=True)  # its Python was replaced by a newer one of the same name
    if not environment.has(wanted):
        _make(environment, wanted)
    _enter(environment, module, argv)


def _make(environment: Environment, lock: Path) -> None:
    try:
        from server import environment as maker
    except ModuleNotFoundError as error:
        raise BootstrapError(
            f"{sys.executable} lacks Python's own module {error.name}: install the rest of Python (on Debian and "
            "Ubuntu `apt install python3-venv python3-pip`) and start again."
        ) from error
    maker.make(environment, lock)


def _enter(environment: Environment, module: str, argv: list[str]) -> None:
    command = [str(environment.python), "-m", module, *argv]
    # The checkout must be found from any working folder; whatever else was on the path would shadow locked packages.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    variables |= {"PYTHONPATH": str(_checkout()), _ENTERED: str(environment.folder)}
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        import subprocess

        sys.exit(subprocess.call(command, env=variables))  # exec gives the prompt back too early there
    os.execve(command[0], command, variables)  # noqa: S606 - our own words, and no shell is the point


def pins(lock: Path) -> Iterator[str]:
    """`name-version` of every package of a lock file that this platform needs."""
    for line in lock.read_text("utf-8").splitlines():
        found = re.match(r"([\w.-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]*))?", line)
        if found and _applies((found[3] or "").strip()):
            yield f"{_plain(found[1])}-{found[2]}"


def has_pins(lock: Path) -> bool:
    """Whether each of them is installed here, judged by the names of the folders that installers leave: fast enough
    for every start."""
    here = set()
    for folder in sys.path:
        if os.path.isdir(folder):  # noqa: PTH112 - sys.path holds strings, and this runs at every start
            names = [path.stem for path in Path(folder).glob("*.dist-info")]
            here |= {f"{_plain(name)}-{version}" for name, _, version in (each.partition("-") for each in names)}
    return all(pin in here for pin in pins(lock))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def python_line() -> str:
    """The stamp's line about the version, by which Python names the folder of its packages."""
    return f"python {sys.version_info[0]}.{sys.version_info[1]}"


def _applies(marker: str) -> bool:
    """Evaluates the markers that our lock files have. Another one counts as "no": then the package is not asked for."""
    if not marker:
        return True
    parts = [re.fullmatch(r"(\w+) (==|!=) '(\w+)'", part) for part in marker.split(" and ")]
    values = {
        "sys_platform": sys.platform,
        "implementation_name": sys.implementation.name,
        "platform_python_implementation": sys.implementation.name,
    }
    return all(
        found is not None
        and found[1] in values
        and (values[found[1]].lower() == found[3].lower()) == (found[2] == "==")
        for found in parts
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _checkout() -> Path:
    return Path(__file__).resolve().parents[1]


def _in_checkout() -> bool:
    """A checkout has its own description beside the package; an installed package has not."""
    return (_checkout() / "pyproject.toml").exists()


def _lock(name: str) -> Path:
    return _checkout() / name / "requirements.lock"


def _environment() -> Environment:
    named = os.environ.get("DIGITALNOW_VENV")
    return Environment(Path(named).absolute() if named else _checkout() / ".venv")
