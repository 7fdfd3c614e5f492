"""`serve`: a server for the events in a database."""

from __future__ import annotations

import argparse
import asyncio

from server.child import configure_logging
from server.commands.options import add_serving, own_database, settings_of
from server.migrate import migrate
from server.processes import Processes

HELP = """\
run the server for the events in the database

Serves the API and, on a port of its own, the live feed, until Ctrl-C. The embedded PostgreSQL starts and stops with it."""


def add(parser: argparse.ArgumentParser) -> None:
    add_serving(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    with own_database(settings) as (running, postgres):
        asyncio.run(migrate(running.database_url, durable=running.durable))
        configure_logging()
        processes = Processes(running, postgres)
        processes.run(lambda: print(f"API        {processes.api_url}\nLive feed  {processes.live_url}", flush=True))
    return 0
