"""`doctor`: what could keep a server from running here."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg

from server import __version__
from server.commands.options import add_serving, settings_of
from server.config import Settings
from server.db import LOST_CONNECTION, UnsafeDatabase, connect, refuse_unsafe
from server.embedded import EmbeddedError
from server.embedded.binaries import find
from server.zones import version_in_use

HELP = """\
say what could keep the server from running here

Changes nothing. Every line is one check; the exit status is 1 when one of them would keep the server from starting."""

ENOUGH_FREE = 500 * 1024**2
ENOUGH_FILES = 8192

Check = Callable[[Settings], tuple[bool, str]]


def add(parser: argparse.ArgumentParser) -> None:
    add_serving(parser)
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    results = [(name, *check(settings)) for name, check in CHECKS]
    if arguments.json:
        print(json.dumps({name: {"ok": ok, "detail": detail} for name, ok, detail in results}))
    else:
        for name, ok, detail in results:
            print(f"{'ok  ' if ok else 'FAIL'}  {name:<10} {detail}")
    return 0 if all(ok for _, ok, _ in results) else 1


def _check_python(_settings: Settings) -> tuple[bool, str]:
    return True, f"digitalnow {__version__} on Python {sys.version.split()[0]}, {sys.platform}"


def _check_database(settings: Settings) -> tuple[bool, str]:
    if not settings.database_url:
        try:
            programs = find()
        except EmbeddedError as error:
            return False, str(error)
        return True, f"embedded PostgreSQL ({programs}) in {settings.data_dir}"
    return asyncio.run(_check_named_database(settings.database_url))


async def _check_named_database(url: str) -> tuple[bool, str]:
    try:
        connection = await connect(url, name="doctor")
    except (*LOST_CONNECTION, asyncpg.PostgresError) as error:
        return False, f"DIGITALNOW_DATABASE_URL cannot be used: {error}"
    try:
        await refuse_unsafe(connection)
        return True, f"PostgreSQL {connection.get_server_version().major} answers and keeps what it confirms"
    except UnsafeDatabase as error:
        return False, str(error)
    finally:
        await connection.close()


def _check_disk(settings: Settings) -> tuple[bool, str]:
    place = settings.data_dir.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return free >= ENOUGH_FREE, f"{free // 1024**2:,} MiB free at {place}"


def _check_port(port: int, host: str) -> tuple[bool, str]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return False, f"{host}:{port} cannot be taken ({error.strerror})"
    return True, f"{host}:{port} is free"


def _check_files(_settings: Settings) -> tuple[bool, str]:
    if sys.platform == "win32":
        return True, "not limited"
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return hard >= ENOUGH_FILES, f"{soft:,} open files, {hard:,} at most; one connection needs one"


def _check_clock(_settings: Settings) -> tuple[bool, str]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Africa/Casablanca")
    except ZoneInfoNotFoundError:
        return False, "no time zones: install the package tzdata"
    return True, f"time zones as of {version_in_use()}"


def _check_folder(settings: Settings) -> tuple[bool, str]:
    folder = Path(settings.data_dir)
    if folder.exists() and not folder.is_dir():
        return False, f"{folder} is a file"
    return True, f"{folder} {'exists' if folder.exists() else 'will be made'}"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", _check_python),
    ("database", _check_database),
    ("folder", _check_folder),
    ("disk", _check_disk),
    ("port", lambda settings: _check_port(settings.port, settings.host)),
    ("live port", lambda settings: _check_port(settings.live_port, settings.host)),
    ("files", _check_files),
    ("zones", _check_clock),
)
