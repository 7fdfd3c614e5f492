"""`migrate`: the database's schema."""

from __future__ import annotations

import argparse
import asyncio
import json

from server.commands.options import add_data_dir, reached_database, settings_of
from server.migrate import SCHEMA_VERSION, migrate

HELP = """\
bring the database to this release's schema

`serve` and `demo` do it by themselves; this is for an operator who wants it done before. Doing it again changes nothing.
A database that is newer, or belongs to something else, is refused and left as it is."""


def add(parser: argparse.ArgumentParser) -> None:
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    with reached_database(settings_of(arguments)) as settings:
        created = asyncio.run(migrate(settings.database_url, durable=settings.durable))
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "created": created}))
    else:
        print(f"Schema version {SCHEMA_VERSION}: {'created' if created else 'already there'}.")
    return 0
