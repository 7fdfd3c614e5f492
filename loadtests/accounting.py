"""What processes cost, from Linux' `/proc` (see proc_pid_stat(5) and proc_pid_smaps_rollup in the manual)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER_TICKS, _REAPED_SYSTEM_TICKS = 1, 11, 14
"""Places in /proc/PID/stat behind the name, which may hold spaces itself. User, system, and both of buried children."""


class Entry(Struct, frozen=True):
    """One process of the system."""

    pid: int
    parent: int
    cpu: float
    """Seconds of CPU so far, those of children that have ended and been waited for included."""


def read_entry(pid: int) -> Entry | None:
    """The process, or None when it has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    ticks = sum(map(int, fields[_USER_TICKS : _REAPED_SYSTEM_TICKS + 1]))
    return Entry(pid, int(fields[_PARENT]), ticks / _TICKS)


def family(pid: int) -> list[int]:
    """A process and everything below it, itself first."""
    names = [path.name for path in Path("/proc").iterdir() if path.name.isdecimal()]
    entries = [entry for name in names if (entry := read_entry(int(name))) is not None]
    found = [pid]
    for member in found:  # grows while it is walked
        found.extend(entry.pid for entry in entries if entry.parent == member)
    return found


def command_of(pid: int) -> list[str]:
    """A process's words; one empty word when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return [""]


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU used so far by all of them together."""
    return sum(entry.cpu for pid in pids if (entry := read_entry(pid)) is not None)


def proportional_bytes(pids: Iterable[int]) -> int | None:
    """Memory of all of them with shared pages counted once (PSS); None where the kernel does not tell us."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # a database connection that has ended
        except PermissionError:
            return None
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total
