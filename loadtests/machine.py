"""On what the figures were measured, for whoever reads them later."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from server.embedded import binaries

FLUSHES = 50


class Machine(Struct, frozen=True):
    """What is known of a machine."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    postgres: str
    file_system: str
    """That the data was on."""
    flush_ms: float
    """The median time of writing 8 KiB to that disk for good: what one commit costs at least."""
    load: float
    """How busy the machine was before the run: the average number of running processes of the last minute."""


def describe(folder: Path) -> Machine:
    """This machine, with the disk under `folder`."""
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_field("/proc/cpuinfo", "model name"),
        memory_gib=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgres=_postgres(),
        file_system=file_system_of(folder.resolve(), Path("/proc/mounts").read_text("utf-8").splitlines()),
        flush_ms=round(_flush_seconds(folder) * 1000, 3),
        load=round(os.getloadavg()[0], 2),
    )


def file_system_of(folder: Path, mounts: Sequence[str]) -> str:
    """The kind of file system a folder is on, by the lines of /proc/mounts: a flush to tmpfs costs nothing."""
    best, kind = Path("/"), "unknown"
    for line in mounts:
        _, place, found, *_ = line.split()
        mounted = Path(place)
        if folder.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, found
    return kind


def _postgres() -> str:
    folder = binaries.find()
    return binaries.ask_version([str(folder / "postgres"), "--version"]).stdout.strip() or "unknown"


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return platform.machine()


def _flush_seconds(folder: Path) -> float:
    path = folder / "flush"
    page = bytes(8192)
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            file.write(page)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(times)
