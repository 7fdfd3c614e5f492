"""The ordinary life of a server: first start, restart, stop."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from server.embedded import EmbeddedPostgres, binaries

DEBIANS_OLDEST = binaries.system_folder(binaries.OLDEST)


def test_first_start_makes_everything_and_stop_leaves_only_the_data_folder(tmp_path, ask):
    server = EmbeddedPostgres(tmp_path / "data")
    dsn = server.start()
    sockets = server._sockets
    assert ask(dsn, "select current_database() || ' ' || current_setting('server_encoding')") == "digitalnow UTF8"
    assert ask(dsn, "select current_setting('data_checksums') || current_setting('fsync')") == "onon"
    assert ask(dsn, "select current_setting('listen_addresses')") == ""
    assert server.poll() is None
    assert [oct(path.stat().st_mode & 0o777) for path in (server.data_dir, sockets)] == ["0o700", "0o700"]
    server.stop()
    assert sorted(path.name for path in server.data_dir.iterdir()) == ["lock", "postgres", "postgres.log"]
    assert not sockets.exists()
    server.stop()  # a second time does nothing


def test_restart_keeps_rows_and_restart_in_place_too(data_dir, ask):
    with EmbeddedPostgres(data_dir) as server:
        ask(server.dsn, "create table kept as select 7 as n", "select 1")
        first = server.pid
        assert ask(server.restart(), "select n from kept") == 7
        assert server.pid != first
        assert server.start() == server.dsn  # a running server is left alone
    with EmbeddedPostgres(data_dir) as server:
        assert ask(server.dsn, "select n from kept") == 7


@pytest.mark.parametrize("watched", [False, True])
def test_deep_path_with_spaces_and_quotes_works(tmp_path, ask, watched):
    deep = tmp_path / ("a folder's name " * 5).strip() / "ünïcode 100%" / ("x" * 60)
    with EmbeddedPostgres(deep, durable=False, watched=watched) as server:
        assert len(str(server.data_dir)) > 150
        assert ask(server.dsn, "select 1") == 1


@pytest.mark.skipif(DEBIANS_OLDEST is None, reason="the system has no PostgreSQL 15")
def test_oldest_supported_version_works(tmp_path, ask, monkeypatch):
    monkeypatch.setenv("DIGITALNOW_PG_BIN", str(DEBIANS_OLDEST))
    with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        assert ask(server.dsn, "select current_setting('server_version_num')::int / 10000") == 15
        assert ask(server.dsn, "select current_setting('data_checksums')") == "on"


def test_settings_override_and_tests_need_not_be_durable(data_dir, ask):
    with EmbeddedPostgres(data_dir, durable=False, settings={"max_connections": "17"}) as server:
        assert ask(server.dsn, "select current_setting('max_connections')") == "17"
        assert ask(server.dsn, "select current_setting('fsync')") == "off"


def test_variables_of_the_person_at_the_keyboard_change_nothing(data_dir, ask, monkeypatch):
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGOPTIONS": "-c nonsense=1", "LC_ALL": "xx_YY"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(data_dir, durable=False) as server:
        monkeypatch.delenv("PGOPTIONS")  # asyncpg's own to read
        assert ask(server.dsn, "select 1") == 1


def test_relative_folder_survives_a_change_of_directory(data_dir, ask, monkeypatch):
    monkeypatch.chdir(data_dir.parent)
    server = EmbeddedPostgres(Path("data"), durable=False)
    with server:
        monkeypatch.chdir("/")
        assert ask(server.restart(), "select 1") == 1


def test_long_log_is_moved_aside(data_dir):
    (data_dir / "postgres.log").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    with EmbeddedPostgres(data_dir, durable=False):
        assert (data_dir / "postgres.log").stat().st_size < 100_000
        assert (data_dir / "postgres.log.1").stat().st_size > 10 * 1024 * 1024


def test_folder_of_somebody_keeps_its_mode(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "letter.txt").write_text("not ours")
    with EmbeddedPostgres(shared, durable=False) as server:
        assert shared.stat().st_mode & 0o777 == 0o755
        assert (server.data_dir / "postgres").stat().st_mode & 0o777 == 0o700
        assert (server.data_dir / "lock").stat().st_mode & 0o777 == 0o600


def test_start_in_a_passing_thread_is_refused(data_dir):
    seen: list[str] = []

    def start() -> None:
        with pytest.raises(RuntimeError) as refusal:
            EmbeddedPostgres(data_dir, watched=False).start()
        seen.append(str(refusal.value))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in seen[0]


def test_a_server_that_was_not_started_says_so(data_dir):
    server = EmbeddedPostgres(data_dir)
    for question in (server.poll, lambda: server.pid, server.restart):
        with pytest.raises(RuntimeError):
            question()
