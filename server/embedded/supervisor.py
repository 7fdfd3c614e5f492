"""`EmbeddedPostgres`: the data folder, its locks, its socket and its server as one thing that begins and ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from server.embedded import binaries, cluster, lock, root, settings, sockets, wire
from server.embedded.failure import EmbeddedError
from server.embedded.process import EndedError, Postmaster
from server.embedded.running import DATABASE

if TYPE_CHECKING:
    from collections.abc import Mapping

READY_SECONDS = 60.0
"""Patience with a start: after a crash the server first replays at most `max_wal_size` of its log."""

_STILL_SHARED = "is still in use"
"""PostgreSQL's words when a killed server's children have not ended yet."""

_PAUSE_SECONDS = 0.1


class EmbeddedPostgres:
    """A PostgreSQL server on `data_dir`, which is created when needed. As a context manager it is started and stopped.

    Synchronous: for the main thread of the process that owns the server. `settings` override the server's settings by
    name. `durable=False` is for tests. `watched` chooses how the server learns of its owner's death: by a watcher
    process, or by the kernel (Linux only, the default there).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        watched: bool = sys.platform != "linux",
    ) -> None:
        self.data_dir = Path(data_dir)
        self.log_path = self.data_dir / "postgres.log"
        self._durable = durable
        self._overrides = dict(settings or {})
        self._watched = watched
        self._held = ExitStack()
        self._server: Postmaster | None = None
        self._dsn = ""

    def start(self) -> str:
        """Starts the server if it does not run. Returns asyncpg's DSN of the database `digitalnow`.

        The first start creates everything and takes about a second; a later one some hundredths.

        Raises:
            EmbeddedError: PostgreSQL cannot run here; nothing is left running.
            RuntimeError: called from a thread other than the main one, whose end would end the server.
        """
        if not self._watched and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the server would end with this thread: start it from the main thread")
        if self._server is not None:
            return self._dsn if self.poll() is None else self.restart()
        with ExitStack() as stack:
            self._open(stack)
            self._server = self._run()
            self._held = stack.pop_all()
        return self._dsn

    def stop(self) -> None:
        """Ends the server and gives the data folder free. Nothing happens when it does not run."""
        try:
            if self._server is not None:
                self._server.stop()
                self._cleared()
        finally:
            self._server = None
            self._held.close()

    def restart(self) -> str:
        """Starts a new server in place of one that died or runs; the data folder stays owned in between.

        Raises:
            EmbeddedError: the new one does not start. `restart` may be tried again, or `stop`.
            RuntimeError: there was no `start`.
        """
        if self._server is None:
            raise RuntimeError("restart() before start()")
        self._server.stop()
        self._server = self._run()
        return self._dsn

    def poll(self) -> int | None:
        """None while the server runs; its status when it has died, negative for a signal (above 128 when watched).

        Raises:
            RuntimeError: it was never started, or has been stopped.
        """
        return self._running().poll()

    @property
    def pid(self) -> int:
        """The postmaster's process.

        Raises:
            RuntimeError: it was never started, or has been stopped.
        """
        return self._running().pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """What `start` returned."""
        return self._dsn

    def _running(self) -> Postmaster:
        if self._server is None:
            raise RuntimeError("the server was not started")
        return self._server

    def _open(self, stack: ExitStack) -> None:
        """Everything that outlives a restart: the locks, the programs, the cluster, the socket's folder."""
        data_dir = self.data_dir = self.data_dir.resolve()
        self.log_path = data_dir / "postgres.log"
        found = binaries.find()
        cluster.prepare(data_dir)
        stack.enter_context(lock.owner(data_dir))
        self._programs, self._identity = root.arrange(found, data_dir)
        self._folder = data_dir / "postgres"
        cluster.ensure(self._folder, self._programs, self._identity, durable=self._durable)
        self._cluster_lock = stack.enter_context(lock.cluster(self._folder))
        self._sockets = sockets.folder_for(data_dir)
        sockets.make(self._sockets, self._identity)
        stack.callback(sockets.remove, self._sockets)
        self._dsn = sockets.dsn(self._sockets, DATABASE)

    def _run(self) -> Postmaster:
        """A server that is ready. Tries again while the processes of a killed one are ending."""
        end = time.monotonic() + lock.ENDING_SECONDS
        while time.monotonic() < end:
            if self._cleared():
                before = self.log_path.stat().st_size if self.log_path.exists() else 0
                try:
                    return self._try()
                except EndedError as ended:
                    text = self._logged(before)
                    if _STILL_SHARED not in text:
                        raise cluster.explain(self.data_dir, text, ended.status) from None
            time.sleep(_PAUSE_SECONDS)
        raise lock.still_used(self._folder)

    def _try(self) -> Postmaster:
        words = [self._programs.path("postgres"), "-D", str(self._folder)]
        words += settings.arguments(self._sockets, self._overrides, durable=self._durable)
        log = cluster.open_log(self.data_dir)
        try:
            server = Postmaster(words, self._identity, log=log, keep=self._cluster_lock, watched=self._watched)
        finally:
            os.close(log)
        try:
            server.wait_ready(self._folder, seconds=READY_SECONDS)
            _create_database(str(self._sockets / sockets.NAME))
        except BaseException as error:
            server.stop()
            if isinstance(error, TimeoutError):
                raise _not_ready(self.log_path) from None
            raise
        return server

    def _cleared(self) -> bool:
        """Removes what a killed server left, which names a pid that may be anybody's by now.

        Allowed because this process holds both locks: nothing that was started here still lives on this cluster. A
        server that somebody started by hand holds no lock of ours: its working folder gives it away. Then nothing is
        removed, and the answer is False.
        """
        pid = lock.recorded_pid(self._folder)
        if pid is not None and _works_in(pid, self._folder):
            return False
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        sockets.clear(self._sockets)
        return True

    def _logged(self, start: int) -> str:
        with self.log_path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(start if start <= size else 0)  # the log may have been moved aside in between
            return file.read().decode("utf-8", "replace")


def _not_ready(log: Path) -> EmbeddedError:
    return EmbeddedError(f"PostgreSQL is not ready after {READY_SECONDS:.0f} seconds: read {log} and start again.")


def _create_database(socket: str) -> None:
    """Creates the database if it is absent: after the first creation, or a crash just after it."""
    with wire.Connection(socket, "postgres", seconds=READY_SECONDS) as connection:
        if connection.execute(f"select from pg_database where datname = '{DATABASE}'") == "SELECT 0":
            connection.execute(f"create database {DATABASE}")


def _works_in(pid: int, folder: Path) -> bool:
    """Whether that process is a server on this cluster. Where the system cannot tell, PostgreSQL's own check does."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False
