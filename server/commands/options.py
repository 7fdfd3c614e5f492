"""Options that several commands take, and what they come to."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from server.config import Settings, check_ranges, read_settings
from server.db import Database
from server.embedded import EmbeddedPostgres, InUseError, running
from server.errors import UnknownEvent
from server.event.directory import Events
from server.event.types import EventRow
from server.refusal import Refused


def add_data_dir(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="where the embedded PostgreSQL keeps everything (default .digitalnow); "
        "DIGITALNOW_DATABASE_URL names an existing PostgreSQL instead",
    )


def add_serving(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--host", metavar="ADDRESS", help="where to listen (default 127.0.0.1; 0.0.0.0: everywhere)")
    parser.add_argument("--port", type=int, metavar="N", help="of the API (default 8000; 0: any free one)")
    parser.add_argument("--live-port", type=int, metavar="N", help="of the live feed (default 8001; 0: any free one)")
    parser.add_argument("--workers", type=int, metavar="N", help="API processes (default 1)")
    parser.add_argument("--gateways", type=int, metavar="N", help="processes of the live feed (default 1)")
    add_data_dir(parser)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The environment's settings with the given options over them."""
    given = {
        name: value
        for name in ("host", "port", "live_port", "workers", "gateways", "data_dir")
        if (value := getattr(arguments, name, None)) is not None
    }
    settings = msgspec.structs.replace(read_settings(), **given)
    check_ranges(settings)
    return settings


async def find_event(db: Database, slug: str) -> EventRow:
    """The event of this slug or id. Raises `Refused`."""
    try:
        return await Events(db).get(slug)
    except UnknownEvent:
        raise Refused(f"There is no event `{slug}`: give its slug, such as digital-now.") from None


@contextmanager
def own_database(settings: Settings) -> Iterator[tuple[Settings, EmbeddedPostgres | None]]:
    """For a server: settings whose database runs, the named one, or the embedded one, its own for the length of the block."""
    if settings.database_url:
        yield settings, None
        return
    with EmbeddedPostgres(settings.data_dir, durable=settings.durable) as postgres:
        yield msgspec.structs.replace(settings, database_url=postgres.start()), postgres


@contextmanager
def reached_database(settings: Settings) -> Iterator[Settings]:
    """For a command: as `own_database`, but beside a server that runs on the same data folder it uses that one's."""
    with ExitStack() as stack:
        try:
            settings, _ = stack.enter_context(own_database(settings))
        except InUseError:
            url = running.find(settings.data_dir)
            if url is None:  # it is starting, or ending
                raise
            settings = msgspec.structs.replace(settings, database_url=url)
        yield settings
