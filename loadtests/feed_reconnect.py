"""5,000 phones come back at once while people check in.

Question: when everybody's connection is cut at the same moment, in the middle of 500 check-ins a second, is the whole hall back
soon with what it missed (L2), without questions to the database, and do the people at the doors notice (C2)?

Population: one API process, one gateway; check-ins of distinct badges from 20 scanners over 64 keep-alive connections; 5,000
live connections held by another generator process.

Measured: check-ins in an open model, whose latency counts from times fixed beforehand, for 25 s: 8 s of calm, then the cut. The
connections are ended without a goodbye, three announcements are made, and everybody comes back with their position, at most
1,000 on their way in at once: the time from the first connection's SYN until all are resumed, and until all have the three.
Check-ins of the calm, and those scheduled between the cut and the last phone's last event, have a p99 each. What the return
asked the database is what the gateway counts; beside it PostgreSQL's own count of all transactions a second, in the calm and
from the cut to the end, nearly all of which are check-ins' (a return that asked a question a phone would show). An announcement
each second before and after shows its way to everybody.

Thresholds: all resumed within 5 s; at most 20 questions to the database; check-ins' p99 in the calm at most 25 ms and during
the return at most 250 ms; every answer 200 and `admitted`; everybody has everything, once and in order.

Given up: when the server drops a connection, or not everybody gets in. Invalid: when less than 99 % of the offered rate was
reached, or the generator used more than 80 % of a core.
"""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import uvloop
from msgspec import Struct

from loadtests import checkins, database, generator
from loadtests.announcements import Organizer
from loadtests.feed_crowd import Arrived, Crowd, Delivered, delivery_figures
from loadtests.gateway_figures import QUERIES, look_at_gateway
from loadtests.generator import OpenModel, Tally
from loadtests.histogram import Histogram
from loadtests.scenario import Aborted, Context, Figure, Plot, Result, Series, Threshold, generator_share
from loadtests.server_under_test import Server

RATE = 500.0
SECONDS = 25.0
CALM_SHARE = 0.32
WARM_UP_SECONDS = 2.0
SOCKETS = 5000
CONNECTIONS = 64
MISSED = 3
REACHED = 0.99

THRESHOLDS = (
    Threshold("resumed_in", "L2", at_most=5.0),
    Threshold("queries", "L2", at_most=20),
    Threshold("not_resumed", "L2", at_most=0),
    Threshold("calm_p99", "C2", at_most=25),
    Threshold("return_p99", at_most=250),
    Threshold("wrong_answers", "C2", at_most=0),
    Threshold("missing", at_most=0),
    Threshold("gaps", at_most=0),
)


class Timeline(Tally):
    """Answers with the times for which they were scheduled, so that a part of them can be looked at."""

    def __init__(self) -> None:
        super().__init__(checkins.ADMITTED)
        self.each: list[tuple[float, float]] = []
        """When it was scheduled, and how long it took."""

    def note(self, status: bytes, body: bytes, latency: float, at: float) -> None:
        super().note(status, body, latency, at)
        self.each.append((at - latency, latency))

    def between(self, began: float, ended: float) -> Histogram:
        """Of those scheduled then."""
        found = Histogram()
        for scheduled, latency in self.each:
            if began <= scheduled < ended:
                found.record(latency)
        return found


class Return(Struct, frozen=True):
    """How everybody came back."""

    cut: float
    ended: float
    """When the last phone had its last event. Both by the kernel's monotonic clock."""
    arrived: Arrived
    replayed: Delivered
    """The last event that was missed, since everybody began to come back."""
    queries: float


class OnFeed(Struct, frozen=True):
    """What happened on the feed while people checked in."""

    before: list[Delivered]
    """Announcements to phones that were all there."""
    came_back: Return
    after: list[Delivered]
    transactions: tuple[float, float]
    """A second, before the cut and from then on."""


class Stood(Struct, frozen=True):
    """What came of it all."""

    scans: Timeline
    model: OpenModel
    feed: OnFeed
    cpu: float


def run(context: Context) -> Result:
    sockets, seconds = context.sockets or SOCKETS, context.seconds or SECONDS
    warm_up = int(RATE * WARM_UP_SECONDS)
    attendees = context.attendees or warm_up + int(RATE * seconds)
    with Server(context.folder / "server", attendees=attendees) as server, Crowd(server.live_url, sockets) as crowd:
        context.say(f"{sockets:,} clients connect")
        crowd.connect()
        requests = checkins.requests_for(server, context.random())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, generator.without_collection():
            runner.run(_check_in(server, requests[:warm_up], Timeline()))
            seconds = (len(requests) - warm_up) / RATE
            context.say(f"{RATE:.0f} check-ins a second for {seconds:.0f} s")
            try:
                stood = runner.run(_stand(context, server, crowd, requests[warm_up:], seconds))
            except ExceptionGroup as errors:
                raise server.failed_under_load(errors, Aborted, ConnectionError, TimeoutError) from None
        standing = crowd.look()
    feed = stood.feed
    missing = sockets - standing.connected
    missing += sum(sockets - one.clients for one in [*feed.before, feed.came_back.replayed, *feed.after])
    population = f"{sockets:,} phones, {RATE:.0f} check-ins/s for {seconds:.0f} s"
    return _result(stood, sockets, missing, standing.gaps, population)


async def _check_in(server: Server, requests: list[bytes], scans: Timeline) -> OpenModel:
    return await generator.send_at_rate(server.host, server.port, requests, scans, connections=CONNECTIONS, rate=RATE)


async def _stand(context: Context, server: Server, crowd: Crowd, requests: list[bytes], seconds: float) -> Stood:
    scans, cpu = Timeline(), time.process_time()
    async with asyncio.TaskGroup() as group:
        loading = group.create_task(_check_in(server, requests, scans))
        # The crowd is asked by writing to it and waiting for its line, which must not hold up the check-ins.
        feed = group.create_task(asyncio.to_thread(_lead, context, server, crowd, seconds))
    return Stood(scans, loading.result(), feed.result(), time.process_time() - cpu)


def _lead(context: Context, server: Server, crowd: Crowd, seconds: float) -> OnFeed:
    counts = [(time.monotonic(), database.transactions(server.dsn))]
    over = time.monotonic() + seconds
    organizer = Organizer(server)
    before = _tell(organizer, crowd, counts[0][0] + seconds * CALM_SHARE)
    counts.append((time.monotonic(), database.transactions(server.dsn)))
    context.say("everybody is cut off and comes back")
    came_back = _cut(server, organizer, crowd)
    context.say(f"all are back after {came_back.arrived.seconds:.1f} s")
    after = _tell(organizer, crowd, over - 1)
    counts.append((time.monotonic(), database.transactions(server.dsn)))
    organizer.close()
    calm, rest = ((count - since) / (at - began) for (began, since), (at, count) in pairwise(counts))
    return OnFeed(before, came_back, after, (calm, rest))


def _tell(organizer: Organizer, crowd: Crowd, until: float) -> list[Delivered]:
    """An announcement a second, at least one."""
    found: list[Delivered] = []
    while not found or time.monotonic() < until:
        sent = organizer.announce(len(found))
        found.append(crowd.collect(sent.seq, sent.sent))
        time.sleep(max(0.0, sent.sent + 1 - time.monotonic()))
    return found


def _cut(server: Server, organizer: Organizer, crowd: Crowd) -> Return:
    queries = look_at_gateway(server).total(QUERIES)
    cut = time.monotonic()
    crowd.drop()
    for number in range(MISSED):
        missed = organizer.announce(1000 + number)
    back = time.monotonic()
    arrived = crowd.connect()
    replayed = crowd.collect(missed.seq, back)
    ended = time.monotonic()
    return Return(cut, ended, arrived, replayed, look_at_gateway(server).total(QUERIES) - queries)


def _result(stood: Stood, sockets: int, missing: int, gaps: int, population: str) -> Result:
    scans, feed = stood.scans, stood.feed
    back = feed.came_back
    during, calm = scans.between(back.cut, back.ended), scans.between(scans.began, back.cut)
    reached = scans.right / scans.seconds
    generator_cpu, invalid = generator_share(stood.cpu, scans.seconds)
    if reached < RATE * REACHED:
        invalid.append(f"only {reached:.0f} of {RATE:.0f} check-ins a second were reached")
    wrong = "; ".join(list(scans.wrong)[:3])
    retries = f"{back.arrived.retries} attempts had to be repeated" if back.arrived.retries else ""
    figures = [
        Figure("resumed_in", "Come back and resume: all", back.arrived.seconds, "s", retries),
        Figure("replayed", f"  until all have the {MISSED} missed events", back.replayed.last, "s"),
        Figure("away", "  from the cut until then", back.ended - back.cut, "s"),
        Figure("not_resumed", "  of them not resumed", sockets - back.arrived.resumed),
        Figure("queries", "Questions to the database by it", back.queries, note="those for the events included"),
        Figure("calm_transactions", "All transactions, in the calm", feed.transactions[0], "/s"),
        Figure("transactions", "  from the cut to the end", feed.transactions[1], "/s"),
        Figure("calm_p50", "Check-in p50, in the calm", calm.percentile(50) * 1000, "ms"),
        Figure("calm_p99", "  p99", calm.percentile(99) * 1000, "ms"),
        Figure("return_p50", "Check-in p50, during the return", during.percentile(50) * 1000, "ms"),
        Figure("return_p99", "  p99", during.percentile(99) * 1000, "ms"),
        Figure("return_longest", "  longest", during.longest * 1000, "ms"),
        Figure("return_answers", "  check-ins", during.count),
        Figure("answers", "Right answers", scans.right),
        Figure("wrong_answers", "Other answers", scans.wrong.total(), note=wrong),
        *delivery_figures("before", "Announcement → a phone, before", feed.before),
        *delivery_figures("after", "Announcement → a phone, after", feed.after),
        Figure("missing", "Deliveries missing", missing),
        Figure("gaps", "Events out of order", gaps),
        Figure("reached", "Check-ins reached", reached, "/s"),
        Figure("lag", "Generator late, p99", stood.model.lag.percentile(99) * 1000, "ms"),
        generator_cpu,
    ]
    return Result(population=population, figures=figures, plots=[_plot(scans)], invalid=invalid)


def _plot(scans: Timeline) -> Plot:
    """The longest wait of those scheduled in each quarter of a second."""
    longest: dict[int, float] = {}
    for scheduled, latency in scans.each:
        step = int((scheduled - scans.began) * 4)
        longest[step] = max(longest.get(step, 0.0), latency)
    points = [(step / 4, latency * 1000) for step, latency in sorted(longest.items())]
    return Plot("Longest wait, by the scheduled time", "seconds", "ms", [Series("check-in", points)])
