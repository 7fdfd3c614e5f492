"""A server as people run it, `python -m server demo`, as a child process: started, looked into, killed, always ended.

The child is tied to this process by the kernel: should the load test be killed outright, the server still gets its SIGINT.
"""

from __future__ import annotations

import csv
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct

from loadtests import accounting
from loadtests.scenario import Aborted
from server.demo.credentials import DemoFile, read_demo_file
from server.embedded import EmbeddedPostgres, launch, sockets

CHECKOUT = Path(__file__).resolve().parents[1]
READY_SECONDS = 300.0
"""A first start with 150,000 attendees on a slow disk."""
STOP_SECONDS = 40.0
"""The server's own patience with its children and a fast shutdown of PostgreSQL."""
REBIRTH_SECONDS = 30.0
DATABASE = "digitalnow"
KEPT_SETTINGS = ("DIGITALNOW_PG_BIN", "DIGITALNOW_PG_SOCKETS")
"""Of the person's environment. Never DIGITALNOW_DATABASE_URL: nobody's own database is loaded with a demo event."""


class Loading(Struct, frozen=True):
    """What loading an event took."""

    seconds: float
    peak_bytes: int
    """The loading process at its largest, PostgreSQL not included."""


class Server:
    """One data folder and the server on it. As a context manager it is started and stopped."""

    def __init__(
        self,
        data_dir: Path,
        *,
        attendees: int,
        workers: int = 1,
        gateways: int = 1,
        postgres_settings: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`workers` is the number of API processes, `gateways` that of the live feed's. `postgres_settings` runs PostgreSQL apart
        from the server, embedded still, with these settings changed. `variables` come into the server's environment."""
        self.data_dir = data_dir.resolve()
        self.attendees = attendees
        self.workers = workers
        self.gateways = gateways
        self.host, self.port, self.live_port = "127.0.0.1", 0, 0
        self.started_in = 0.0
        """Seconds from the command to its "ready"."""
        self._postgres_settings = postgres_settings
        self._variables = dict(variables or {})
        self._postgres: EmbeddedPostgres | None = None
        self._process: subprocess.Popen[str] | None = None
        self._folder = self.data_dir
        self._held = ExitStack()

    # Its life.

    def load_only(self) -> Loading:
        """Loads the event into a fresh data folder and stops. Raises `Aborted` when that fails."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with (self.data_dir / "server.log").open("ab") as log:
            process = subprocess.Popen(
                tied(["server", "demo", *self._options(), "--load-only"]),
                cwd=CHECKOUT,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise Aborted(f"the event could not be loaded: {self.last_words()}")
        return Loading(time.monotonic() - began, usage.ru_maxrss * 1024)

    def start(self) -> None:
        """Returns when it is ready. Raises `Aborted` with the server's own last words."""
        variables = clean_environment() | self._variables
        if self._postgres_settings is not None:
            apart = EmbeddedPostgres(self.data_dir / "apart", settings=self._postgres_settings)
            self._postgres = self._held.enter_context(apart)
            variables["DIGITALNOW_DATABASE_URL"] = self._postgres.dsn
        began = time.monotonic()
        with (self.data_dir / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                tied(["server", "demo", *self._options(), "--port", "0", "--live-port", "0", "--json"]),
                cwd=CHECKOUT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is ours to hear: the server is stopped in order
            )
        line = read_line(self._process, READY_SECONDS)
        if not line:
            raise Aborted(f"the server did not start: {self.last_words()}")
        self.started_in = time.monotonic() - began
        told = json.loads(line)
        self.port = urlsplit(told["api_url"]).port or 0
        self.live_port = urlsplit(told["live_url"]).port or 0
        self._folder = Path(told["files"])

    def stop(self) -> None:
        """Ends it in order; what does not end in time is killed. Nothing of it stays but the data folder."""
        process, self._process = self._process, None
        try:
            if process is not None:
                end(process, STOP_SECONDS)
        finally:
            self._held.close()
            shutil.rmtree(sockets.folder_for(self.data_dir), ignore_errors=True)  # left there by a kill

    def kill(self) -> None:
        """SIGKILL to the server, its children and PostgreSQL, in one breath. `start` may follow."""
        process = self._running()
        for pid in accounting.family(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def kill_api(self, source: random.Random) -> None:
        """SIGKILL to an API process, of several any, which the server then starts again."""
        self._kill_one(lambda: source.sample(found := self.pids("server.api"), len(found)))

    def kill_gateway(self, source: random.Random) -> None:
        """SIGKILL to a gateway, of several any, which the server then starts again."""
        self._kill_one(lambda: source.sample(found := self.pids("server.live"), len(found)))

    def kill_postmaster(self) -> None:
        """SIGKILL to PostgreSQL's first process, which the server then starts again; the others notice and end."""
        self._kill_one(lambda: self.postgres_pids()[:1])

    def _kill_one(self, find: Callable[[], list[int]]) -> None:
        """Kills what is found. Between two of its lives nothing is: then it is waited for. Raises `Aborted`."""
        deadline = time.monotonic() + REBIRTH_SECONDS
        while time.monotonic() < deadline:
            with suppress(ProcessLookupError, FileNotFoundError):
                for pid in find():
                    os.kill(pid, signal.SIGKILL)
                    return
            self.check_alive()
            time.sleep(0.01)
        raise Aborted(f"a killed process did not come back: {self.last_words()}")

    def check_alive(self) -> None:
        """Raises `Aborted` when the server has ended by itself."""
        if self._running().poll() is not None:
            raise Aborted(f"the server ended: {self.last_words()}")

    def failed_under_load(self, errors: ExceptionGroup[Exception], *expected: type[Exception]) -> Exception:
        """What to raise for these errors of several tasks: a sentence where all are `expected`, else themselves.

        Raises `Aborted` when the server has ended. Not in an `except*`: before Python 3.11.4 that wraps what it raises.
        """
        if errors.split(expected)[1] is not None:
            return errors
        self.check_alive()
        return Aborted(f"the server failed under load ({errors.exceptions[0]}): {self.last_words()}")

    def __enter__(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What it is.

    @property
    def path(self) -> str:
        """The demo event's path below the API and below the live feed."""
        return f"/v1/events/{self.credentials.event}"

    @property
    def live_url(self) -> str:
        """Where the demo event's live feed is."""
        return f"ws://{self.host}:{self.live_port}{self.path}/live"

    @property
    def dsn(self) -> str:
        """Where its PostgreSQL is."""
        if self._postgres is not None:
            return self._postgres.dsn
        return sockets.dsn(sockets.folder_for(self.data_dir), DATABASE)

    @property
    def credentials(self) -> DemoFile:
        found = read_demo_file(self._folder)
        if found is None:
            raise Aborted(f"the server wrote no tokens into {self._folder}")
        return found

    def badges(self) -> list[str]:
        """Every attendee's badge code."""
        return [line["badge_code"] for line in self.people()]

    def people(self) -> list[dict[str, str]]:
        """The lines of `attendees.csv`, by column."""
        with (self._folder / "attendees.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def largest_ticket(self) -> tuple[str, list[str]]:
        """The ticket that most attendees have, and the badge codes of those."""
        lines = self.people()
        ticket = Counter(line["ticket"] for line in lines).most_common(1)[0][0]
        return ticket, [line["badge_code"] for line in lines if line["ticket"] == ticket]

    def pids(self, module: str) -> list[int]:
        """The server's processes that run this module: `server.api`, `server.live`, or `server` for the starter."""
        everybody = accounting.family(self._running().pid)
        return [pid for pid in everybody if accounting.command_of(pid)[1:3] == ["-m", module]]

    def postgres_pids(self) -> list[int]:
        """The postmaster and all its processes. Raises `ProcessLookupError`, `FileNotFoundError` when it does not run."""
        if self._postgres is not None:
            return accounting.family(self._postgres.pid)
        postmaster = int((self.data_dir / "postgres" / "postmaster.pid").read_text("utf-8").split()[0])
        if not accounting.command_of(postmaster)[0].endswith("postgres"):
            raise ProcessLookupError(f"process {postmaster} is not PostgreSQL any more")
        return accounting.family(postmaster)

    def everything(self) -> list[int]:
        """Every process of the server and of PostgreSQL."""
        return sorted({*accounting.family(self._running().pid), *self.postgres_pids()})

    def last_words(self) -> str:
        lines = (self.data_dir / "server.log").read_text("utf-8", "replace").splitlines()
        return (lines or ["it wrote nothing"])[-1]

    def _options(self) -> list[str]:
        words = ["--data-dir", str(self.data_dir), "--attendees", str(self.attendees)]
        for option, count in (("--workers", self.workers), ("--gateways", self.gateways)):
            words += [] if count == 1 else [option, str(count)]
        return words

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise Aborted("the server does not run")
        return self._process


def clean_environment() -> dict[str, str]:
    """This process's variables without settings of somebody's own server."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("DIGITALNOW_") or name in KEPT_SETTINGS
    }


def tied(words: list[str]) -> list[str]:
    """The words that run a module so that the kernel sends it SIGINT when this process ends, however it ends."""
    launcher = [sys.executable, "-I", "-S", "-B", str(Path(launch.__file__).resolve()), "--parent", str(os.getpid())]
    return [*launcher, "--", sys.executable, "-m", *words]


def read_line(process: subprocess.Popen[str], seconds: float) -> str:
    """The next line of a child that writes one line at a time; empty when it ended or the time is over."""
    stdout = process.stdout
    if stdout is None or not select.select([stdout], [], [], seconds)[0]:
        return ""
    return stdout.readline()


def end(process: subprocess.Popen[str], seconds: float) -> None:
    """Asks a child to end (SIGINT), and kills it and what is below it if it does not."""
    below = accounting.family(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
