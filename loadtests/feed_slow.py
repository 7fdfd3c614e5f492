"""500 of 5,000 phones stop reading; nobody else notices.

Question: when a tenth of the clients takes nothing any more, do announcements reach the others as fast as before (L4), are the
slow ones closed with 4001 soon, and do they cost the gateway little memory until then?

Population: 5,000 websocket clients in one generator process, on channel `announcements`, 500 of them with a small receive
buffer. One gateway process. Announcements of about 1.6 KiB, ten a second, over HTTP.

Measured: rounds in turn, because a virtual machine's speed drifts: 15 s in which everybody reads, then 30 s in which the 500
take nothing from their sockets. Each of the other 4,500 counts, from the sending of the POST until it has the event; the ratio
is taken within a pair of rounds. What the gateway says of itself tells how many connections there are, and the codes it closed
them with; memory is its own (PSS), and beside it what the kernel's TCP buffers hold, both ends. 60 of the slow ones wake up at
times spread over the round: who does so before it is closed has to have everything over the same connection, who does so while
it is being closed reads the code. In the end all read, and those who were closed come back with their position.

Thresholds: p99 of the others at most 1.2 × (median of the pairs); every slow one closed within 30 s, with 4001 and nothing
else; at most 64 KiB of the gateway's memory for each; nothing missing, nothing out of order. With `--broken` the gateway has no
limit to what it keeps for a client: that nobody is closed has to be noticed.

Given up: when not everybody gets in, or an announcement is refused. Invalid: when less than 95 % of the announcements' pace was
reached.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from msgspec import Struct

from loadtests import accounting
from loadtests.announcements import Organizer, Sent
from loadtests.feed_crowd import Delivered, delivery_figures, latencies_of
from loadtests.feed_sleepers import SleepyCrowd, Slept
from loadtests.gateway_figures import CLOSED, CONNECTIONS, look_at_gateway
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold
from loadtests.server_under_test import Server
from loadtests.variants import variant

SOCKETS = 5000
ATTENDEES = 1000
SHARE = 0.1
ROUNDS = 3
SECONDS = 30.0
"""Of a round in which some do not read; the others are half as long."""
WARM_UP_SECONDS = 2.0
RATE = 10.0
TIMES = 4
"""How often an announcement says everything: 1.6 KiB as an event."""
WAKERS = 60
WAKE_BETWEEN = (0.3, 0.95)
"""Of the round."""
LOOK_SECONDS = 1.0
COME_BACK_SECONDS = 20.0
REACHED = 0.95
PAGE = 4096

THRESHOLDS = (
    Threshold("ratio", "L4", at_most=1.2),
    Threshold("closed_in", "L4", at_most=30),
    Threshold("not_closed", "L4", at_most=0),
    Threshold("otherwise", "L4", at_most=0),
    Threshold("told", "L4", at_least=1),
    Threshold("memory", at_most=64),
    Threshold("missing", at_most=0),
    Threshold("gaps", at_most=0),
)
BROKEN = (Threshold("not_closed", at_least=1),)
"""Of a gateway without a limit."""

PATIENCE = ""
"""What every gateway runs before it begins. The tests shorten its patience here."""
UNLIMITED = """\
from server.live import wire

wire.MAX_BUFFERED = 1 << 30
"""


class Look(Struct, frozen=True):
    """At the gateway, so long after the beginning of a round."""

    after: float
    connections: float
    memory: float
    """Bytes; 0 where the kernel does not tell."""
    kernel: float
    """Bytes in the buffers of all TCP connections of this machine."""


class Round(Struct, frozen=True):
    """Announcements for a while."""

    delivered: list[Delivered]
    """To those who are awake."""
    sent_after: list[float]
    """When they were sent, in seconds since the beginning."""
    missing: int
    looks: list[Look]
    reached: float
    """Of the pace."""
    last: int
    """The last event's number."""


class Pair(Struct, frozen=True):
    """A round in which everybody reads, and one in which some do not."""

    calm: Round
    slow: Round
    slept: Slept
    codes: dict[str, float]
    """How often the gateway closed a connection, by code."""

    @property
    def ratio(self) -> float:
        slow, calm = latencies_of(self.slow.delivered), latencies_of(self.calm.delivered)
        return slow.percentile(99) / calm.percentile(99)


def run(context: Context) -> Result:
    sockets, seconds = context.sockets or SOCKETS, context.seconds or SECONDS
    sleepers = max(2, int(sockets * SHARE))
    code = PATIENCE + (UNLIMITED if context.broken else "")
    variables = variant(context.folder, "server.live", code) if code else {}  # what is measured is as people start it
    attendees = context.attendees or ATTENDEES
    with (
        Server(context.folder / "server", attendees=attendees, variables=variables) as server,
        SleepyCrowd(server.live_url, sockets, sleepers) as crowd,
    ):
        context.say(f"{sockets:,} clients connect")
        crowd.connect()
        organizer = Organizer(server)
        _announce(server, crowd, organizer, WARM_UP_SECONDS)
        pairs = []
        for number in range(1 if context.broken else ROUNDS):
            context.say(f"round {number + 1}: everybody reads")
            calm = _announce(server, crowd, organizer, seconds / 2)
            context.say(f"round {number + 1}: {sleepers:,} do not")
            pairs.append(_let_sleep(server, crowd, organizer, sleepers, seconds, calm))
        standing = crowd.look()
        organizer.close()
    population = f"{sockets:,} clients, {sleepers:,} of them slow, {RATE:g} announcements/s"
    return _result(pairs, sockets, sleepers, standing.gaps, population + (", BROKEN" if context.broken else ""))


def _let_sleep(
    server: Server, crowd: SleepyCrowd, organizer: Organizer, sleepers: int, seconds: float, calm: Round
) -> Pair:
    before = _endings(server)
    first, last = (seconds * share for share in WAKE_BETWEEN)
    wakers = min(WAKERS, sleepers // 2)
    crowd.sleep([first + place * (last - first) / wakers for place in range(wakers)])
    slow = _announce(server, crowd, organizer, seconds)
    after = _endings(server)
    codes = {code: count - before.get(code, 0) for code, count in after.items() if count > before.get(code, 0)}
    slept = crowd.wake(slow.last, seconds=COME_BACK_SECONDS)
    return Pair(calm, slow, slept, codes)


def _announce(server: Server, crowd: SleepyCrowd, organizer: Organizer, seconds: float) -> Round:
    """Announcements at their pace, as far as it can be reached."""
    gateway = server.pids("server.live")
    sent: list[Sent] = []
    looks = [_look(server, gateway, 0.0)]
    began = time.monotonic()
    for number in range(int(seconds * RATE)):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        if time.monotonic() - began > seconds:
            break
        sent.append(organizer.announce(number, times=TIMES))
        if time.monotonic() - began > looks[-1].after + LOOK_SECONDS:
            looks.append(_look(server, gateway, time.monotonic() - began))
    looks.append(_look(server, gateway, time.monotonic() - began))
    delivered = [crowd.collect(one.seq, one.sent) for one in sent]
    missing = sum(crowd.awake - one.clients for one in delivered)
    sent_after = [one.sent - began for one in sent]
    return Round(delivered, sent_after, missing, looks, len(sent) / int(seconds * RATE), sent[-1].seq)


def _look(server: Server, gateway: list[int], after: float) -> Look:
    connections = look_at_gateway(server).total(CONNECTIONS)
    return Look(after, connections, accounting.proportional_bytes(gateway) or 0, _kernel_bytes())


def _kernel_bytes() -> int:
    """What the kernel keeps for TCP: sockstat's `TCP: inuse … mem PAGES`."""
    for line in Path("/proc/net/sockstat").read_text("ascii").splitlines():
        words = line.split()
        if words[0] == "TCP:":
            return int(words[words.index("mem") + 1]) * PAGE
    return 0


def _endings(server: Server) -> dict[str, float]:
    return {sample.labels["code"]: sample.value for sample in look_at_gateway(server).named(CLOSED)}


def closed_in(pair: Pair, sockets: int, sleepers: int) -> float | None:
    """Seconds until the gateway had closed every slow connection but those that woke up in time; None: it did not."""
    left = sockets - (sleepers - pair.slept.in_time)
    return next((look.after for look in pair.slow.looks if look.connections <= left), None)


def _result(pairs: list[Pair], sockets: int, sleepers: int, gaps: int, population: str) -> Result:
    ratios = [pair.ratio for pair in pairs]
    closed = [closed_in(pair, sockets, sleepers) for pair in pairs]
    left = sum(pair.slow.looks[-1].connections - (sockets - sleepers + pair.slept.in_time) for pair in pairs)
    grown = [max(look.memory for look in pair.slow.looks) - pair.slow.looks[0].memory for pair in pairs]
    kernel = [max(look.kernel for look in pair.slow.looks) - pair.slow.looks[0].kernel for pair in pairs]
    codes: dict[str, float] = {}
    for pair in pairs:
        for code, count in pair.codes.items():
            codes[code] = codes.get(code, 0) + count
    reached = min(part.reached for pair in pairs for part in (pair.calm, pair.slow))
    missing = sum(part.missing for pair in pairs for part in (pair.calm, pair.slow))
    figures = [
        Figure("ratio", "p99 of the others, to everybody reading", statistics.median(ratios), "×"),
        Figure("ratio_worst", f"  worst of {len(pairs)}", max(ratios), "×"),
        *delivery_figures(
            "calm", "Sent → a client, all reading", [one for pair in pairs for one in pair.calm.delivered]
        ),
        *delivery_figures(
            "slow", "Sent → a client, the others", [one for pair in pairs for one in pair.slow.delivered]
        ),
        Figure("closed_in", "Slow ones closed after", None if None in closed else max(filter(None, closed)), "s"),
        Figure("not_closed", "  still open at the end", max(0.0, left)),
        Figure("closed", "  closed with 4001", codes.pop("4001", 0)),
        Figure("otherwise", "  with another code", sum(codes.values()) + sum(pair.slept.otherwise for pair in pairs)),
        Figure("told", "  who read 4001 on the wire", sum(pair.slept.told for pair in pairs)),
        Figure("in_time", "Awake in time: have everything", sum(pair.slept.in_time for pair in pairs)),
        Figure("resumed", "Came back and resumed", sum(pair.slept.resumed for pair in pairs)),
        Figure("memory", "Gateway's memory per slow client", max(grown) / sleepers / 1024, "KiB"),
        Figure("kernel", "  kernel's buffers, both ends", max(kernel) / sleepers / 1024, "KiB"),
        Figure("missing", "Deliveries missing", missing + sum(pair.slept.behind for pair in pairs)),
        Figure("gaps", "Events out of order", gaps),
        Figure("reached", "Announcements' pace reached", reached, "×"),
    ]
    invalid = [f"only {reached:.0%} of the announcements' pace was reached"] if reached < REACHED else []
    return Result(population=population, figures=figures, plots=_plots(pairs), invalid=invalid)


def _plots(pairs: list[Pair]) -> list[Plot]:
    connections, waits = [], []
    for number, pair in enumerate(pairs, start=1):
        connections.append(Series(f"round {number}", [(look.after, look.connections) for look in pair.slow.looks]))
        for name, part in (("all reading", pair.calm), ("some not", pair.slow)):
            points = [(at, one.p99 * 1000) for at, one in zip(part.sent_after, part.delivered, strict=True)]
            waits.append(Series(f"{number}: {name}", points))
    return [
        Plot("Until 99 % of the others have an announcement", "seconds", "ms", waits),
        Plot("Connections while some do not read", "seconds", "connections", connections),
    ]
