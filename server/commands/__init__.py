"""The command line. Each module here is one command: `add` describes it, `run` carries it out."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType

import asyncpg

from server import __version__
from server.commands import badges, demo, devices, doctor, export, import_, keys, migrate, serve, test, token
from server.config import InvalidSetting
from server.db import UnsafeDatabase
from server.embedded import EmbeddedError
from server.migrate import SchemaRefused
from server.processes import CannotServe
from server.refusal import Refused

COMMANDS: tuple[ModuleType, ...] = (demo, serve, test, import_, export, migrate, token, devices, badges, keys, doctor)

EPILOG = """\
start here:
  python3 -m server demo        a whole conference on this machine, to try things with
  python3 -m server COMMAND --help

Settings come from options or from environment variables DIGITALNOW_…; options win.
"""


def main(argv: list[str] | None = None) -> int:
    """Runs a command. Returns the exit status: 0 done, 1 could not, 2 was called wrongly."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except (EmbeddedError, CannotServe, SchemaRefused, UnsafeDatabase, InvalidSetting, Refused) as refusal:
        return _refuse(str(refusal))
    except asyncpg.PostgresError as error:
        return _refuse(f"PostgreSQL refuses: {error}. Check DIGITALNOW_DATABASE_URL, its user and its rights.")
    except (ConnectionError, TimeoutError, asyncpg.InterfaceError) as error:
        return _refuse(f"PostgreSQL cannot be reached ({error}): check DIGITALNOW_DATABASE_URL and that it runs.")
    except KeyboardInterrupt:
        return 130
    return status


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitalnow",
        description="The backend of a conference's companion app: programme, check-in, live feed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"digitalnow {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2].rstrip("_")  # `import` is Python's own word
        summary, _, details = module.HELP.partition("\n\n")
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary}\n\n{details}".strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add(command)
        command.set_defaults(run=module.run)
    return parser


def _refuse(sentence: str) -> int:
    print(f"digitalnow: {sentence}", file=sys.stderr)
    return 1
