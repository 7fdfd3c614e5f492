"""Checkouts in miniature: the real bootstrap, a command that tells where it runs, and packages that need no network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

PYTHON = getattr(sys, "_base_executable", sys.executable)
"""The Python that a person would call: the one under the environment of this test run."""

TELLING = """
import json, os, sys, time

def main(argv):
    print(json.dumps({"prefix": sys.prefix, "argv": argv, "cwd": os.getcwd(), "path": sys.path}), flush=True)
    if argv == ["wait"]:
        time.sleep(60)
    return int(argv[1]) if argv[:1] == ["status"] else 0
"""


def make_wheel(folder: Path, name: str) -> str:
    """A package with nothing in it. Returns its line for a lock file."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in files.items():
            wheel.writestr(zipfile.ZipInfo(inner), text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Checkout:
    """A folder with what the bootstrap needs, and a way to start it as a person does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.stamp = self.venv / "digitalnow-stamp"
        (folder / "server").mkdir(parents=True)
        (folder / "tests").mkdir()
        (folder / "wheels").mkdir()
        for name in ("__init__.py", "__main__.py", "bootstrap.py", "environment.py", "zones.py"):
            shutil.copy(CHECKOUT / "server" / name, folder / "server")
        (folder / "server" / "commands.py").write_text(TELLING)
        (folder / "pyproject.toml").write_text("")
        narrow = make_wheel(folder / "wheels", "empty_one") + "elsewhere==1.0 ; sys_platform == 'beos'\n"
        self.lock = folder / "server" / "requirements.lock"
        self.lock.write_text(narrow)
        (folder / "tests" / "requirements.lock").write_text(narrow + make_wheel(folder / "wheels", "empty_two"))
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "DIGITALNOW"))
        }
        self.variables = own | {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": (folder / "wheels").as_uri(),
            "PIP_NO_CACHE_DIR": "1",
        }

    def start(
        self, *argv: str, python: str = PYTHON, cwd: Path | None = None, **variables: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [python, "-m", "server", *argv],
            cwd=cwd or self.folder,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *argv: str, python: str = PYTHON, cwd: Path | None = None, **variables: str) -> Ran:
        process = self.start(*argv, python=python, cwd=cwd, **variables)
        return Ran(*process.communicate(), process.returncode)

    def break_stamp(self, text: str) -> None:
        self.stamp.write_text(text)


class Ran:
    def __init__(self, out: str, err: str, status: int) -> None:
        self.out, self.err, self.status = out, err, status


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    return Checkout(tmp_path / "a check-out")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Checkout:
    """A checkout that was started once. Only for tests that change nothing in it."""
    made = Checkout(tmp_path_factory.mktemp("made once") / "a check-out")
    ran = made.run("status", "0")
    assert ran.status == 0, ran.err
    return made
