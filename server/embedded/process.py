"""One life of the server process: started, waited for, watched, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from server.embedded import binaries, running, watch

if TYPE_CHECKING:
    from server.embedded.root import Identity

FAST_SECONDS, IMMEDIATE_SECONDS = 120.0, 10.0
"""Patience with a fast shutdown, which writes a checkpoint, and an immediate one, which leaves that to recovery."""

_POLL_SECONDS = 0.005


class EndedError(Exception):
    """The server ended before it was ready, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Postmaster:
    """A running server. `watched` uses the watcher process in place of the kernel's signal of the parent's death."""

    def __init__(self, words: list[str], identity: Identity, *, log: int, keep: int, watched: bool) -> None:
        command = identity.command(words, parent=None if watched else os.getpid())
        if watched:
            command = [sys.executable, "-I", "-S", "-B", str(Path(watch.__file__).resolve()), *command]
        self._watched = watched
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if watched else subprocess.DEVNULL,
            stdout=subprocess.PIPE if watched else log,
            stderr=log,
            cwd="/",
            env=binaries.bare_environment(),
            pass_fds=(keep,),
            start_new_session=True,  # Ctrl-C is the owner's to hear
        )
        self.pid = self._told_pid() if watched else self._process.pid

    def poll(self) -> int | None:
        """None while the server runs, then its status."""
        return self._process.poll()

    def wait_ready(self, folder: Path, *, seconds: float) -> None:
        """Returns when the server on that cluster takes queries.

        Raises:
            EndedError: the server ended instead.
            TimeoutError: it did neither in time.
        """
        end = time.monotonic() + seconds
        while not _ready(folder, self.pid):
            status = self.poll()
            if status is not None:
                raise EndedError(status)
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ends the server: what is committed is written, connections are cut. Returns when it has ended."""
        self._shut_fast()
        if not self._ends_within(FAST_SECONDS):
            self._signal(signal.SIGQUIT)
            if not self._ends_within(IMMEDIATE_SECONDS):
                self._signal(signal.SIGKILL)
        if self._process.wait() < 0 and self._watched:
            with suppress(ProcessLookupError):  # somebody killed the watcher: the server may still run
                os.kill(self.pid, signal.SIGINT)

    def _shut_fast(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        else:
            self._signal(signal.SIGINT)

    def _signal(self, number: signal.Signals) -> None:
        if not self._watched:
            self._process.send_signal(number)
        elif self.poll() is None:
            os.kill(self.pid, number)

    def _ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _told_pid(self) -> int:
        line = b""
        if self._process.stdout is not None:
            with self._process.stdout as told:
                line = told.readline()
        if not line:
            raise EndedError(self._process.wait())
        return int(line)


def _ready(folder: Path, pid: int) -> bool:
    """What PostgreSQL writes in its pid file; a question would leave a line in the log."""
    lines = running.read_pid_file(folder)
    return running.is_ready(lines) and lines[0] == str(pid)
