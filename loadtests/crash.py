"""Every acknowledged answer still holds after kill -9.

Question: when processes are killed at random moments in the middle of a storm of check-ins, is every acknowledged scan in
the log as it was answered (G3), does asking again give the same answer to the letter (G1), and was nobody admitted
twice, in the log and in any order of the answers that time allows (G2)?

Population: 20 scanners, one connection each, 300 badges, so that doors compete for everybody; 15 % exits, 15 %
repetitions of an earlier scan. One API process; with `--workers 4` four, of which each blow hits one.

Measured: a storm of 30 s. At random moments SIGKILL hits the API process, or PostgreSQL's postmaster, or everything at
once (server, API, gateway, PostgreSQL), after which the server is started again on the same data folder. Then the storm
ends, everything is killed and started once more, every question is put again, `evidence.py` holds all answers against
the table `scan` and `linearizability.py` against the times at which they came. Page caches survive SIGKILL: a power cut
is not in this test.

Thresholds: no violation, no question left without an answer, no answer but 200 and 503; at least three kills and a
thousand answers, or nothing was tried.

Given up: when the server does not start again. `--seed N` repeats the scans and the plan of the kills; what the kills hit
depends on the machine's timing.
"""

from __future__ import annotations

import random
import time
from collections import Counter

from loadtests import database, evidence, linearizability
from loadtests.evidence import Violation
from loadtests.scenario import Aborted, Context, Figure, Result, Threshold
from loadtests.server_under_test import Server
from loadtests.storm import Storm

SECONDS = 30.0
BADGES = 300
CALM = (0.5, 2.5)
"""Seconds between kills, evenly spread."""
VICTIMS = ("api", "postgres", "everything")
"""Each once in every three kills, in random order: so no server loses its API five times in 20 s, after which it gives up."""
SHOWN = 5

THRESHOLDS = (
    Threshold("violations", "G1 G2 G3", at_most=0),
    Threshold("unanswered", at_most=0),
    Threshold("refused", at_most=0),
    Threshold("kills", at_least=3),
    Threshold("answers", at_least=1000),
)


def run(context: Context) -> Result:
    context.say(f"seed {context.seed}")
    attendees, workers = context.attendees or BADGES, context.workers or 1
    with Server(context.folder / "server", attendees=attendees, workers=workers) as server:
        storm = Storm(server, server.badges(), context.seed)
        storm.begin()
        try:
            kills, recoveries = _rage(context, server, context.random())
        finally:
            storm.end()
        context.say("all questions once more")
        during = len(storm.record.told)
        server.kill()
        server.start()
        storm.ask_again()
        rows = database.log_of(server.dsn)
    violations = [*evidence.check(storm.record.told, rows), *linearizability.check(storm.record.questions())]
    return _result(context, storm, during, kills, recoveries, violations, len(rows))


def _rage(context: Context, server: Server, source: random.Random) -> tuple[Counter[str], list[float]]:
    """Kills until the time is over: what was hit how often, and how long each start after a full kill took."""
    deadline = time.monotonic() + (context.seconds or SECONDS)
    kills: Counter[str] = Counter()
    recoveries = []
    planned: list[str] = []
    while time.monotonic() < deadline:
        time.sleep(source.uniform(*CALM))
        planned = planned or source.sample(VICTIMS, len(VICTIMS))
        victim = planned.pop()
        context.say(f"kill {victim}")
        if victim == "api":
            server.kill_api(source)
        elif victim == "postgres":
            server.kill_postmaster()
        else:
            server.kill()
            server.start()
            recoveries.append(server.started_in)
        kills[victim] += 1
        server.check_alive()
    return kills, recoveries


def _result(
    context: Context,
    storm: Storm,
    during: int,
    kills: Counter[str],
    recoveries: list[float],
    violations: list[Violation],
    rows: int,
) -> Result:
    if not during:
        raise Aborted("no scanner got any answer")
    outcomes = Counter(each.outcome for each in storm.record.told[:during])
    shown = "; ".join(f"{each.kind}: {each.what}" for each in violations[:SHOWN])
    figures = [
        Figure("violations", "Broken promises", len(violations), note=shown),
        Figure("answers", "Answers during the storm", during),
        *(Figure(f"answers_{name}", f"  {name}", count) for name, count in sorted(outcomes.items())),
        Figure("unknown", "Times a scanner got no answer", storm.unknown),
        Figure("again", "Questions put again at the end", len(storm.asked)),
        Figure("unanswered", "  without an answer", storm.unanswered),
        Figure("refused", "Answers but 200 and 503", len(storm.refused), note="; ".join(storm.refused[:SHOWN])),
        Figure("rows", "Scans in the log", rows),
        Figure("kills", "Kills", kills.total()),
        *(Figure(f"kills_{name}", f"  {name}", count) for name, count in sorted(kills.items())),
        Figure("recovery", "Longest start after a full kill", max(recoveries, default=None), "s"),
    ]
    population = f"20 scanners, {len(storm.asked):,} scans, {context.workers or 1} API processes, seed {context.seed}"
    return Result(population=population, figures=figures)
