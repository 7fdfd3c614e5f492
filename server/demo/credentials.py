"""What the sample event was made with, and its tokens: in the data folder, for its owner alone.

Tokens are stored in the database only as hashes, so these files are the only place where they can be read again.
"""

from __future__ import annotations

import csv
import os
import shutil
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from server.device.types import Profile

FILES = ("demo.json", "attendees.csv")


class DeviceCredential(Struct, frozen=True, kw_only=True):
    name: str
    gate: str
    profile: Profile
    token: str


class BoothCredential(Struct, frozen=True, kw_only=True):
    name: str
    booth: str
    token: str


class DemoFile(Struct, frozen=True, kw_only=True):
    """`demo.json`."""

    event: str
    """The event's slug, for URLs."""
    organizer_token: str
    devices: list[DeviceCredential]
    exhibitors: list[BoothCredential]


class Options(Struct, frozen=True, kw_only=True):
    """What an event was loaded with."""

    attendees: int = 5000
    exhibitors: int = 50
    seed: int = 1
    starts_on: date
    schedule: str | None = None
    """SHA-256 of the schedule file that took the programme's place."""


def folder_of(data_dir: Path, event_id: UUID) -> Path:
    """Where an event's files lie; the event's id keeps a replaced event's tokens apart."""
    return data_dir / "demo" / str(event_id)


def read_demo_file(folder: Path) -> DemoFile | None:
    """The tokens, or None where they are not."""
    path = folder / "demo.json"
    return msgspec.json.decode(path.read_bytes(), type=DemoFile) if path.exists() else None


def read_options(folder: Path) -> Options | None:
    path = folder / "options.json"
    return msgspec.json.decode(path.read_bytes(), type=Options) if path.exists() else None


def copy_out(folder: Path, target: Path) -> None:
    """Copies both files to where somebody asked for them, readable by nobody else."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        partial = target / f".{name}.partial"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as written, (folder / name).open("rb") as source:
            shutil.copyfileobj(source, written)
        partial.replace(target / name)


def first_attendee(folder: Path) -> dict[str, str]:
    """The first line of `attendees.csv` by column, to try things with; empty where there is nobody."""
    with (folder / "attendees.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file), {})
