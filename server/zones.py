"""Which time zones are believed: of the machine's and the package's the newer ones.

A clock changes by decree, Morocco's more often than others, and a machine may be a year behind: Python would take its zones
before those of the package `tzdata`. Who sets PYTHONTZPATH has decided already.
"""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Iterable, Sequence
from pathlib import Path

_VERSION = re.compile(rb"# version (\d{4}[a-z]+)")
"""The first line of `tzdata.zi` as the IANA's own installation writes it."""


def use_newest() -> None:
    """For this process and all that it starts. Keeps what Python does where the package is not installed."""
    package = package_version()
    if package is not None and "PYTHONTZPATH" not in os.environ:
        zoneinfo.reset_tzpath(to=newer_than(package, zoneinfo.TZPATH))
        zoneinfo.ZoneInfo.clear_cache()


def newer_than(version: str, folders: Iterable[str]) -> Sequence[str]:
    """Those of the folders that say they are newer than `version`, such as `2026f`; who says nothing is not believed."""
    return [folder for folder in folders if (folder_version(Path(folder)) or "") > version]


def folder_version(folder: Path) -> str | None:
    """None where there are no zones, or where nobody says how old they are."""
    try:
        with (folder / "tzdata.zi").open("rb") as file:
            found = _VERSION.match(file.readline(100))
    except OSError:
        return None
    return None if found is None else found[1].decode()


def package_version() -> str | None:
    """Before the packages are installed there is none."""
    try:
        import tzdata
    except ImportError:
        return None
    return str(tzdata.IANA_VERSION)


def version_in_use() -> str:
    """As people name it, `2026f`."""
    machine = (folder_version(Path(folder)) for folder in zoneinfo.TZPATH)
    return next((version for version in machine if version), None) or package_version() or "unknown"
