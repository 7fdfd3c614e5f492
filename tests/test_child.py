"""A process that nobody looks after any more ends by itself, whatever it is doing, and does not spin until it has."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.child import LIFELINE_FD, LISTENING_FD
from tests.waiting import PATIENCE

CHECKOUT = Path(__file__).resolve().parents[1]
BEGINNING = """
import asyncio
import server.child as child

child.STOPPING_SECONDS = 0.2
"""
STUBBORN = (
    BEGINNING
    + """
async def serve(settings, listening, own):
    print("started", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

child.run_child(serve)
"""
)
WILLING = (
    BEGINNING
    + """
async def serve(settings, listening, own):
    print("started", flush=True)
    await own.stopping.wait()
    print("stopping", flush=True)

child.run_child(serve)
"""
)
TURNS = (
    BEGINNING
    + """
told = []
on_lifeline = child.Child._on_lifeline
child.Child._on_lifeline = lambda own, descriptor: (told.append(1), CALL(own, descriptor))

async def serve(settings, listening, own):
    print("started", flush=True)
    await own.stopping.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    print(len(told), flush=True)

child.run_child(serve)
"""
)
Ending = Callable[[subprocess.Popen[str], int], None]


def leave(_process: subprocess.Popen[str], lifeline: int) -> None:
    os.close(lifeline)


def ask(process: subprocess.Popen[str], _lifeline: int) -> None:
    process.send_signal(signal.SIGTERM)


def end(script: str, how: Ending) -> tuple[int, str]:
    """Runs it as a child, ends it so; its exit code and what it printed."""
    reading, writing = os.pipe()
    with socket.socket() as listening:
        descriptors = (listening.fileno(), reading)
        environment = {
            **os.environ,
            LISTENING_FD: str(descriptors[0]),
            LIFELINE_FD: str(descriptors[1]),
            "DIGITALNOW_DRAIN_SECONDS": "0",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=CHECKOUT,
            env=environment,
            pass_fds=descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(reading)
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first == "started\n"
            how(process, writing)
            said, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            if how is not leave:
                os.close(writing)
    return process.returncode, said


@pytest.mark.parametrize("how", [leave, ask])
def test_it_stops_when_its_starter_has_gone_or_says_so(how: Ending) -> None:
    assert end(WILLING, how) == (0, "stopping\n")


@pytest.mark.parametrize("how", [leave, ask])
def test_what_does_not_stop_is_ended(how: Ending) -> None:
    """Nobody else would: a server that waits for a database that never comes back, say."""
    assert end(STUBBORN, how) == (1, "")


def test_a_lifeline_that_is_gone_is_looked_at_once() -> None:
    assert end(TURNS.replace("CALL", "on_lifeline"), leave) == (0, "1\n")


def test_one_that_is_looked_at_without_end_would_be_noticed() -> None:
    code, said = end(TURNS.replace("CALL", "(lambda own, _: own.stopping.set())"), leave)
    assert code == 0
    assert int(said) > 10
