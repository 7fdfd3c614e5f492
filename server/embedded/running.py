"""Reaching the server that another process owns: whoever revokes a lost scanner does not stop the doors for it."""

from __future__ import annotations

from pathlib import Path

from server.embedded import sockets

DATABASE = "digitalnow"

_SOCKETS_LINE, _STATE_LINE = 4, 7


def find(data_dir: Path) -> str | None:
    """asyncpg's DSN of the server on this data folder; None while none takes queries.

    Only after an `InUseError`: without a living owner the file that is read here may be a dead server's.
    """
    lines = read_pid_file(data_dir.resolve() / "postgres")
    if not is_ready(lines):
        return None
    return sockets.dsn(Path(lines[_SOCKETS_LINE]), DATABASE)


def read_pid_file(folder: Path) -> list[str]:
    """The lines of the cluster's `postmaster.pid`: 1 the pid, 5 the socket's folder, 8 the state; none without the file."""
    try:
        return (folder / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def is_ready(lines: list[str]) -> bool:
    """Whether the server that wrote these lines takes queries."""
    return len(lines) > _STATE_LINE and lines[_STATE_LINE].strip() == "ready"
