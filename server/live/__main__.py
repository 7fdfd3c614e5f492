"""The gateway's process: `python -m server.live`, started by the server with its settings in the environment."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from functools import partial

from websockets.asyncio.server import serve

from server.child import Child, open_files, run_child
from server.config import Settings
from server.db import open_database
from server.event.directory import Events
from server.feed import Watch
from server.feed.bus import open_bus
from server.live.gateway import Gateway
from server.live.protocol import HELLO_SECONDS, MAX_FRAME_BYTES
from server.live.relay import Relay
from server.live.wire import MAX_BUFFERED, SEND_BUFFER, Socket
from server.migrate import ticket_key

RESERVED_FILES = 100
"""Of those the process may open: its database connections, its logs, and those it answers with 503."""

logger = logging.getLogger(__name__)


async def run_gateway(settings: Settings, listening: socket.socket, child: Child) -> None:
    """Serves until `child.stopping` is set, then drains."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # those it accepts have it from it
    key = await ticket_key(settings.database_url)
    async with (
        AsyncExitStack() as stack,
        open_database(settings.database_url, size=2, name="gateway") as db,
    ):
        bus = await open_bus(settings.nats_url, stack, name="gateway")
        watch = await stack.enter_async_context(Watch(settings.database_url, name="gateway watch", bus=bus).run())
        gateway = Gateway(settings, Events(db), key, most=open_files() - RESERVED_FILES)
        gateway.relay = Relay(db, watch, on_append=gateway.on_append, on_replaced=gateway.on_replaced)
        async with serve(
            gateway.handle,
            sock=listening,
            create_connection=partial(Socket, take_over=gateway.take_over),  # type: ignore[arg-type]
            process_request=gateway.process_request,
            backlog=4096,  # the library listens again, with 100: thousands of phones come back in one second
            compression=None,  # the same bytes for everybody, and 14 KiB instead of 64 a connection
            ping_interval=None,  # the heartbeat and the kernel's time-out notice the dead
            max_size=MAX_FRAME_BYTES,
            max_queue=4,
            write_limit=MAX_BUFFERED,
            open_timeout=HELLO_SECONDS,
            close_timeout=2,
            server_header=None,
        ) as server:
            duties = (gateway.sweep(), gateway.show_boards(), gateway.beat())
            background = [asyncio.create_task(duty) for duty in duties]
            await child.stopping.wait()
            await gateway.drain(server)
            for task in background:
                task.cancel()


if __name__ == "__main__":
    run_child(run_gateway)
