"""The processes of a running server: the API's and the gateway's, started, watched, started again, ended together."""

from __future__ import annotations

import errno
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from server.child import LIFELINE_FD, LISTENING_FD
from server.config import Settings, to_environment
from server.embedded import EmbeddedPostgres

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.1
READY_SECONDS = 30.0
RESTART_SECONDS = 0.5
GIVE_UP_AFTER = 5
"""Deaths of one child within `GIVE_UP_SECONDS` after which starting it again is no help."""
GIVE_UP_SECONDS = 20.0
GRACE_SECONDS = 12.0


class CannotServe(Exception):
    """The server cannot run; the message is one sentence that says what to do."""


class Process:
    """One child and its history."""

    def __init__(self, module: str, listening: socket.socket, environment: dict[str, str], lifeline: int) -> None:
        self.module = module
        self._listening = listening
        self._environment = environment
        self._lifeline = lifeline
        self._deaths: list[float] = []
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        fds = (self._listening.fileno(), self._lifeline)
        environment = {**os.environ, **self._environment, LISTENING_FD: str(fds[0]), LIFELINE_FD: str(fds[1])}
        self.running = subprocess.Popen(
            [sys.executable, "-m", self.module],
            env=environment,
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for the server, which then ends its children in order
        )

    def start_again_if_dead(self) -> None:
        """Raises `CannotServe` when it keeps dying."""
        if self.running is None or self.running.poll() is None:
            return
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < GIVE_UP_SECONDS] + [now]
        if len(self._deaths) >= GIVE_UP_AFTER:
            raise CannotServe(f"{self.module} ended {GIVE_UP_AFTER} times in a row: the lines above say why.")
        logger.error("%s ended with %s; starting it again", self.module, self.running.returncode)
        time.sleep(RESTART_SECONDS)
        self.start()


class Processes:
    """All children of one server, on two listening sockets."""

    def __init__(self, settings: Settings, postgres: EmbeddedPostgres | None) -> None:
        """Takes the ports. Raises `CannotServe` if somebody else has them."""
        self._postgres = postgres
        self._api = _listen(settings.host, settings.port, "--port")
        self._live = _listen_together(settings.host, settings.live_port, "--live-port", settings.gateways)
        self.port = self._api.getsockname()[1]
        self.live_port = self._live[0].getsockname()[1]
        self._lifeline_read, self._lifeline_write = os.pipe()
        settings = msgspec.structs.replace(settings, port=self.port, live_port=self.live_port)
        environment = to_environment(settings)
        self._host = settings.host
        self._children = [
            *(Process("server.api", self._api, environment, self._lifeline_read) for _ in range(settings.workers)),
            *(Process("server.live", listening, environment, self._lifeline_read) for listening in self._live),
        ]
        self._signals = 0

    @property
    def api_url(self) -> str:
        """Where this machine reaches the API."""
        return f"http://{_reachable(self._host)}:{self.port}"

    @property
    def live_url(self) -> str:
        """Where this machine reaches the live feed."""
        return f"ws://{_reachable(self._host)}:{self.live_port}"

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serves until a signal asks to stop. Raises `CannotServe`."""
        with _handling_signals(self._on_signal):
            try:
                for child in self._children:
                    child.start()
                if self._wait_until_ready():
                    on_ready()
                while not self._signals:
                    self._look_after()
            finally:
                self._stop()

    def _look_after(self) -> None:
        for child in self._children:
            child.start_again_if_dead()
        if self._postgres is not None and self._postgres.poll() is not None:
            logger.error("PostgreSQL ended; starting it again")
            self._postgres.restart()
        time.sleep(WATCH_SECONDS)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1
        if self._signals > 1:  # asked twice: at once
            for child in self._children:
                if child.running is not None:
                    child.running.kill()

    def _wait_until_ready(self) -> bool:
        """False when a signal came first."""
        deadline = time.monotonic() + READY_SECONDS
        for port in (self.port, self.live_port):
            while not _is_ready(self._host, port):
                if self._signals:
                    return False
                if time.monotonic() > deadline:
                    raise CannotServe(f"The server was not ready after {READY_SECONDS:.0f} s: the lines above say why.")
                self._look_after()
        return True

    def _stop(self) -> None:
        for child in self._children:
            if child.running is not None:
                child.running.terminate()
        os.close(self._lifeline_write)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            if child.running is None:
                continue
            try:
                child.running.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.running.kill()
                child.running.wait()
        for listening in (self._api, *self._live):
            listening.close()


def _listen_together(host: str, port: int, option: str, count: int) -> list[socket.socket]:
    """A socket for each of several processes, all on one port. Raises `CannotServe`.

    Of processes that share one, the first to wake takes everybody who is waiting, which is the whole hall when it comes back. The
    kernel deals connections out to sockets by itself (SO_REUSEPORT). The first is bound alone: two servers on one port would
    share it otherwise.
    """
    alone = _listen(host, port, option)
    if count == 1 or not hasattr(socket, "SO_REUSEPORT"):
        return [alone] * count
    port = alone.getsockname()[1]
    alone.close()
    return [_listen(host, port, option, shared=True) for _ in range(count)]


def _listen(host: str, port: int, option: str, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
        listening.listen(4096)
    except (OSError, OverflowError) as error:
        listening.close()
        raise CannotServe(_why_not(error, host, port, option)) from None
    os.set_inheritable(listening.fileno(), True)  # noqa: FBT003 - the call's own form
    return listening


def _why_not(error: Exception, host: str, port: int, option: str) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"Port {port} is in use: stop the program that has it, or choose another with {option}."
    if number == errno.EACCES:
        return f"Port {port} is not allowed to this user: choose one above 1023 with {option}."
    return f"Cannot listen on {host} port {port} ({error}): choose others with --host and {option}."


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=0.5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False  # not yet
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """An address by which this machine reaches what listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{host}]" if ":" in host else host


@contextmanager
def _handling_signals(handler: Callable[[int, object], None]) -> Iterator[None]:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    previous = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, before in zip(numbers, previous, strict=True):
            signal.signal(number, before)
