"""The server's settings: PostgreSQL's defaults, save where a companion app on one machine has a reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEBI = 1024 * 1024
_CGROUP = Path("/sys/fs/cgroup/memory.max")

ONE_MACHINE = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "digitalnow",
    "max_connections": "60",
    "jit": "off",  # compiling a query costs more than the short queries of an app
    "max_parallel_workers_per_gather": "0",  # the API's own connections use the cores; containers have little /dev/shm
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",  # a rush at the doors rewrites the same pages: fewer full images of them
    "wal_compression": "pglz",  # the one method that every build has
    "logging_collector": "off",  # the log is the standard error that the owner opened
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
}

NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests. A crash of the machine, not of the server, may lose or break the data."""


def arguments(sockets: Path, overrides: Mapping[str, str], *, durable: bool) -> list[str]:
    """The settings as the server's command line. `overrides` win over everything."""
    chosen = ONE_MACHINE | {"shared_buffers": shared_buffers(), "unix_socket_directories": f'"{sockets}"'}
    chosen |= {} if durable else NOT_DURABLE
    chosen |= dict(overrides)
    return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


def shared_buffers() -> str:
    """128 MB, less where an eighth of the memory is less, never below 16 MB."""
    limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if _CGROUP.exists() and (text := _CGROUP.read_text("ascii").strip()).isdecimal():
        limit = min(limit, int(text))
    return f"{max(16, min(128, limit // 8 // _MEBI))}MB"
