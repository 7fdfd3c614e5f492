"""PostgreSQL sticks, dies, throws all out; the door goes on.

Question: when PostgreSQL stops answering, is killed, or ends all connections, does nobody wait longer than 10 s, is nothing that
was answered lost (G3), does the same id get the same answer (G1), is an unknown outcome never called a refusal (G5), and is
everything well again within seconds, without anybody starting a process?

Population: 200 check-ins a second at times fixed beforehand, 15 % of them exits, 2,000 badges, 19 scanners, 2,400 connections,
two API processes. Beside them, every half second over four connections each: `checkins/lists`, `checkins/search` and an upload of
three scans with `checkins/batch`.

Measured: after 3 s of calm all processes of PostgreSQL are stopped (SIGSTOP) for 10 s and go on. 10 s later its first process is
killed (SIGKILL), and the server starts it again. 10 s later `pg_terminate_backend` ends every connection of the server. 8 s
later the load ends and every question is put once more. `evidence.py` and `linearizability.py` hold all answers against the
log. A recovery is the time from the end of a blow (of SIGKILL and of the ending of connections: from the blow) to the last
check-in that was not answered with 200.

Thresholds: no violation; nobody waits longer than 10 s, and only 200 and 503 are answered, at the door (there with `Retry-After`)
and beside it; each recovery within 5 s; nothing beside the door broken in the end; no question without an answer in the end. With
`--broken` PostgreSQL confirms what it has not written yet, which no server of ours would accept at its start; what is lost by
SIGKILL has to be noticed.

Given up: when the server ends.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence

import uvloop
from msgspec import Struct

from loadtests import checkins, database, evidence, linearizability
from loadtests.beside import Beside
from loadtests.evidence import Asked, Violation
from loadtests.generator import now
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold
from loadtests.server_under_test import Server
from loadtests.volley import Heard, Volley
from loadtests.witness import Venue, Witness, venue_of

ATTENDEES = 2000
WORKERS = 2
RATE = 200.0
EXITS = 0.15
CONNECTIONS = 2400
"""At 200 a second for 10 s without an answer, and some."""
CALM, STUCK, AFTERWARDS, LAST = 3.0, 10.0, 10.0, 8.0
AGAIN_RATE = 800.0
TRIES = 3
SHOWN = 3

EARLY = (
    "ALTER DATABASE digitalnow SET synchronous_commit = off",
    "ALTER SYSTEM SET wal_writer_delay = '10s'",
    "ALTER SYSTEM SET wal_writer_flush_after = '1GB'",
    "SELECT pg_reload_conf()",
)
"""Makes PostgreSQL confirm early, and write late; for connections made from then on."""
THROW_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'digitalnow %'"

THRESHOLDS = (
    Threshold("violations", "G1 G3 G5", at_most=0),
    Threshold("longest", at_most=10.0),
    Threshold("unhelpful", at_most=0),
    Threshold("recovery_stuck", at_most=5),
    Threshold("recovery_killed", at_most=5),
    Threshold("recovery_thrown_out", at_most=5),
    Threshold("beside_longest", at_most=10.0),
    Threshold("beside_unhelpful", at_most=0),
    Threshold("beside_broken", at_most=0),
    Threshold("unanswered", at_most=0),
)
BROKEN = (Threshold("violations", "G3", at_least=1),)
"""Of a PostgreSQL that confirms early."""


class Blow(Struct):
    """Something done to PostgreSQL, and when it was over."""

    began: float
    ended: float


class Stood(Struct):
    """What came of it all."""

    witness: Witness
    heard: list[Heard]
    blows: list[Blow]
    beside: Beside
    unanswered: int
    began: float


def run(context: Context) -> Result:
    attendees, workers = context.attendees or ATTENDEES, context.workers or WORKERS
    with Server(context.folder / "server", attendees=attendees, workers=workers) as server:
        if context.broken:
            database.execute(server.dsn, [*EARLY, THROW_OUT])
        venue = venue_of(server)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            stood = runner.run(_stand(context, server, venue))
        server.check_alive()
        rows = database.log_of(server.dsn)
    witness = stood.witness
    violations = [*evidence.check(witness.record.told, rows), *linearizability.check(witness.record.questions())]
    population = f"{RATE:.0f} check-ins/s, {attendees:,} badges, {workers} API processes, seed {context.seed}"
    return _result(stood, violations, population + (", BROKEN" if context.broken else ""))


async def _stand(context: Context, server: Server, venue: Venue) -> Stood:
    stuck = context.seconds or STUCK
    volley = Volley(server)
    await volley.open(CONNECTIONS)
    witness = Witness(volley, venue)
    seconds = CALM + stuck + AFTERWARDS + AFTERWARDS + LAST
    questions = _questions(context.random(), venue, int(seconds * RATE))
    began = now()
    try:
        async with Beside(server, venue, context.seed) as beside:
            loading = asyncio.create_task(witness.ask(questions, RATE))
            blows = await _strike(context, server, stuck)
            heard = await loading
        context.say("all questions once more")
        left: Sequence[Asked] = questions
        for _ in range(TRIES):
            again = await witness.ask(left, AGAIN_RATE)
            left = [left[one.place] for one in again if one.status != 200]
            if not left:
                break
    finally:
        volley.close()
    return Stood(witness, heard, blows, beside, len(left), began)


def _questions(source: random.Random, venue: Venue, count: int) -> list[Asked]:
    names = list(venue.devices)
    return [
        Asked(
            source.choice(names),
            checkins.scan_id(source),
            source.choice(venue.codes),
            "exit" if source.random() < EXITS else "entry",
        )
        for _ in range(count)
    ]


async def _strike(context: Context, server: Server, stuck: float) -> list[Blow]:
    blows = []
    await asyncio.sleep(CALM)
    context.say(f"PostgreSQL is stopped for {stuck:.0f} s")
    began = now()
    pids = server.postgres_pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(stuck)
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
    blows.append(Blow(began, now()))
    await asyncio.sleep(AFTERWARDS)
    context.say("PostgreSQL is killed")
    blows.append(Blow(now(), now()))
    server.kill_postmaster()
    await asyncio.sleep(AFTERWARDS)
    context.say("every connection is ended")
    blows.append(Blow(now(), now()))
    await asyncio.to_thread(database.execute, server.dsn.replace("/digitalnow?", "/postgres?"), [THROW_OUT])
    return blows


def recovery(blows: Sequence[Blow], number: int, heard: Sequence[Heard]) -> float:
    """Seconds from the end of a blow to the last check-in before the next one that was not answered with 200."""
    ended = blows[number].ended
    until = blows[number + 1].began if number + 1 < len(blows) else float("inf")
    return max((one.began - ended for one in heard if one.status != 200 and ended <= one.began < until), default=0.0)


def _result(stood: Stood, violations: list[Violation], population: str) -> Result:
    witness, beside = stood.witness, stood.beside
    recoveries = [recovery(stood.blows, number, stood.heard) for number in range(len(stood.blows))]
    shown = "; ".join(f"{one.kind}: {one.what}" for one in violations[:SHOWN])
    figures = [
        Figure("violations", "Broken promises", len(violations), note=shown),
        Figure("questions", "Questions", len(stood.heard)),
        Figure("answered", "  answered with 200", sum(one.status == 200 for one in stood.heard)),
        Figure("overloaded", "  with 503", sum(one.status == 503 for one in stood.heard)),
        Figure("unhelpful", "  anything else", len(witness.unhelpful), note="; ".join(witness.unhelpful[:SHOWN])),
        Figure("unanswered", "  without an answer in the end", stood.unanswered),
        Figure("longest", "Longest wait", witness.longest, "s"),
        Figure("recovery_stuck", "Recovery from being stuck", recoveries[0], "s"),
        Figure("recovery_killed", "  from SIGKILL", recoveries[1], "s"),
        Figure("recovery_thrown_out", "  from the end of all connections", recoveries[2], "s"),
        Figure("beside_longest", "Longest wait beside the door", beside.longest, "s", beside.slowest),
        Figure("beside", "Requests beside the door", beside.requests),
        Figure("beside_failed", "  not answered with 200", beside.failed, note=beside.reasons()),
        Figure("beside_unhelpful", "  nor with 503", beside.unhelpful),
        Figure("beside_broken", "  still not in the end", len(beside.broken), note="; ".join(sorted(beside.broken))),
    ]
    return Result(population=population, figures=figures, plots=[_plot(stood)])


def _plot(stood: Stood) -> Plot:
    """The longest wait of those who asked in each half second."""
    longest: dict[int, float] = {}
    for one in stood.heard:
        step = int((one.began - stood.began) * 2)
        longest[step] = max(longest.get(step, 0.0), one.seconds)
    points = [(step / 2, seconds) for step, seconds in sorted(longest.items())]
    return Plot("Longest wait, by the time of asking", "seconds", "s", [Series("check-in", points)])
