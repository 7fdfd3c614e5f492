"""What every process that the server starts has in common: how it is told to stop, and how it notices that nobody will.

The starter holds the writing end of a pipe, the lifeline. When it goes, however it goes, the pipe closes and the child stops
by itself: no orphan keeps a port or a database connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

from server.config import Settings, read_settings

logger = logging.getLogger(__name__)

STOPPING_SECONDS = 20.0
"""What a child may take to stop, besides saying good-bye to its clients."""
LISTENING_FD = "DIGITALNOW_CHILD_LISTENING_FD"
LIFELINE_FD = "DIGITALNOW_CHILD_LIFELINE_FD"


class Child:
    """A child's view of the process that started it."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()

    def listen(self) -> None:
        """Sets `stopping` on SIGTERM or when the starter has gone."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        lifeline = os.environ.get(LIFELINE_FD)
        if lifeline is not None:
            loop.add_reader(int(lifeline), self._on_lifeline, int(lifeline))

    def _on_lifeline(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(
            descriptor
        )  # a closed pipe stays readable: the loop would turn without end
        self.stopping.set()


def run_child(serve: Callable[[Settings, socket.socket, Child], Awaitable[None]]) -> None:
    """Runs a child's coroutine with its settings and its listening socket until it ends."""
    configure_logging()
    _allow_many_connections()
    listening = socket.socket(fileno=int(os.environ[LISTENING_FD]))

    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve_until_told(serve, listening))


async def _serve_until_told(
    serve: Callable[[Settings, socket.socket, Child], Awaitable[None]], listening: socket.socket
) -> None:
    """Ends with `serve`, or, when that has been told to stop and does not, without it: nobody is left who would end it."""
    settings, child = read_settings(), Child()
    child.listen()
    serving = asyncio.ensure_future(serve(settings, listening, child))
    stopping = asyncio.create_task(child.stopping.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not serving.done():
        await asyncio.wait([serving], timeout=settings.drain_seconds + STOPPING_SECONDS)
    if not serving.done():
        logger.error("did not stop in time, and is ended")
        logging.shutdown()
        os._exit(1)
    await serving


def configure_logging() -> None:
    """Warnings and what an operator wants to know, to stderr, one line each."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # a client that goes away mid-handshake is no news
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def open_files() -> int:
    """How many files this process may have open, sockets included."""
    if sys.platform == "win32":
        return 8192  # what its C library allows
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _allow_many_connections() -> None:
    """Raises the soft limit of open files to the hard one: 1,024, the usual soft one, is not enough for a hall of phones."""
    if sys.platform == "win32":
        return
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS calls its hard limit infinite and allows less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
