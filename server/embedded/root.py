"""Who PostgreSQL runs as. It refuses user 0, and people run things as root: in containers, on a venue's box.

First choice for root: a user namespace, where the same kernel user has another name. Files stay root's, every folder
of root's can be used. Where namespaces are forbidden (containers mostly): `nobody`, who must be able to reach both the
data folder and the programs; the wheel's programs are copied into the data folder where they lie too deep.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from server.embedded import launch
from server.embedded.binaries import Programs, ask_version, major_of
from server.embedded.failure import ELSEWHERE, EmbeddedError

NAMESPACES = sys.platform == "linux"
"""Whether user namespaces are worth a try."""


class Identity(Struct, frozen=True):
    """The launcher's options, and the kernel's owner of the cluster's files."""

    options: tuple[str, ...]
    uid: int
    gid: int

    def command(self, words: list[str], *, parent: int | None = None) -> list[str]:
        """The words that run a program as this identity; with `parent`, tied to that process's life."""
        tie = [] if parent is None else ["--parent", str(parent)]
        return [*_PYTHON, str(Path(launch.__file__).resolve()), *self.options, *tie, "--", *words]


_PYTHON = (sys.executable, "-I", "-S", "-B")
"""A bare interpreter, as `launch.py` and `watch.py` run in: no site packages, no environment, nothing written."""


def arrange(folder: Path, data_dir: Path) -> tuple[Programs, Identity]:
    """Finds an identity that can run the programs in `folder`, and their version.

    Raises:
        EmbeddedError: there is none, or the version is not supported.
    """
    itself = Identity((), os.geteuid(), os.getegid())
    if os.geteuid() != 0:
        return _checked(folder, itself), itself
    if NAMESPACES:
        renamed = Identity(("--namespace", str(_some_user())), 0, os.getegid())
        answer = ask_version(renamed.command([str(folder / "postgres"), "--version"]))
        if answer.returncode != launch.NO_USER:
            return _checked(folder, renamed), renamed
    nobody = _nobody()
    _open_way(data_dir)
    return _reachable(folder, data_dir, nobody, itself), nobody


def _checked(folder: Path, identity: Identity) -> Programs:
    answer = ask_version(identity.command([str(folder / "postgres"), "--version"]))
    if answer.returncode != 0:
        why = (answer.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise EmbeddedError(
            f"The PostgreSQL programs in {folder} do not run here ({why}): name others in DIGITALNOW_PG_BIN, "
            "or run as the user to whom they belong."
        )
    return Programs(folder, major_of(answer.stdout, folder))


def _some_user() -> int:
    """Any user of the password file but root: initdb insists on a name for its user."""
    return next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), 1)


def _nobody() -> Identity:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root and there is no user nobody: start as another user."
        ) from None
    return Identity(("--user", f"{entry.pw_uid}:{entry.pw_gid}"), entry.pw_uid, entry.pw_gid)


def _open_way(data_dir: Path) -> None:
    """Lets `nobody` pass through the data folder to its own cluster. What lies in it stays closed by its own mode."""
    for parent in data_dir.parents:
        if not parent.stat().st_mode & 0o001:
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root, and the user nobody cannot enter {parent}: start as another user, "
                f"or {ELSEWHERE}, such as /var/lib/digitalnow."
            )
    data_dir.chmod(0o711)


def _reachable(folder: Path, data_dir: Path, nobody: Identity, itself: Identity) -> Programs:
    """The programs themselves where `nobody` can run them, else a copy that root owns and nobody can only read."""
    if ask_version(nobody.command([str(folder / "postgres"), "--version"])).returncode != launch.NO_PROGRAM:
        return _checked(folder, nobody)
    package = folder.parent.parent
    if not package.with_name(f"{package.name}.libs").is_dir():
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and the user nobody cannot reach {folder}: start as another user, "
            "or name programs that everybody can run in DIGITALNOW_PG_BIN."
        )
    version = re.search(r"[\d.]+", ask_version(itself.command([str(folder / "postgres"), "--version"])).stdout)
    copy = data_dir / f"programs-{version[0] if version else 'unknown'}"
    if not copy.exists():
        _copy(package, copy)
    return _checked(copy / package.name / folder.relative_to(package), nobody)


def _copy(package: Path, target: Path) -> None:
    """Copies the package and its libraries side by side as they were: programs find libraries by their place."""
    unfinished = Path(tempfile.mkdtemp(prefix="programs.new-", dir=target.parent))
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", symlinks=True)
    shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    unfinished.chmod(0o755)
    for path in unfinished.rglob("*"):
        if not path.is_symlink():  # a package installed under a strict umask is closed to others
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)
