"""Of the machine's time zones and the package's the newer ones are believed, unless the operator has said which."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from server import zones

ZONE = "Africa/Casablanca"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A machine on which Casablanca is where Karachi is."""
    (tmp_path / "Africa").mkdir()
    data = importlib.resources.files("tzdata.zoneinfo.Asia").joinpath("Karachi").read_bytes()
    (tmp_path / ZONE).write_bytes(data)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    yield tmp_path
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


def says(folder: Path, version: str) -> None:
    (folder / "tzdata.zi").write_text(f"# version {version}\n# more\n", encoding="ascii")


def is_karachi() -> bool:
    zoneinfo.ZoneInfo.clear_cache()
    return datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo(ZONE)).utcoffset() == timedelta(hours=5)


@pytest.mark.usefixtures("machine")
def test_python_alone_would_believe_the_machine() -> None:
    assert is_karachi()


@pytest.mark.parametrize("version", ["1999z", "2025b", "", "junk"])
def test_an_older_machine_is_not_believed(machine: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONTZPATH", raising=False)
    if version:
        says(machine, version)
    zones.use_newest()
    assert not is_karachi()
    assert zones.version_in_use() == zones.package_version()


def test_a_newer_machine_is_believed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONTZPATH", raising=False)
    says(machine, "2199a")
    zones.use_newest()
    assert is_karachi()
    assert zones.version_in_use() == "2199a"


def test_whoever_has_decided_is_obeyed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONTZPATH", str(machine))
    zones.use_newest()
    assert is_karachi()


def test_without_the_package_python_does_as_it_always_does(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONTZPATH", raising=False)
    monkeypatch.setattr(zones, "package_version", lambda: None)
    zones.use_newest()
    assert is_karachi()


def test_every_process_of_the_server_begins_so(machine: Path) -> None:
    """Also a command: before anything else of the server is imported."""
    says(machine, "1999a")
    asked = (
        "import zoneinfo; zoneinfo.reset_tzpath(to=[{folder!r}]); import server; "
        "print(zoneinfo.ZoneInfo('Africa/Casablanca').utcoffset(__import__('datetime').datetime(2020, 1, 1)))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONTZPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", asked.format(folder=str(machine))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert ran.stdout.strip() == "1:00:00"
