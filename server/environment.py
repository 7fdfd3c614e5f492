"""Makes or repairs the virtual environment of a checkout: only on the first start, and when a lock file has changed.

Needs Python's `venv` module and any pip from 22.3 on, which installs into the environment from outside; the environment
itself gets none. So neither `ensurepip`, which Debian splits off, nor the right to touch the system's packages is
needed. Two starts at once wait for each other; an interrupted one is made good by the next.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from typing import TYPE_CHECKING

from server.bootstrap import UNFINISHED, BootstrapError, Environment, digest, pins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLDEST_PIP = (22, 3)
"""The first pip with the option `--python`."""

HARMFUL = ("TARGET", "PREFIX", "ROOT", "PYTHON", "CONSTRAINT", "REQUIREMENT", "DRY_RUN", "REPORT", "NO_DEPS")
"""pip's variables that would send the packages elsewhere or change which. A mirror, a proxy, a cache stay in force."""

_NEXT_PACKAGE = ("Collecting ", "Processing ", "Requirement already satisfied")
"""How pip's line begins when it turns to one more package: from an index, from a file, or there already."""


def make(environment: Environment, lock: Path) -> None:
    """Returns when the environment has the packages of the lock file.

    Raises:
        BootstrapError: it cannot be made; the sentence says what is missing.
    """
    try:
        with _alone(environment.folder):
            if not environment.has(lock):  # somebody else may have made it meanwhile
                _make(environment, lock)
    except OSError as error:
        raise _of_folder(environment.folder, error) from error


def _make(environment: Environment, lock: Path) -> None:
    began = time.monotonic()
    wanted = list(pins(lock))
    why = "first time only" if environment.lines() in ([], [UNFINISHED]) else "the list of packages has changed"
    _say(f"Installing {len(wanted)} packages into {environment.folder} ({why}) …\n")
    _make_folder(environment)
    pip = _pip(environment)
    _install([*pip, *_install_words(environment, lock)], environment, len(wanted))
    # The pins of the tests contain those of the server: such an environment serves both.
    fulfilled = {lock, lock.parents[1] / "server" / "requirements.lock"}
    _write_stamp(environment, *map(digest, fulfilled), _told_version(environment), environment.place_line())
    _say(f"Installed in {time.monotonic() - began:.0f} s.\n")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds a kernel lock on the folder itself, so that an interrupted start leaves none behind."""
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another start is preparing {folder}: waiting for it …\n")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_folder(environment: Environment) -> None:
    """An environment whose Python runs. What is half-made, or whose Python is gone or too old, is made anew.

    A folder that holds other things is refused: it would have to be emptied. An environment that somebody made is kept.
    """
    folder, lines = environment.folder, environment.lines()
    known = bool(lines) or (folder / "pyvenv.cfg").exists()
    if not known and any(folder.iterdir()):
        raise BootstrapError(f"{folder} holds other things than an environment: name another place in DIGITALNOW_VENV.")
    if known and (UNFINISHED in lines or not _told_version(environment)):
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    _write_stamp(environment, UNFINISHED)
    if not environment.python.exists():
        try:
            venv.EnvBuilder(symlinks=os.name != "nt", with_pip=False).create(folder)
        except ValueError as error:  # a colon in the path: no search path could name the folder
            raise BootstrapError(f"{folder} is no place for an environment ({error}): see DIGITALNOW_VENV.") from error


def _told_version(environment: Environment) -> str:
    """What `python_line` says inside the environment; nothing when its Python does not run or is too old."""
    code = "import sys; print('python %d.%d' % sys.version_info[:2] if sys.version_info >= (3, 11) else '')"
    try:
        return _output([str(environment.python), "-I", "-c", code]).strip()
    except OSError:
        return ""


def _pip(environment: Environment) -> list[str]:
    """The words that run a pip on the environment: this Python's, the one's below it, or one made by ensurepip."""
    outer = (sys.executable, getattr(sys, "_base_executable", sys.executable))
    for python in dict.fromkeys(outer):
        version = _output([python, "-m", "pip", "--version"])
        found = re.match(r"pip (\d+)\.(\d+)", version)
        if found and (int(found[1]), int(found[2])) >= OLDEST_PIP:
            return [python, "-m", "pip", "--python", str(environment.python)]
    inner = [str(environment.python), "-m"]
    _output([*inner, "ensurepip"])
    if not _output([*inner, "pip", "--version"]).startswith("pip "):
        raise BootstrapError(
            "pip 22.3 or later is missing: install it (on Debian and Ubuntu `apt install python3-pip`, elsewhere "
            f"`{sys.executable} -m ensurepip`) and start again."
        )
    return [*inner, "pip"]


def _install_words(environment: Environment, lock: Path) -> list[str]:
    words = ["--disable-pip-version-check", "--no-input", "--log", str(environment.folder / "pip.log"), "install"]
    return [*words, "--progress-bar", "off", "--require-hashes", "-r", str(lock)]


def _install(command: list[str], environment: Environment, total: int) -> None:
    """Runs pip and shows how far it is. Its own words go to `pip.log` in the environment."""
    lines: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=_variables()
    ) as pip:
        for line in pip.stdout or ():
            lines.append(line.strip())
            if line.startswith(_NEXT_PACKAGE):
                seen += 1
                _progress(f"  {seen} of {total} found")
            elif line.startswith("Installing collected packages"):
                _progress("  unpacking …")
    _progress("")
    if pip.returncode != 0:
        raise _of_pip(lines, environment)


def _progress(text: str) -> None:
    """One line that a terminal overwrites; nothing elsewhere."""
    if sys.stderr.isatty():
        _say(f"\r\033[K{text}")


def _of_pip(lines: list[str], environment: Environment) -> BootstrapError:
    """pip's essential line in a sentence. Of its errors the first names the cause."""
    log = environment.folder / "pip.log"
    unreachable = [line for line in lines if "connection broken by" in line or "ConnectionError" in line]
    if unreachable:
        found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", unreachable[-1])
        why = found[1].strip() if found else "the connection broke"
        return BootstrapError(
            f"The packages cannot be downloaded ({why}): connect to the network, or name a mirror in PIP_INDEX_URL, "
            f"and start again; pip's words are in {log}."
        )
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    essential = (errors or lines[-1:] or ["it says nothing"])[0].rstrip(".")
    return BootstrapError(f"pip could not install the packages ({essential}): mend that and start again; see {log}.")


def _of_folder(folder: Path, error: OSError) -> BootstrapError:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BootstrapError(f"{folder} cannot be written: name a place for the packages in DIGITALNOW_VENV.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BootstrapError(f"The disk of {folder} is full: make room, or name another place in DIGITALNOW_VENV.")
    why = error.strerror or str(error)
    return BootstrapError(f"{folder} cannot be made ({why}): name another place for the packages in DIGITALNOW_VENV.")


def _variables() -> dict[str, str]:
    """The environment variables for pip and Python: without those that lead elsewhere."""
    harmful = {f"PIP_{name}" for name in HARMFUL} | {"PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__"}
    kept = {name: value for name, value in os.environ.items() if name not in harmful}
    # Two retries: a machine without a network gets its answer in seconds. The rest override pip's configuration file.
    return {"PIP_RETRIES": "2"} | kept | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONUNBUFFERED": "1"}


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=_variables())
    return done.stdout if done.returncode == 0 else ""


def _write_stamp(environment: Environment, *lines: str) -> None:
    """Whole or not at all; the fulfilled one comes after everything it vouches for."""
    new = environment.stamp.with_suffix(".new")
    new.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    new.replace(environment.stamp)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
