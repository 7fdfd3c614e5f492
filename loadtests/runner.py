"""Runs scenarios one after the other, prints each table as it comes, writes the report at the end."""

from __future__ import annotations

import argparse
import fcntl
import importlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import msgspec

from loadtests import machine, report, table
from loadtests.command import SCENARIOS, document
from loadtests.report import Chapter, Report
from loadtests.scenario import Aborted, Context, Result, Threshold, judge
from server import __version__
from server.embedded import EmbeddedError
from server.refusal import Refused

SCRATCH = "run-"


class Scenario(Protocol):
    """What a scenario's module has."""

    THRESHOLDS: Sequence[Threshold]
    BROKEN: Sequence[Threshold]
    """Only where there is a broken variant: what its figures must keep to so that it counts as caught."""

    def run(self, context: Context) -> Result:
        """Measures. Raises `Aborted`."""


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit status."""
    if not sys.platform.startswith("linux"):
        print("loadtests: the figures come from Linux' /proc: run it there.", file=sys.stderr)
        return 1
    folder: Path = (arguments.out or Path(__file__).with_name("out")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder) as alone:
        if not alone:
            print(
                f"loadtests: another run uses {folder}, and two would measure each other: wait for it.", file=sys.stderr
            )
            return 1
        return _run_all(arguments, folder)


def _run_all(arguments: argparse.Namespace, folder: Path) -> int:
    for leftover in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(leftover, ignore_errors=True)  # of a run that was killed
    _allow_open_files()
    found = machine.describe(folder)
    if found.load > 0.5:
        _say(f"this machine is not idle (load {found.load}): figures will be worse than they should")
    chapters = []
    names = arguments.scenarios or SCENARIOS
    if arguments.broken:
        names = [name for name in names if hasattr(_module(name), "BROKEN")]
        if not names:
            print("loadtests: none of these has a broken variant.", file=sys.stderr)
            return 1
    for name in names:
        chapters.append(_run_one(name, arguments, folder))
        if not arguments.json:
            _print(chapters[-1])
    written = Report(at=datetime.now(UTC), version=__version__, seed=arguments.seed, machine=found, chapters=chapters)
    page = report.write(written, folder)
    if arguments.json:
        print(msgspec.json.encode(written).decode())
    else:
        print(f"Report: {page}")
    return 0 if arguments.no_thresholds or all(chapter.passed for chapter in chapters) else 1


def _run_one(name: str, arguments: argparse.Namespace, folder: Path) -> Chapter:
    scenario = _module(name)
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
    began = time.monotonic()
    aborted, result = "", None
    context = Context(
        folder=scratch,
        say=_teller(name),
        seconds=arguments.seconds,
        seed=arguments.seed,
        sockets=arguments.sockets,
        attendees=arguments.attendees,
        workers=getattr(arguments, "workers", None),
        gateways=getattr(arguments, "gateways", None),
        broken=arguments.broken,
    )
    thresholds = scenario.BROKEN if context.broken else scenario.THRESHOLDS
    context.say("starting")
    try:
        result = scenario.run(context)
    except (Aborted, EmbeddedError, Refused) as reason:
        aborted = str(reason)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # a killed process may still be writing in it
    return Chapter(
        name=name,
        document=document(name),
        seconds=round(time.monotonic() - began, 1),
        result=result,
        verdicts=judge(result.figures, thresholds) if result else [],
        judged=context.full_size and not arguments.no_thresholds,
        aborted=aborted,
    )


def _module(name: str) -> Scenario:
    return cast("Scenario", importlib.import_module(f"loadtests.{name}"))


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else runs load tests there; holds a kernel lock on the folder itself for the length of the block."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)


def _print(chapter: Chapter) -> None:
    if chapter.result is None:
        print(f"{chapter.name} could not finish: {chapter.aborted}\n", flush=True)
    else:
        print(table.render(chapter.name, chapter.result, chapter.verdicts, judged=chapter.judged), flush=True)


def _teller(name: str) -> Callable[[str], None]:
    return lambda text: _say(f"{name}: {text}")


def _say(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def _allow_open_files() -> None:
    """As many as this user may have: 5,000 connections need 5,000 files in the gateway and as many in the generator.
    The server's processes inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
