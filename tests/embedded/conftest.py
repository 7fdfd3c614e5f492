"""Real servers, made quickly: one cluster is created for the whole run and copied for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from server.embedded import EmbeddedPostgres, binaries

CHECKOUT = Path(__file__).resolve().parents[2]

OWNER = """
import sys
from pathlib import Path
from server.embedded import EmbeddedPostgres
{broken}
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False, watched=sys.argv[2] == "watched")
print(server.start(), server.pid, flush=True)
sys.stdin.read()
"""
"""A process that owns a server until its standard input closes. `broken` is a line that breaks a safety property."""

UNTIED = """
from server.embedded.root import Identity
tied = Identity.command
Identity.command = lambda self, words, *, parent=None: tied(self, words)
"""
"""The property broken: nothing ties the server's life to its owner's."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do this")


@pytest.fixture
def short_path():
    """A folder near the root: a socket's path has about 100 characters, and pytest's own folders can be too deep."""
    folder = Path(tempfile.mkdtemp(prefix="dn-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True, scope="session")
def programs() -> Path:
    """The programs of this run; every test here needs them."""
    return binaries.find()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made-once") / "data"
    with EmbeddedPostgres(folder, durable=False):
        pass
    return folder


@pytest.fixture
def data_dir(made_once, tmp_path) -> Path:
    """A data folder whose cluster is there, stopped."""
    folder = tmp_path / "data"
    shutil.copytree(made_once, folder, symlinks=True)
    return folder


@pytest.fixture
def ask():
    """Runs statements on one connection and returns the value of the last."""

    async def run(dsn: str, statements: tuple[str, ...]) -> object:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    def asked(dsn: str, *statements: str) -> object:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(run(dsn, statements))

    return asked


class Owner:
    """A living process that owns a server."""

    def __init__(self, data_dir: Path, how: str, broken: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(broken=broken), str(data_dir), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        self.dsn, pid = self.process.stdout.readline().split()
        self.server_pid = int(pid)
        self.sockets = Path(self.dsn.split("host=")[1].split("&")[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def owner():
    """Starts processes that own servers. At the end both are gone, whatever the test did."""
    started: list[Owner] = []

    def start(data_dir: Path, how: str = "tied", broken: str = "") -> Owner:
        started.append(Owner(data_dir, how, broken))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.communicate()
        with suppress(ProcessLookupError):
            os.kill(each.server_pid, signal.SIGINT)
        assert gone(each.server_pid)
        shutil.rmtree(each.sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def is_gone():
    return gone


def gone(pid: int, seconds: float = 20.0) -> bool:
    """Whether the process ends within that time. One that is dead and unburied is gone."""
    end = time.monotonic() + seconds
    while _alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip()[:1] not in {"", "Z"}
