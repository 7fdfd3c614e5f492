"""The crowd of phones seen from the load test: a process of its own that is told what to do, a line of JSON each way."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import Self, TypeVar

import msgspec
from msgspec import Struct

from loadtests import accounting
from loadtests.histogram import Histogram, Packed
from loadtests.scenario import Aborted, Figure
from loadtests.server_under_test import CHECKOUT, end, read_line, tied

CONNECT_SECONDS = 120.0
"""After which whoever has not arrived counts as failed."""
PATIENCE = 30.0


class Connect(Struct, frozen=True, tag=True):
    """Everybody comes, or comes back to where they were."""


class Drop(Struct, frozen=True, tag=True):
    """Everybody's connection is cut without a goodbye, as in a dead spot."""


class Collect(Struct, frozen=True, tag=True):
    """Waits until everybody has event `seq`."""

    seq: int
    since: float
    """From when to count, by the kernel's monotonic clock."""
    seconds: float
    """How long to wait."""


class Look(Struct, frozen=True, tag=True):
    """Asks how things stand."""


Command = Connect | Drop | Collect | Look


class Arrived(Struct, frozen=True):
    """Answer to `Connect`."""

    seconds: float
    """From the first connection's SYN to the last client's `ready`."""
    ready: int
    resumed: int
    retries: int


class Delivered(Struct, frozen=True):
    """Answer to `Collect`. Times in seconds since what `Collect` named; 0 where nobody has it."""

    clients: int
    first: float
    middle: float
    p99: float
    last: float
    latencies: Packed


def latencies_of(delivered: Iterable[Delivered]) -> Histogram:
    """Of all of them together."""
    together = Histogram()
    for one in delivered:
        together.merge(Histogram.unpack(one.latencies))
    return together


def delivery_figures(key: str, label: str, delivered: Iterable[Delivered]) -> list[Figure]:
    """How long all of them took to a client."""
    together = latencies_of(delivered)
    return [
        Figure(f"{key}_p50", f"{label}, p50", together.percentile(50) * 1000, "ms"),
        Figure(f"{key}_p99", "  p99", together.percentile(99) * 1000, "ms"),
    ]


class Standing(Struct, frozen=True):
    """Answer to `Look` and `Drop`."""

    connected: int
    position: int
    """The least anybody has reached."""
    events: int
    gaps: int
    """Events that came other than in order, each once."""
    lost: int
    """Connections that ended without having been told to."""
    codes: dict[int, int]
    """Close codes received, and how often."""


Answer = TypeVar("Answer", bound=Struct)


class Phones:
    """A process of phones. As a context manager it is started and ended."""

    def __init__(self, module: str, *words: str) -> None:
        """`words` are the module's own on its command line."""
        self._command = [module, *words]
        self._process: subprocess.Popen[str] | None = None

    def cpu_seconds(self) -> float:
        """What the clients have cost so far."""
        return accounting.cpu_seconds([self._running().pid])

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            tied(self._command),
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        end(self._running(), 10.0)

    def _ask(self, command: Struct, kind: type[Answer], seconds: float) -> Answer:
        process = self._running()
        if process.stdin is None or process.poll() is not None:
            raise Aborted("the feed's clients have ended")
        process.stdin.write(msgspec.json.encode(command).decode() + "\n")
        process.stdin.flush()
        line = read_line(process, seconds)
        if not line:
            raise Aborted(f"the feed's clients did not answer within {seconds:.0f} s")
        return msgspec.json.decode(line, type=kind)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise Aborted("the feed's clients were not started")
        return self._process


class Crowd(Phones):
    """Many clients of one channel, who come, go and count together."""

    MODULE = "loadtests.feed_clients"

    def __init__(self, url: str, count: int, *words: str, bare: bool = False) -> None:
        """`bare` clients say no hello: for comparing with a server that knows no protocol of ours."""
        super().__init__(self.MODULE, url, str(count), *words, *(["--bare"] if bare else []))
        self.count = count

    def connect(self) -> Arrived:
        """Raises `Aborted` when not everybody gets in."""
        arrived = self._ask(Connect(), Arrived, CONNECT_SECONDS + PATIENCE)
        if arrived.ready < self.count:
            raise Aborted(f"only {arrived.ready} of {self.count} clients reached the feed")
        return arrived

    def drop(self) -> Standing:
        return self._ask(Drop(), Standing, PATIENCE)

    def collect(self, seq: int, since: float, *, seconds: float = 10.0) -> Delivered:
        return self._ask(Collect(seq, since, seconds), Delivered, seconds + PATIENCE)

    def look(self) -> Standing:
        return self._ask(Look(), Standing, PATIENCE)
