"""Check-in latency at 500 a second, all phones connected.

Question: at 500 check-ins a second, with 5,000 phones on the live feed and an announcement every second, does the slowest
hundredth of scans still get its answer within 25 ms? (C2)

Population: one API process, one gateway, all check-ins of distinct badges in random order from 20 scanners over 64
keep-alive connections; 5,000 live connections held by another generator process.

Measured: an open model. Send times are fixed beforehand, a 500th of a second apart, and latency counts from the fixed
time, so a stall is felt by everybody who would have come during it; a scan that finds all connections busy waits, and
the wait counts. 30 s after a warm-up of 2 s at the same rate. The announcements' way to all phones, from the fixed time
of their sending; CPU of everything; how late the generator itself was.

Thresholds: p99 at most 25 ms, every answer 200 and `admitted`, every announcement to every phone.

Given up: when the server drops a connection, or not every phone gets in. Invalid: when less than 99 % of the offered
rate was reached, or the generator used more than 80 % of a core.
"""

from __future__ import annotations

import asyncio
import time

import uvloop
from msgspec import Struct

from loadtests import accounting, announcements, checkins, generator
from loadtests.feed_crowd import Crowd
from loadtests.generator import OpenModel, Tally
from loadtests.histogram import Histogram
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold, generator_share
from loadtests.server_under_test import Server

RATE = 500.0
SECONDS = 30.0
WARM_UP_SECONDS = 2.0
SOCKETS = 5000
CONNECTIONS = 64
ANNOUNCEMENTS_A_SECOND = 1.0
REACHED = 0.99

THRESHOLDS = (
    Threshold("p99", "C2", at_most=25),
    Threshold("wrong_answers", "C2", at_most=0),
    Threshold("missing", at_most=0),
)


class Load(Struct, frozen=True):
    """What the measured part was."""

    scans: Tally
    model: OpenModel
    announced: Tally
    cpu: dict[str, float]
    """Seconds of CPU by who used them."""


def run(context: Context) -> Result:
    sockets = context.sockets or SOCKETS
    warm_up = int(RATE * WARM_UP_SECONDS)
    attendees = context.attendees or warm_up + int(RATE * (context.seconds or SECONDS))
    with Server(context.folder / "server", attendees=attendees) as server, Crowd(server.live_url, sockets) as crowd:
        context.say(f"{sockets:,} clients connect")
        crowd.connect()
        requests = checkins.requests_for(server, context.random())
        _drive(server, crowd, requests[:warm_up], 0)
        seconds = (len(requests) - warm_up) / RATE
        context.say(f"{RATE:.0f} check-ins a second for {seconds:.0f} s")
        load = _drive(server, crowd, requests[warm_up:], max(1, int(seconds * ANNOUNCEMENTS_A_SECOND)))
        delivered, missing = _look_at_delivery(crowd, load.announced)
        standing = crowd.look()
    missing += sockets - standing.connected + standing.gaps
    return _result(load, delivered, missing, f"{RATE:.0f} check-ins/s for {seconds:.0f} s, {sockets:,} phones")


def _drive(server: Server, crowd: Crowd, requests: list[bytes], announced: int) -> Load:
    scans, told = Tally(checkins.ADMITTED), Tally(b'"seq":', b"201")
    families = {
        "server": server.pids("server.api"),
        "gateway": server.pids("server.live"),
        "postgres": server.postgres_pids(),
    }
    cpu = {name: -accounting.cpu_seconds(pids) for name, pids in families.items()}
    cpu |= {"generator": -time.process_time(), "clients": -crowd.cpu_seconds()}

    async def drive() -> OpenModel:
        address = (server.host, server.port)
        async with asyncio.TaskGroup() as group:
            measured = group.create_task(
                generator.send_at_rate(*address, requests, scans, connections=CONNECTIONS, rate=RATE)
            )
            if announced:
                texts = announcements.requests_for(server, announced)
                group.create_task(
                    generator.send_at_rate(*address, texts, told, connections=4, rate=ANNOUNCEMENTS_A_SECOND)
                )
        return measured.result()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, generator.without_collection():
        try:
            model = runner.run(drive())
        except ExceptionGroup as errors:
            raise server.failed_under_load(errors, ConnectionError, TimeoutError) from None
    for name, pids in families.items():
        cpu[name] += accounting.cpu_seconds(pids)
    cpu["generator"] += time.process_time()
    cpu["clients"] += crowd.cpu_seconds()
    return Load(scans, model, told, cpu)


def _look_at_delivery(crowd: Crowd, announced: Tally) -> tuple[Histogram, int]:
    """How long announcements took to each phone, from their scheduled time, and how many did not arrive."""
    latencies, missing = Histogram(), 0
    for place in range(announced.right):
        scheduled = announced.began + place / ANNOUNCEMENTS_A_SECOND
        delivered = crowd.collect(place + 1, scheduled)  # the event is fresh: its first announcement is event 1
        latencies.merge(Histogram.unpack(delivered.latencies))
        missing += crowd.count - delivered.clients
    return latencies, missing


def _result(load: Load, delivered: Histogram, missing: int, population: str) -> Result:
    scans, latencies = load.scans, load.scans.latencies
    reached = scans.right / scans.seconds
    generator_cpu, invalid = generator_share(load.cpu["generator"], scans.seconds)
    if reached < RATE * REACHED:
        invalid.append(f"only {reached:.0f} of {RATE:.0f} check-ins a second were reached")
    wrong = scans.wrong + load.announced.wrong
    figures = [
        Figure("reached", "Check-ins reached", reached, "/s"),
        *(
            Figure(f"p{p:g}".replace(".", "_"), f"Latency p{p:g}", latencies.percentile(p) * 1000, "ms")
            for p in (50, 90)
        ),
        Figure("p99", "Latency p99", latencies.percentile(99) * 1000, "ms"),
        Figure("p99_9", "Latency p99.9", latencies.percentile(99.9) * 1000, "ms"),
        Figure("longest", "Latency, longest", latencies.longest * 1000, "ms"),
        Figure("answers", "Right answers", scans.right),
        Figure("wrong_answers", "Other answers", wrong.total(), note="; ".join(list(wrong)[:3])),
        Figure("lag", "Generator late, p99", load.model.lag.percentile(99) * 1000, "ms"),
        Figure("waited", "Scans that found all connections busy", load.model.waited),
        Figure("announced", "Announcements accepted", load.announced.right),
        Figure("delivered_p50", "Announcement → a phone, p50", delivered.percentile(50) * 1000, "ms"),
        Figure("delivered_p99", "Announcement → a phone, p99", delivered.percentile(99) * 1000, "ms"),
        Figure("missing", "Deliveries missing or out of order", missing),
        Figure("server_cpu", "CPU of the API process", load.cpu["server"] / scans.seconds, "cores"),
        Figure("gateway_cpu", "CPU of the gateway", load.cpu["gateway"] / scans.seconds, "cores"),
        Figure("postgres_cpu", "CPU of PostgreSQL", load.cpu["postgres"] / scans.seconds, "cores"),
        generator_cpu,
        Figure("clients_cpu", "CPU of the phones' process", load.cpu["clients"] / scans.seconds, "cores"),
    ]
    curve = [(rare, seconds * 1000) for rare, seconds in latencies.curve()]
    plots = [
        Plot("Latency by percentile", "nines: 1 is 90 %, 2 is 99 %, 3 is 99.9 %", "ms", [Series("check-in", curve)]),
        Plot("Answers a second", "seconds", "per second", [Series("check-ins", generator.rates(scans))]),
    ]
    return Result(population=population, figures=figures, plots=plots, invalid=invalid)
