"""`migrate`: the database's schema."""

from __future__ import annotations

import argparse
import asyncio
import json

from server.commands.options import add_data_dir, reached_database, settings_of
from server.db import open_database
from server.feed.actions import renew_epochs
from server.migrate import SCHEMA_VERSION, migrate

HELP = """\
bring the database to this release's schema

`serve` and `demo` do it by themselves; this is for an operator who wants it done before. Doing it again changes nothing.
A database that is newer, or belongs to something else, is refused and left as it is.

After a restore to an earlier moment phones must learn that the log they have read is not the one that stands there now. A server
notices that by itself where a dump was restored or PostgreSQL has recovered to a point in time. Where files were put back, a copy
of the data folder or a snapshot of the disk, say it with --restored before the server starts."""


def add(parser: argparse.ArgumentParser) -> None:
    add_data_dir(parser)
    parser.add_argument(
        "--restored", action="store_true", help="files were put back: give every channel of the feed a new epoch"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    with reached_database(settings_of(arguments)) as settings:
        created = asyncio.run(migrate(settings.database_url, durable=settings.durable))
        renewed = asyncio.run(_renew(settings.database_url)) if arguments.restored else 0
    if arguments.json:
        restored = {"renewed_channels": renewed} if arguments.restored else {}
        print(json.dumps({"schema_version": SCHEMA_VERSION, "created": created, **restored}))
        return 0
    print(f"Schema version {SCHEMA_VERSION}: {'created' if created else 'already there'}.")
    if arguments.restored:
        print(f"{renewed} channels have a new epoch: whoever has read them starts over.")
    return 0


async def _renew(url: str) -> int:
    async with open_database(url, size=1, name="migrate") as db:
        return await renew_epochs(db)
