"""The two locks of a data folder. Both are the kernel's: they end with the processes that hold them.

The owner's lock is the owner's alone. The cluster's lock is inherited by PostgreSQL and by every process it forks, so
it is free exactly when nothing that this package started still writes the cluster. `flock(2)` belongs to the open file,
not to the process: handing the descriptor down is what shares it.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from server.embedded import running
from server.embedded.failure import ELSEWHERE, EmbeddedError, InUseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDING_SECONDS = 15.0
"""How long a dead owner's server may take to end before the next start gives up: it writes a checkpoint first."""

_POLL_SECONDS = 0.05


@contextmanager
def owner(data_dir: Path) -> Iterator[None]:
    """Makes this process the owner of the data folder.

    Raises:
        InUseError: another living process is.
    """
    path = data_dir / "lock"
    # The file is never removed: two processes could then hold locks on two files of the same name.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if not _take(descriptor):
            raise _taken(data_dir, os.pread(descriptor, 20, 0))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def cluster(folder: Path) -> Iterator[int]:
    """Waits until nothing that was started here still uses the cluster. Yields the descriptor that the server inherits.

    Raises:
        EmbeddedError: a dead owner's server does not end.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + ENDING_SECONDS
        while not _take(descriptor):
            if time.monotonic() > end:
                raise still_used(folder)
            time.sleep(_POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def recorded_pid(folder: Path) -> int | None:
    """The pid in the cluster's `postmaster.pid`: a hint, it may be anybody's by now."""
    lines = running.read_pid_file(folder)
    return int(lines[0]) if lines and lines[0].isdecimal() else None


def still_used(folder: Path) -> EmbeddedError:
    """The sentence for a server without an owner."""
    pid = recorded_pid(folder)
    who = f"process {pid}: end it with `kill -INT {pid}`" if pid else "some process: end its processes"
    return EmbeddedError(f"A PostgreSQL server is still running on {folder}, {who} and start again, or {ELSEWHERE}.")


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(data_dir: Path, written: bytes) -> InUseError:
    pid = written.strip().decode("ascii", "replace") or "unknown"
    return InUseError(f"{data_dir} is already in use by process {pid}: stop that server, or {ELSEWHERE}.")
