"""An announcement to 5,000 phones, and what they cost idle.

Question: is the feed, with its log, positions and care for slow clients, about as fast as sending a text to everybody
with nothing around it (L1)? How fast does everybody get in, and back in after a dead spot (L2)? What does an idle
phone cost in memory and CPU (L3, L5)?

Population: 5,000 websocket clients in one generator process, on channel `announcements`; for comparison as many clients
of a bare `websockets.broadcast` server, in another one. One gateway process. Everything on this machine's cores.

Measured: the time from the first client's connect until all have their `ready`, at most 1,000 on their way in at once;
the gateway's memory before and after, and its CPU over 11 quiet seconds. Then announcements in turn, one a second, ours
and the bare server's, after one of each that is not counted. Each runs until the last client has it: from the POST's
sending and from its answer (201, committed), for the bare server from the call of `broadcast`; its event is the same
text. Then all connections are cut, three announcements are made, and everybody comes back with their position: the time
until all are resumed, and the transactions PostgreSQL counted meanwhile, less the idle rate.

Where nginx with nchan is installed, the same can be asked of it: `python -m loadtests.feed_clients` with `--bare` and
nchan's subscriber location takes the commands of `feed_crowd.py` on standard input, and an event's text is POSTed to the
publisher location.

Thresholds: accepted → last client at most 1.3 × the bare broadcast's time (medians); connecting and resuming at most 5 s;
resuming at most 20 transactions; 16 KiB a connection; 4 % of a core idle; every event to everybody, none out of order.

Given up: when not everybody gets in, or an announcement is refused.
"""

from __future__ import annotations

import statistics
import time

from msgspec import Struct

from loadtests import accounting, database
from loadtests.announcements import Organizer, Sent
from loadtests.bare_broadcast import BareBroadcast
from loadtests.feed_crowd import Arrived, Crowd, Delivered, crowd_of
from loadtests.histogram import Histogram
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold
from loadtests.server_under_test import Server

SOCKETS = 5000
ATTENDEES = 5000
ANNOUNCEMENTS = 15
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


class Broadcast(Struct, frozen=True):
    """One announcement to everybody, and the same from the bare server."""

    sent: Sent
    ours: Delivered
    """Since it was sent."""
    bare: Delivered

    @property
    def since_accepted(self) -> float:
        return self.ours.last - (self.sent.accepted - self.sent.sent)


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
        with crowd_of(server, sockets) as crowd:
            context.say(f"{sockets:,} clients connect")
            connected = crowd.connect()
            context.say(f"quiet for {2 * QUIET_SECONDS:.0f} s")
            idle = _look_at_idle(server, gateway, before, sockets)
            context.say(f"{count} announcements each")
            cpu = accounting.cpu_seconds(gateway)
            broadcasts = _compare(server, crowd, count)
            cpu = (accounting.cpu_seconds(gateway) - cpu) / (count + 1)
            context.say("everybody is cut off and comes back")
            resumed = _resume(server, crowd, idle)
            standing = crowd.look()
    missing = sum(2 * sockets - each.ours.clients - each.bare.clients for each in broadcasts)
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


def _compare(server: Server, crowd: Crowd, count: int) -> list[Broadcast]:
    """One announcement after the other, ours and the bare server's in turn. The first of each is not counted."""
    organizer = Organizer(server)
    found = []
    with BareBroadcast() as bare, Crowd(bare.url, crowd.count, bare=True) as bare_crowd:
        bare_crowd.connect()
        time.sleep(SETTLE_SECONDS)
        for number in range(count + 1):
            sent = organizer.announce(number)
            ours = crowd.collect(sent.seq, sent.sent)
            time.sleep(max(0.0, sent.sent + 1 - time.monotonic()))
            began = bare.publish(sent.event)
            theirs = bare_crowd.collect(sent.seq, began)
            time.sleep(max(0.0, began + 1 - time.monotonic()))
            found.append(Broadcast(sent, ours, theirs))
    organizer.close()
    return found[1:]


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
    ours, bare = Histogram(), Histogram()
    for each in broadcasts:
        ours.merge(Histogram.unpack(each.ours.latencies))
        bare.merge(Histogram.unpack(each.bare.latencies))
    accepted = [each.since_accepted * 1000 for each in broadcasts]
    sent = [each.ours.last * 1000 for each in broadcasts]
    yardstick = [each.bare.last * 1000 for each in broadcasts]
    middle = statistics.median(yardstick)
    return [
        Figure("ratio", "Accepted → last client, to bare", statistics.median(accepted) / middle, "×"),
        Figure("ratio_sent", "Sent → last client, to bare", statistics.median(sent) / middle, "×"),
        Figure("accepted_last", "Accepted → last client, median", statistics.median(accepted), "ms"),
        Figure("accepted_worst", "  worst announcement", max(accepted), "ms"),
        Figure("sent_last", "Sent → last client, median", statistics.median(sent), "ms"),
        Figure("sent_worst", "  worst announcement", max(sent), "ms"),
        Figure("sent_p50", "Sent → a client, p50", ours.percentile(50) * 1000, "ms"),
        Figure("sent_p99", "Sent → a client, p99", ours.percentile(99) * 1000, "ms"),
        Figure("bare_last", "Bare broadcast → last client, median", middle, "ms"),
        Figure("bare_worst", "  worst broadcast", max(yardstick), "ms"),
        Figure("bare_p99", "Bare broadcast → a client, p99", bare.percentile(99) * 1000, "ms"),
    ]


def _plots(broadcasts: list[Broadcast]) -> list[Plot]:
    series = [
        Series("sent → last", [(place + 1.0, each.ours.last * 1000) for place, each in enumerate(broadcasts)]),
        Series("accepted → last", [(place + 1.0, each.since_accepted * 1000) for place, each in enumerate(broadcasts)]),
        Series("bare → last", [(place + 1.0, each.bare.last * 1000) for place, each in enumerate(broadcasts)]),
    ]
    return [Plot("Until the last client has it", "announcement", "ms", series)]


def _retries(arrived: Arrived) -> str:
    return f"{arrived.retries} attempts had to be repeated" if arrived.retries else ""
