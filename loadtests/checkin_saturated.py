"""Durable check-ins a second at saturation, against pgbench.

Question: at saturation, does a check-in over HTTP, logged, committed and answered, cost less than PostgreSQL's own
program needs to insert the same row with a transaction each? (C1)

Population: one API process, 120,000 attendees, each checked in once at the main door in random order; 64 keep-alive
connections of 20 scanners, each sending its next scan the moment it has its answer (a closed loop: it measures the
rate; its latencies are those of a saturated server and no promise). pgbench with 8, 32 and 64 clients as `pgbench.py`
describes, into the same PostgreSQL.

Measured: four rounds, each pgbench with 8, 32, 64 clients and then the server, 4 s each (the server shorter when its share
of the badges is used up), interleaved because a virtual machine's speed drifts; the ratio is taken within a round. Median,
least and most of the ratios; check-ins a second; latencies at saturation; scans per batch (GET /metrics); CPU of server,
database and generator, the generator being one process on the same cores.

PostgreSQL is the embedded one with one setting changed, max_connections, because pgbench's 64 clients need more than
the 60 that it allows.

Threshold: the median ratio is at least 1, no answer is anything but 200 and `admitted`.

Given up: when the server drops a connection. Invalid: when the generator used more than 80 % of a core.
"""

from __future__ import annotations

import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from loadtests import accounting, checkins, database, generator, pgbench
from loadtests.generator import Tally
from loadtests.histogram import Histogram
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold, generator_share
from loadtests.server_under_test import Server

ATTENDEES = 120_000
ROUNDS = 4
SECONDS = 4.0
CONNECTIONS = 64
CLIENTS = (8, 32, 64)
WARM_UP = 0.01
"""Of the badges: the first scan loads the door into the API's memory, the next ones prepare statements."""

THRESHOLDS = (
    Threshold("ratio", "C1", at_least=1.0),
    Threshold("wrong_answers", "C1", at_most=0),
)


class Load(Struct, frozen=True):
    """One round of the server."""

    tally: Tally
    generator_cpu: float
    server_cpu: float
    postgres_cpu: float
    batch: float
    """Scans per commit."""


def run(context: Context) -> Result:
    seconds = context.seconds or SECONDS
    attendees = context.attendees or ATTENDEES
    rounds: list[tuple[list[pgbench.Round], Load]] = []
    with Server(context.folder / "server", attendees=attendees, postgres_settings={"max_connections": "120"}) as server:
        requests = checkins.requests_for(server, context.random())
        warm_up = int(len(requests) * WARM_UP)
        _saturate(server, iter(requests[:warm_up]), seconds)
        share = (len(requests) - warm_up) // ROUNDS
        script = context.folder / "pgbench.sql"
        script.write_text(pgbench.script(database.door_of(server.dsn)), "utf-8")
        for number in range(ROUNDS):
            context.say(f"round {number + 1} of {ROUNDS}")
            yardstick = _measure_pgbench(server.dsn, script, seconds)
            database.execute(server.dsn, ["CHECKPOINT"])
            first = warm_up + number * share
            rounds.append((yardstick, _saturate(server, iter(requests[first : first + share]), seconds)))
    return _result(rounds, f"{attendees:,} attendees, {CONNECTIONS} connections, {ROUNDS} rounds of {seconds:g} s")


def _measure_pgbench(dsn: str, script: Path, seconds: float) -> list[pgbench.Round]:
    sockets, name = database.sockets_of(dsn)
    found = []
    for clients in CLIENTS:
        database.execute(dsn, pgbench.RECREATE)
        found.append(pgbench.run(script, sockets, name, clients=clients, seconds=seconds))
    database.execute(dsn, pgbench.RECREATE[:1])
    return found


def _saturate(server: Server, requests: Iterator[bytes], seconds: float) -> Load:
    api, postgres = server.pids("server.api"), server.postgres_pids()
    before = _counters(server)
    server_cpu, postgres_cpu = accounting.cpu_seconds(api), accounting.cpu_seconds(postgres)
    own_cpu = time.process_time()
    tally = Tally(checkins.ADMITTED)
    generator.saturate_server(server, requests, tally, connections=CONNECTIONS, seconds=seconds)
    own_cpu = time.process_time() - own_cpu
    server_cpu = accounting.cpu_seconds(api) - server_cpu
    postgres_cpu = accounting.cpu_seconds(postgres) - postgres_cpu
    after = _counters(server)
    batch = (after[0] - before[0]) / max(1.0, after[1] - before[1])
    return Load(tally, own_cpu, server_cpu, postgres_cpu, batch)


def _counters(server: Server) -> tuple[float, float]:
    """Scans written and batches committed so far."""
    with urllib.request.urlopen(f"http://{server.host}:{server.port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return float(values["digitalnow_checkin_scans_written"]), float(values["digitalnow_checkin_batches"])


def _result(rounds: list[tuple[list[pgbench.Round], Load]], population: str) -> Result:
    loads = [load for _, load in rounds]
    rates = [load.tally.right / load.tally.seconds for load in loads]
    best = [max(each.transactions_a_second for each in yardstick) for yardstick, _ in rounds]
    ratios = [rate / yardstick for rate, yardstick in zip(rates, best, strict=True)]
    seconds = sum(load.tally.seconds for load in loads)
    latencies, wrong = Histogram(), Counter[str]()
    for load in loads:
        latencies.merge(load.tally.latencies)
        wrong.update(load.tally.wrong)
    generator_cpu, invalid = generator_share(sum(load.generator_cpu for load in loads), seconds)
    figures = [
        Figure("ratio", "Check-ins to best pgbench, median", statistics.median(ratios), "×"),
        Figure("ratio_least", "  worst round", min(ratios), "×"),
        Figure("ratio_most", "  best round", max(ratios), "×"),
        Figure("rate", "Check-ins, median of rounds", statistics.median(rates), "/s"),
        Figure("pgbench", "Best pgbench, median of rounds", statistics.median(best), "/s"),
        *_per_clients(rounds),
        Figure("p50", "Latency at saturation, p50", latencies.percentile(50) * 1000, "ms"),
        Figure("p99", "Latency at saturation, p99", latencies.percentile(99) * 1000, "ms"),
        Figure("batch", "Scans per commit", statistics.median(load.batch for load in loads)),
        Figure("server_cpu", "CPU of the API process", sum(load.server_cpu for load in loads) / seconds, "cores"),
        Figure("postgres_cpu", "CPU of PostgreSQL", sum(load.postgres_cpu for load in loads) / seconds, "cores"),
        generator_cpu,
        Figure("answers", "Right answers", sum(load.tally.right for load in loads)),
        Figure("wrong_answers", "Other answers", wrong.total(), note="; ".join(list(wrong)[:3])),
        Figure("measured", "Seconds of load, all rounds", seconds, "s"),
    ]
    plots = _plots(loads, rates, best)
    return Result(population=population, figures=figures, plots=plots, invalid=invalid)


def _per_clients(rounds: list[tuple[list[pgbench.Round], Load]]) -> list[Figure]:
    figures = []
    for place, clients in enumerate(CLIENTS):
        rate = statistics.median(yardstick[place].transactions_a_second for yardstick, _ in rounds)
        figures.append(Figure(f"pgbench_{clients}", f"  pgbench, {clients} clients", rate, "/s"))
    return figures


def _plots(loads: list[Load], rates: list[float], best: list[float]) -> list[Plot]:
    rounds = [
        Series("check-ins", [(number + 1.0, rate) for number, rate in enumerate(rates)]),
        Series("best pgbench", [(number + 1.0, rate) for number, rate in enumerate(best)]),
    ]
    course = [Series(f"round {number + 1}", generator.rates(load.tally)) for number, load in enumerate(loads)]
    return [
        Plot("Check-ins and pgbench, round by round", "round", "per second", rounds),
        Plot("Check-ins within a round", "seconds", "per second", course),
    ]
