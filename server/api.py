"""An API process: `python -m server.api`, started by the server with its settings in the environment."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from server.app import create_app
from server.checkin.lane import Lane
from server.child import Child, run_child
from server.config import Settings
from server.direct import ShortWay
from server.http_protocol import HttpProtocol
from server.schedule.lane import Reading


class _Server(uvicorn.Server):
    """uvicorn, told to stop by the child's own means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to `Child`: uvicorn would take them over and raise them again at its end."""
        yield


async def run_api(settings: Settings, listening: socket.socket, child: Child) -> None:
    """Serves until `child.stopping` is set; requests under way are answered."""
    app = create_app(settings)
    reading = Reading(app.state)
    short_way = ShortWay({b"POST": Lane(app.state), b"GET": reading, b"HEAD": reading})
    server = _Server(
        uvicorn.Config(
            app,
            http=partial(HttpProtocol, short_way=short_way),  # type: ignore[arg-type]
            ws="none",
            loop="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            backlog=4096,
            timeout_keep_alive=75,
            proxy_headers=False,  # nothing here depends on a client's address or on what a proxy says of it
            timeout_graceful_shutdown=10,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(child.stopping.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def _calm_the_collector() -> None:
    """Leaves what imports have made alone, and looks for cycles when something has grown, not after every sixtieth scan.

    Requests leave next to none. As Python sets it, the collector took a microsecond of every scan, and stopped the process for
    a tenth of a second while a door of 30,000 badges was being loaded.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20)


if __name__ == "__main__":
    _calm_the_collector()
    run_child(run_api)
