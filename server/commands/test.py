"""`test`: everything that is checked before a change is taken."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from server.refusal import Refused

HELP = """\
run the whole test suite, lint and types

Needs a checkout. The tests start a PostgreSQL of their own. Further words go to pytest: `test -- -k door -x`."""

PARALLEL = ("-n", "4", "--dist", "loadfile")
"""Files at a time, on any number of cores: most of a test is waiting."""

CHECKS = (
    ("lint", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("imports", ("lint-imports", "--no-logo")),
    ("types", ("mypy",)),
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="only pytest, without lint and types")
    parser.add_argument("pytest", nargs="*", metavar="PYTEST_ARGUMENT")


def run(arguments: argparse.Namespace) -> int:
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "pyproject.toml").exists():
        raise Refused("`test` runs from a checkout of the source, and this is an installed package.")
    failed = []
    for name, command in () if arguments.quick else CHECKS:
        if not _passes(name, [str(Path(sys.executable).with_name(command[0])), *command[1:]], checkout):
            failed.append(name)
    if not _passes("tests", [sys.executable, "-m", "pytest", "-q", *PARALLEL, *arguments.pytest], checkout):
        failed.append("tests")
    print(f"Failed: {', '.join(failed)}." if failed else "Everything passed.", flush=True)
    return 1 if failed else 0


def _passes(name: str, command: list[str], checkout: Path) -> bool:
    print(f"── {name}", flush=True)
    started = time.monotonic()
    status = subprocess.run(command, cwd=checkout, env=os.environ, check=False).returncode
    print(f"   {'ok' if status == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s", flush=True)
    return status == 0
