"""Root never runs PostgreSQL as root."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from server.embedded import EmbeddedError, EmbeddedPostgres, root
from tests.embedded.conftest import needs_root

pytestmark = [needs_root, pytest.mark.skipif(sys.platform != "linux", reason="user namespaces are Linux's")]


@pytest.fixture
def open_folder():
    """A folder that everybody may enter all the way down."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def no_namespaces(monkeypatch):
    monkeypatch.setattr(root, "NAMESPACES", False)


def effective_uid_inside(pid: int) -> int:
    """The server's user as its own namespace calls it: the kernel's name for it, mapped."""
    kernels = int(Path(f"/proc/{pid}/status").read_text().split("\nUid:")[1].split()[1])
    for line in Path(f"/proc/{pid}/uid_map").read_text().splitlines():
        inside, outside, count = map(int, line.split())
        if outside <= kernels < outside + count:
            return inside + kernels - outside
    raise AssertionError("the server's user has no name in its namespace")


def test_in_a_namespace_files_stay_roots_and_closed_parents_do_not_matter(tmp_path, ask):
    tmp_path.chmod(0o700)
    with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        assert ask(server.dsn, "select 1") == 1
        assert effective_uid_inside(server.pid) != 0
        assert (server.data_dir / "postgres" / "PG_VERSION").stat().st_uid == 0


def test_as_nobody_programs_are_copied_where_they_lie_too_deep(open_folder, ask, no_namespaces, is_gone):
    with EmbeddedPostgres(open_folder / "data", durable=False) as server:
        assert ask(server.dsn, "select 1") == 1
        owner = (server.data_dir / "postgres").stat().st_uid
        assert owner == effective_uid_inside(server.pid) != 0
        for copy in server.data_dir.glob("programs-*"):
            assert copy.stat().st_uid == 0
            assert not any(path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) for path in copy.rglob("*"))
        assert server._sockets.stat().st_uid == owner
        pid = server.pid
    assert is_gone(pid)


def test_files_follow_when_root_comes_back_as_another(open_folder, ask, monkeypatch):
    for namespaces in (True, False, True):
        monkeypatch.setattr(root, "NAMESPACES", namespaces)
        with EmbeddedPostgres(open_folder / "data", durable=False) as server:
            ask(server.dsn, "create table if not exists kept (n int)", "insert into kept values (1)", "select 1")
    with EmbeddedPostgres(open_folder / "data", durable=False) as server:
        assert ask(server.dsn, "select count(*) from kept") == 3
        owners = {os.lstat(path).st_uid for path in (server.data_dir / "postgres").rglob("*")}
        assert owners == {0}


def test_as_nobody_a_closed_parent_is_named(tmp_path, no_namespaces):
    tmp_path.chmod(0o700)
    with pytest.raises(EmbeddedError, match="the user nobody cannot enter"):
        EmbeddedPostgres(tmp_path / "data").start()


def test_as_nobody_the_server_ends_with_its_killed_owner(open_folder, owner, is_gone):
    process = owner(open_folder / "data", broken="from server.embedded import root; root.NAMESPACES = False")
    process.kill()
    assert is_gone(process.server_pid)


def test_forbidden_namespaces_are_noticed(open_folder, owner):
    """A container's rule, made here by a filter on the one system call."""
    process = owner(open_folder / "data", broken=FORBIDDEN)
    assert Path(f"/proc/{process.server_pid}").stat().st_uid != 0


FORBIDDEN = """
import ctypes, platform, struct
number = {"x86_64": 272, "aarch64": 97}[platform.machine()]  # unshare(2)
code = b"".join(struct.pack("HBBI", *each) for each in [
    (0x20, 0, 0, 0),  # load the number of the call
    (0x15, 0, 1, number),  # another call: skip one
    (0x06, 0, 0, 0x00050001),  # answer EPERM
    (0x06, 0, 0, 0x7FFF0000),  # allow
])
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_char_p)]
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.byref(Program(4, code)), 0, 0) == 0
"""
