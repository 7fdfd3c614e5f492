"""`devices`: which scanners an event has, and how they are."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from server.commands.options import add_data_dir, find_event, reached_database, settings_of
from server.db import open_database
from server.device import queries
from server.device.types import Device
from server.migrate import migrate
from server.paging import MAX_LIMIT

HELP = """\
list an event's scanners: gate, profile, state, when each was last heard of

`token pair` makes one that waits for its phone, `token device` one with a token, `token revoke` takes a token out of use."""

_BEFORE_ALL = UUID(int=0)
COLUMNS = ("name", "gate", "profile", "state", "last seen", "app")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", metavar="EVENT", help="the event's slug")
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs")


def run(arguments: argparse.Namespace) -> int:
    with reached_database(settings_of(arguments)) as settings:
        devices = asyncio.run(_list(arguments.event, settings.database_url, durable=settings.durable))
    if arguments.json:
        print(msgspec.json.encode({"devices": devices}).decode())
    else:
        print(as_table(devices, datetime.now(UTC)))
    return 0


async def _list(slug: str, url: str, *, durable: bool) -> list[Device]:
    await migrate(url, durable=durable)
    async with open_database(url, size=1, name="devices") as db:
        event = await find_event(db, slug)
        devices: list[Device] = []
        after = _BEFORE_ALL
        async with db.read() as connection:
            while page := await queries.list_devices_after(
                connection, event.event_id, device_id=after, limit=MAX_LIMIT
            ):
                devices, after = devices + page, page[-1].id
        return sorted(devices, key=lambda device: (device.gate, device.name))


def as_table(devices: list[Device], now: datetime) -> str:
    """Aligned columns for a terminal."""
    lines = [COLUMNS, *(_cells(device, now) for device in devices)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cells(device: Device, now: datetime) -> tuple[str, ...]:
    return (device.name, device.gate, device.profile, device.state, ago(device.last_seen_at, now), device.app or "")


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, to the unit that matters."""
    if moment is None:
        return "never"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
