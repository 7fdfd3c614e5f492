"""The folder of the server's Unix socket.

Not in the data folder: a socket's path is limited to about a hundred bytes, and a data folder may lie deep. Its name is
made from the data folder's path and the user, so that two users or two folders never meet.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from server.embedded.failure import EmbeddedError
from server.embedded.wire import PORT, USER

if TYPE_CHECKING:
    from server.embedded.root import Identity

LONGEST_PATH = 103
"""Bytes in `sun_path` without its end: 103 on macOS and BSD, 107 on Linux. The smaller, so that a setup moves."""

NAME = f".s.PGSQL.{PORT}"


def folder_for(data_dir: Path) -> Path:
    """The place of the socket for a resolved data folder: in `/tmp`, or where `DIGITALNOW_PG_SOCKETS` says.

    Raises:
        EmbeddedError: the path of the socket would be too long.
    """
    parent = os.environ.get("DIGITALNOW_PG_SOCKETS", "/tmp")  # noqa: S108 - the folder in it is private and checked
    name = hashlib.sha256(f"{os.geteuid()}:{data_dir}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = Path(parent) / f"pg-{name}"
    if len(os.fsencode(folder / NAME)) > LONGEST_PATH:
        raise EmbeddedError(
            f"DIGITALNOW_PG_SOCKETS names {parent}, too long a path for a socket: name a shorter one or unset it."
        )
    return folder


def make(folder: Path, identity: Identity) -> None:
    """Makes the folder, or accepts it if it is a real folder of that user; then nobody else may enter it.

    Raises:
        EmbeddedError: somebody else put something there.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass  # left by a crash, or put there by somebody else: the look below tells
    except OSError as error:
        raise EmbeddedError(
            f"The socket's folder {folder} cannot be made ({error.strerror}): "
            "name another place in DIGITALNOW_PG_SOCKETS."
        ) from error
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), identity.uid}:
        raise EmbeddedError(
            f"{folder} was made by somebody else: remove it, or name another place in DIGITALNOW_PG_SOCKETS."
        )
    os.chown(folder, identity.uid, identity.gid)
    folder.chmod(0o700)


def clear(folder: Path) -> None:
    """Removes the socket and its lock file. Only when no server of this data folder can be alive."""
    for name in (NAME, f"{NAME}.lock"):
        (folder / name).unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Removes the empty folder. A socket in it belongs to a server that still lives; then the folder stays."""
    with suppress(FileNotFoundError):  # gone already: what cleans the temporary folder was here
        if not any(folder.iterdir()):
            folder.rmdir()


def dsn(folder: Path, database: str) -> str:
    """What asyncpg connects to. The port is named, or `PGPORT` of the environment would change the socket's name."""
    return f"postgresql://{USER}@/{database}?host={quote(str(folder), safe='/')}&port={PORT}"
