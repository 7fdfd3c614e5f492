"""An announcement to 5,000 phones, and what they cost idle.

Question: is the feed, with its log, positions and care for slow clients, about as fast as nchan, a server in C that keeps none
of that (L1)? How fast does everybody get in, and back in after a dead spot (L2)? What does an idle phone cost in memory and CPU
(L3, L5)?

Population: 5,000 websocket clients in one generator process, on channel `announcements`; for comparison as many clients of
nginx with nchan, and of a bare `websockets.broadcast` server, each in another one. One gateway process, one worker process of
nginx. Everything on this machine's cores. Where nginx or nchan is missing, the yardstick is the bare broadcast, and the table
says so (Debian: `apt-get install nginx-light libnginx-mod-nchan`).

Measured: the time from the first client's connect until all have their `ready`, at most 1,000 on their way in at once; the
gateway's memory before and after, and its CPU over 11 quiet seconds. Then announcements in turn, one a second, ours, nchan's
and the bare server's, after one of each that is not counted. Each runs until the last client has it: ours from the POST's
sending and from its answer (201, committed), nchan's from the POST's sending, the bare server's from the call of `broadcast`;
their event is the same text. p99 is that of the announcements, each of which counts with its last client. Then all connections
are cut, three announcements are made, and everybody comes back with their position: the time until all are resumed, and the
transactions PostgreSQL counted meanwhile, less the idle rate.

Thresholds: accepted → last client at most 1.3 × the yardstick's time (p99); connecting and resuming at most 5 s; resuming at
most 20 transactions; 16 KiB a connection; 4 % of a core idle; every event to everybody, none out of order.

Given up: when not everybody gets in, an announcement is refused, or nginx does not start.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Protocol

from msgspec import Struct

from loadtests import accounting, database, feed_nchan
from loadtests.announcements import Organizer, Sent
from loadtests.bare_broadcast import BareBroadcast
from loadtests.feed_crowd import Arrived, Crowd, Delivered, delivery_figures
from loadtests.feed_nchan import Nchan
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold
from loadtests.server_under_test import Server

SOCKETS = 5000
ATTENDEES = 5000
ANNOUNCEMENTS = 30
MISSED = 3
QUIET_SECONDS = 11.0
"""PostgreSQL's processes add what they counted to the shared statistics after at most 10 s of idleness."""
SETTLE_SECONDS = 2.0

THRESHOLDS = (
    Threshold("ratio", "L1", at_most=1.3),
    Threshold("connect", "L2", at_most=5.0),
    Threshold("resume", "L2", at_most=5.0),
    Threshold("resume_transactions", "L2", at_most=20),
    Threshold("memory", "L3", at_most=16),
    Threshold("idle_cpu", "L5", at_most=0.04),
    Threshold("missing", at_most=0),
    Threshold("gaps", at_most=0),
)


class Idle(Struct, frozen=True):
    """What the connected but quiet crowd costs."""

    bytes_each: float | None
    cores: float
    transactions_a_second: float


class Yardstick(Protocol):
    """Another server that sends a text to everybody."""

    @property
    def url(self) -> str:
        """Where its clients go."""

    def publish(self, text: str) -> float:
        """Returns when that began."""


class Broadcast(Struct, frozen=True):
    """One announcement to everybody, and the same from the yardsticks."""

    sent: Sent
    ours: Delivered
    """Since it was sent."""
    others: dict[str, Delivered]
    """By the yardstick's name."""

    @property
    def since_accepted(self) -> float:
        return max(0.0, self.ours.last - (self.sent.accepted - self.sent.sent))


class Resumed(Struct, frozen=True):
    arrived: Arrived
    transactions: float
    replayed: Delivered
    """The last event that was missed, since everybody began to come back."""


def run(context: Context) -> Result:
    sockets = context.sockets or SOCKETS
    count = round(context.seconds or ANNOUNCEMENTS)
    with Server(context.folder / "server", attendees=context.attendees or ATTENDEES) as server:
        gateway = server.pids("server.live")
        time.sleep(SETTLE_SECONDS)
        before = accounting.proportional_bytes(gateway)
        with Crowd(server.live_url, sockets) as crowd:
            context.say(f"{sockets:,} clients connect")
            connected = crowd.connect()
            context.say(f"quiet for {2 * QUIET_SECONDS:.0f} s")
            idle = _look_at_idle(server, gateway, before, sockets)
            context.say(f"{count} announcements each")
            cpu = accounting.cpu_seconds(gateway)
            broadcasts = _compare(server, crowd, count, context.folder / "nginx")
            cpu = (accounting.cpu_seconds(gateway) - cpu) / (count + 1)
            context.say("everybody is cut off and comes back")
            resumed = _resume(server, crowd, idle)
            standing = crowd.look()
    received = [one for each in broadcasts for one in (each.ours, *each.others.values())]
    missing = sum(sockets - one.clients for one in received)
    missing += sockets - resumed.replayed.clients + sockets - standing.connected
    figures = [
        *_fanout_figures(broadcasts),
        Figure("missing", "Deliveries missing", missing),
        Figure("gaps", "Events out of order", standing.gaps),
        Figure("gateway_cpu", "CPU of the gateway per announcement", cpu * 1000, "ms"),
        Figure("connect", "Connect, hello, ready: all", connected.seconds, "s", _retries(connected)),
        Figure("resume", "Come back and resume: all", resumed.arrived.seconds, "s", _retries(resumed.arrived)),
        Figure("resumed", "  of them resumed", resumed.arrived.resumed),
        Figure("replayed", f"  until all have the {MISSED} missed events", resumed.replayed.last, "s"),
        Figure("resume_transactions", "Transactions caused by it", resumed.transactions),
        Figure("memory", "Memory per idle connection", idle.bytes_each and idle.bytes_each / 1024, "KiB"),
        Figure("idle_cpu", "CPU of the idle gateway", idle.cores, "cores"),
    ]
    return Result(
        population=f"{sockets:,} clients, {count} announcements", figures=figures, plots=_plots(broadcasts), invalid=[]
    )


def _look_at_idle(server: Server, gateway: list[int], before: int | None, sockets: int) -> Idle:
    time.sleep(QUIET_SECONDS)  # what the arrival caused is counted by then
    after = accounting.proportional_bytes(gateway)
    transactions = database.transactions(server.dsn)
    cpu, began = accounting.cpu_seconds(gateway), time.monotonic()
    time.sleep(QUIET_SECONDS)
    seconds = time.monotonic() - began
    cpu = accounting.cpu_seconds(gateway) - cpu
    transactions = database.transactions(server.dsn) - transactions
    each = None if before is None or after is None else (after - before) / sockets
    return Idle(each, cpu / seconds, transactions / seconds)


def _compare(server: Server, crowd: Crowd, count: int, folder: Path) -> list[Broadcast]:
    """One announcement after the other, ours and the yardsticks' in turn. The first of each is not counted."""
    organizer = Organizer(server)
    found = []
    with ExitStack() as held:
        yardsticks = _yardsticks(held, folder)
        crowds = {name: held.enter_context(Crowd(one.url, crowd.count, bare=True)) for name, one in yardsticks.items()}
        for theirs in crowds.values():
            theirs.connect()
        time.sleep(SETTLE_SECONDS)
        for number in range(count + 1):
            sent = organizer.announce(number)
            ours = crowd.collect(sent.seq, sent.sent)
            _wait_for_next(sent.sent)
            others = {}
            for name, yardstick in yardsticks.items():
                began = yardstick.publish(sent.event)
                others[name] = crowds[name].collect(sent.seq, began)
                _wait_for_next(began)
            found.append(Broadcast(sent, ours, others))
    organizer.close()
    return found[1:]


def _yardsticks(held: ExitStack, folder: Path) -> dict[str, Yardstick]:
    """Those there are on this machine, running."""
    found: dict[str, Yardstick] = {}
    if (installed := feed_nchan.find()) is not None:
        found["nchan"] = held.enter_context(Nchan(installed, folder))
    found["bare"] = held.enter_context(BareBroadcast())
    return found


def _wait_for_next(began: float) -> None:
    time.sleep(max(0.0, began + 1 - time.monotonic()))


def _resume(server: Server, crowd: Crowd, idle: Idle) -> Resumed:
    crowd.drop()
    organizer = Organizer(server)
    for number in range(MISSED):
        missed = organizer.announce(1000 + number)
    organizer.close()
    time.sleep(QUIET_SECONDS)
    transactions = database.transactions(server.dsn)
    began = time.monotonic()
    arrived = crowd.connect()
    replayed = crowd.collect(missed.seq, began)
    time.sleep(QUIET_SECONDS)
    transactions = database.transactions(server.dsn) - transactions
    idle_share = idle.transactions_a_second * (time.monotonic() - began)
    return Resumed(arrived, max(0.0, transactions - idle_share), replayed)


def _fanout_figures(broadcasts: list[Broadcast]) -> list[Figure]:
    accepted = [each.since_accepted for each in broadcasts]
    sent = [each.ours.last for each in broadcasts]
    others = {name: [each.others[name].last for each in broadcasts] for name in broadcasts[0].others}
    name = next(iter(others))
    missing = "" if name == "nchan" else "nginx with nchan is not installed: this is to the bare broadcast"
    return [
        Figure("ratio", f"Accepted → last client, p99, to {name}", _p99(accepted) / _p99(others[name]), "×", missing),
        *(
            Figure(f"ratio_median_{name}", f"  median, to {name}", median(accepted) / median(last), "×")
            for name, last in others.items()
        ),
        Figure("ratio_sent", f"Sent → last client, p99, to {name}", _p99(sent) / _p99(others[name]), "×"),
        *_times("accepted", "Accepted → last client", accepted),
        *_times("sent", "Sent → last client", sent),
        *delivery_figures("sent", "Sent → a client", [each.ours for each in broadcasts]),
        *(figure for name, last in others.items() for figure in _times(name, f"{name} → last client", last)),
    ]


def _times(key: str, label: str, seconds: Sequence[float]) -> list[Figure]:
    return [
        Figure(f"{key}_last", f"{label}, median", median(seconds) * 1000, "ms"),
        Figure(f"{key}_last_p99", f"  p99 (of {len(seconds)}: the worst)", _p99(seconds) * 1000, "ms"),
    ]


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1]


def _plots(broadcasts: list[Broadcast]) -> list[Plot]:
    lines = {
        "sent → last": [each.ours.last for each in broadcasts],
        "accepted → last": [each.since_accepted for each in broadcasts],
        **{f"{name} → last": [each.others[name].last for each in broadcasts] for name in broadcasts[0].others},
    }
    series = [
        Series(name, [(place + 1.0, seconds * 1000) for place, seconds in enumerate(line)])
        for name, line in lines.items()
    ]
    return [Plot("Until the last client has it", "announcement", "ms", series)]


def _retries(arrived: Arrived) -> str:
    return f"{arrived.retries} attempts had to be repeated" if arrived.retries else ""
