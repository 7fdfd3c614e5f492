"""What kills leave behind, and that the next start copes with it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from server.embedded import EmbeddedError, EmbeddedPostgres, lock
from tests.embedded.conftest import CHECKOUT, UNTIED


@pytest.mark.parametrize("how", ["tied", "watched"])
def test_killed_owner_takes_its_server_along_and_committed_rows_stay(data_dir, owner, is_gone, ask, how):
    process = owner(data_dir, how)
    ask(process.dsn, "create table kept as select 7 as n", "select 1")
    process.kill()
    assert is_gone(process.server_pid)
    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert ask(server.dsn, "select n from kept") == 7


def test_the_same_check_catches_a_server_that_nothing_ties_to_its_owner(data_dir, owner, is_gone, monkeypatch):
    process = owner(data_dir, broken=UNTIED)
    process.kill()
    assert not is_gone(process.server_pid, seconds=1.0)
    monkeypatch.setattr(lock, "ENDING_SECONDS", 0.2)
    with pytest.raises(EmbeddedError, match=f"`kill -INT {process.server_pid}`"):
        EmbeddedPostgres(data_dir).start()
    assert not is_gone(process.server_pid, seconds=0.0), "a refused start must leave the other server alone"
    os.kill(process.server_pid, signal.SIGINT)
    with EmbeddedPostgres(data_dir, durable=False) as server:  # waits for the one that is ending
        assert server.poll() is None


@pytest.mark.parametrize("watched", [False, True])
def test_killed_server_is_noticed_and_started_again_with_its_rows(data_dir, ask, is_gone, watched):
    with EmbeddedPostgres(data_dir, watched=watched) as server:
        ask(server.dsn, "create table kept as select 7 as n", "select 1")
        os.kill(server.pid, signal.SIGKILL)
        assert is_gone(server.pid)
        while server.poll() is None:
            pass  # the watcher is about to end with the same status
        assert ask(server.start(), "select n from kept") == 7


def test_killed_watcher_does_not_leave_two_servers(data_dir, ask, is_gone):
    with EmbeddedPostgres(data_dir, durable=False, watched=True) as server:
        first = server.pid
        server._running()._process.kill()
        assert server._running()._process.wait() == -signal.SIGKILL
        assert ask(server.restart(), "select 1") == 1
        assert is_gone(first, seconds=0.0)


def test_left_over_pid_file_with_a_living_strangers_pid_does_not_block(data_dir, owner, is_gone, ask):
    process = owner(data_dir)
    os.kill(process.server_pid, signal.SIGKILL)
    process.kill()
    assert is_gone(process.server_pid)
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text("\n".join([str(os.getppid()), *pid_file.read_text().splitlines()[1:], ""]))
    (process.sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getppid()}\n")
    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert ask(server.dsn, "select 1") == 1


def test_cluster_is_locked_as_long_as_the_server_lives_and_no_longer(data_dir):
    server = EmbeddedPostgres(data_dir, durable=False)
    server.start()
    descriptor = os.open(data_dir / "postgres", os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    server.stop()
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_server_started_by_hand_is_left_alone(data_dir, owner, ask, monkeypatch):
    """Such a server holds no lock of ours: the lock of this one is taken from it to make it look so."""
    process = owner(data_dir, broken=BY_HAND)
    process.kill()
    monkeypatch.setattr(lock, "ENDING_SECONDS", 0.2)
    with pytest.raises(EmbeddedError, match="still running"):
        EmbeddedPostgres(data_dir).start()
    assert ask(process.dsn, "select 1") == 1


BY_HAND = f"""
import subprocess
from server.embedded import process as p
{UNTIED}
class Bare(subprocess.Popen):
    def __init__(self, *words, pass_fds=(), **options):
        super().__init__(*words, **options)
p.subprocess.Popen = Bare
"""


def test_kill_in_the_middle_of_the_creation_leaves_a_folder_that_starts(tmp_path, ask):
    """The owner kills itself as soon as initdb has written its first file."""
    data_dir = tmp_path / "data"
    code = f"""
import os, signal, threading
from pathlib import Path
from server.embedded import EmbeddedPostgres
folder = Path({str(data_dir)!r})
def strike():
    while not any(folder.glob("postgres.new-*/PG_VERSION")):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=strike, daemon=True).start()
EmbeddedPostgres(folder, durable=False).start()
"""
    killed = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(data_dir.glob("postgres.new-*"))
    assert not (data_dir / "postgres").exists()
    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert ask(server.dsn, "select 1") == 1
    for _ in range(
        50
    ):  # the dying initdb may have written once more after it was tidied up: a later start tidies again
        with EmbeddedPostgres(data_dir, durable=False):
            leftovers = list(data_dir.glob("postgres.new-*"))
        if not leftovers:
            break
    assert not leftovers


def test_crash_between_creation_and_database_is_made_good(data_dir, ask):
    with EmbeddedPostgres(data_dir, durable=False) as server:
        ask(server.dsn.replace("/digitalnow?", "/postgres?"), "drop database digitalnow", "select 1")
        assert ask(server.restart(), "select current_database()") == "digitalnow"
