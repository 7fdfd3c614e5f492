"""The data folder: made whole or not at all, of the right version, on a disk with room."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from server.embedded import binaries, failure
from server.embedded.failure import ELSEWHERE, EmbeddedError

if TYPE_CHECKING:
    from server.embedded.binaries import Programs
    from server.embedded.root import Identity

ROOM_BYTES = 200 * 1024 * 1024
"""Asked for before the first creation: a new cluster is 40 MB and its first log segments 48 MB."""

LOG_BYTES = 10 * 1024 * 1024
"""A log longer than this at a start becomes `postgres.log.1`."""

INITDB_SECONDS = 300.0
"""Ten times what a slow memory card takes."""

BUILTIN_LOCALE_MAJOR = 17
"""The first version whose own C.UTF-8 sorts and folds the same on every system."""

_UNFINISHED = "postgres.new-"


def prepare(data_dir: Path) -> None:
    """Makes the data folder, private to this user, or checks the one that is there.

    A folder that already holds other things than ours keeps its mode: somebody may have named a folder of theirs.

    Raises:
        EmbeddedError: it is not a folder, or somebody else's, or cannot be written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_foreign(data_dir)
        names = {path.name for path in data_dir.iterdir()}
        if not names or "postgres" in names:
            data_dir.chmod(0o700)
    except OSError as error:
        raise failure.of_folder(data_dir, error) from error


def ensure(folder: Path, programs: Programs, identity: Identity, *, durable: bool) -> None:
    """Creates the cluster if it is not there; checks its version and owner if it is.

    Raises:
        EmbeddedError: it was made by another version or another user, or there is no room for a new one.
    """
    for leftover in folder.parent.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)  # a dying initdb may still write in it; the next start tries again
    if not folder.exists() or not any(folder.iterdir()):
        _create(folder, programs, identity, durable=durable)
    _check_version(folder, programs)
    _give(folder, identity)


def open_log(data_dir: Path) -> int:
    """A descriptor at the end of the log, after moving a long one aside."""
    path = data_dir / "postgres.log"
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def explain(data_dir: Path, text: str, status: int | None) -> EmbeddedError:
    """The sentence for a program that ended early, from what it wrote."""
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return failure.full_disk(data_dir)
    if "Permission denied" in text:
        return EmbeddedError(
            f"PostgreSQL cannot reach {data_dir} as the user it runs as: let everybody enter the folders above it, "
            f"or {ELSEWHERE}."
        )
    lines = [line for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:"))]
    last = " / ".join(" ".join(line.split()) for line in (grave or lines)[-2:]) or "it wrote nothing"
    return EmbeddedError(f"PostgreSQL did not start (status {status}; {last}): see {data_dir / 'postgres.log'}.")


def _refuse_foreign(data_dir: Path) -> None:
    owner = data_dir.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedError(f"{data_dir} belongs to {_name(owner)}: run as that user or {ELSEWHERE}.")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _create(folder: Path, programs: Programs, identity: Identity, *, durable: bool) -> None:
    data_dir = folder.parent
    try:
        if shutil.disk_usage(data_dir).free < ROOM_BYTES:
            raise failure.full_disk(data_dir)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=data_dir))
        os.chown(unfinished, identity.uid, identity.gid)
        _run_initdb(unfinished, data_dir, programs, identity, durable=durable)
        unfinished.rename(folder)
        _sync(data_dir)
    except OSError as error:
        raise failure.of_folder(data_dir, error) from error


def _run_initdb(target: Path, data_dir: Path, programs: Programs, identity: Identity, *, durable: bool) -> None:
    locale = ["--locale=C"]
    if programs.major >= BUILTIN_LOCALE_MAJOR:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    words = [programs.path("initdb"), "--pgdata", str(target), "--username=postgres", "--encoding=UTF8", *locale]
    words += ["--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions"]
    words += [] if durable else ["--no-sync"]
    done = subprocess.run(
        identity.command(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        env=binaries.bare_environment(),
        start_new_session=True,  # Ctrl-C is this process's to hear
        timeout=INITDB_SECONDS,
    )
    if done.returncode != 0:
        log = open_log(data_dir)
        with os.fdopen(log, "a", encoding="utf-8") as file:
            file.write(done.stdout)
        shutil.rmtree(target, ignore_errors=True)
        raise explain(data_dir, done.stdout, done.returncode)


def _check_version(folder: Path, programs: Programs) -> None:
    try:
        made_by = (folder / "PG_VERSION").read_text("ascii").strip()
    except FileNotFoundError:
        raise EmbeddedError(f"{folder} is no PostgreSQL cluster: move it away, or {ELSEWHERE}.") from None
    except OSError as error:
        raise failure.of_folder(folder.parent, error) from error
    if made_by == str(programs.major):
        return
    fitting = binaries.system_folder(int(made_by)) if made_by.isdecimal() else None
    name = f"DIGITALNOW_PG_BIN={fitting}" if fitting else f"DIGITALNOW_PG_BIN naming the programs of version {made_by}"
    raise EmbeddedError(
        f"{folder} was made by PostgreSQL {made_by} and the programs here are version {programs.major}: "
        f"start with {name}, or dump it with that version's pg_dump and restore it into another folder."
    )


def _give(folder: Path, identity: Identity) -> None:
    """Root may come back as another identity than last time: the files follow. Nobody else's files are ever touched."""
    owner = folder.stat().st_uid
    if owner == identity.uid:
        return
    if os.geteuid() != 0 or owner not in {0, pwd.getpwnam("nobody").pw_uid}:
        raise EmbeddedError(f"{folder} belongs to {_name(owner)}: run as that user or {ELSEWHERE}.")
    for path in (*folder.rglob("*"), folder):  # the folder last: an interrupted walk is walked again
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def _sync(folder: Path) -> None:
    """Makes the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
