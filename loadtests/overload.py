"""Four times as many scans as the door can take.

Question: when far more scans come than can be written, does the server say so at once, with 503 and `Retry-After`, and stay fast
for those it takes (G8)?

Population: one API process, 20,000 badges, each at one list after the other, so that every scan is somebody's first; 19 scanners,
4,000 connections. Each statement that writes scans takes a quarter of a second longer than it needs (a trigger of the scenario's
own), as on a disk that is busy with other things: so what is scarce is the database, and a load can be four times what it takes.
Server and PostgreSQL share one core and the load has the other.

Measured: the saturated rate, for 5 s by a closed loop over 1,200 connections (whoever is told to come back waits for 0.1 s).
Then four times that rate for 60 s at times fixed beforehand, whatever becomes of the scans before; one that finds every
connection waiting is sent when one is free. Latency counts from the moment the request was handed to the kernel. Then 10,000 of
the scans that were told to come back later are sent twice more, and all answers are held against the log (`evidence.py`).

Thresholds: only 200, and 503 with `Retry-After`, none after more than 10 s; p99 of those taken at most 1 s, and as many a second
as 0.7 of the saturated rate; no violation; no scan without an answer in the end. With `--broken` the API process lets a million
scans wait for a minute each instead of refusing any: the wait has to be noticed.

Given up: when the server drops out, or there is one core alone. Invalid: when less than 3.6 times the saturated rate was offered.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import uvloop
from msgspec import Struct

from loadtests import checkins, database, evidence, generator, volley as volleys
from loadtests.evidence import Asked, Told, Violation
from loadtests.generator import ClosedLoop, Connection, Tally
from loadtests.histogram import Histogram
from loadtests.line import request_for
from loadtests.organizer import make_lists
from loadtests.record import Record
from loadtests.scenario import Aborted, Context, Figure, Result, Threshold
from loadtests.server_under_test import Server
from loadtests.variants import variant
from loadtests.volley import Heard, Volley, unhelpful
from loadtests.witness import Venue, venue_of

ATTENDEES = 20_000
TIMES = 4.0
ENOUGH = 0.9
"""Of what was to be offered."""
SECONDS = 60.0
SATURATED_SECONDS = 5.0
SATURATED_CONNECTIONS = 1200
"""Two batches under way, two that wait, and some that are told to come back later: the server has always something to do."""
COME_BACK_SECONDS = 0.1
COMING_BACK = 4
"""Questions for each that is taken, at the most, while the saturated rate is being measured, the warm-up included."""
MOST = 2500
"""Scans a second that can be taken at the most: two batches of 256 in a quarter of a second, and some."""
CONNECTIONS = 4000
AGAIN, TRIES = 10_000, 5
"""Of those told to come back: how many do, at the saturated rate, and how often at the most until they are let in."""
SHOWN = 3

BATCH_SECONDS = 0.25
SLOW = (
    "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$",
    "CREATE TRIGGER take_time AFTER INSERT ON scan FOR EACH STATEMENT EXECUTE FUNCTION take_time()",
)
HASTY = ("DROP TRIGGER take_time ON scan",)

THRESHOLDS = (
    Threshold("unhelpful", "G8", at_most=0),
    Threshold("longest", "G8", at_most=10),
    Threshold("taken_p99", "G8", at_most=1000),
    Threshold("taken_share", "G8", at_least=0.7),
    Threshold("refused", "G8", at_least=1),
    Threshold("violations", "G1 G3", at_most=0),
    Threshold("unanswered", at_most=0),
)
BROKEN = (Threshold("taken_p99", "G8", at_least=1000),)
"""Of a server that lets everybody wait."""

PATIENT = """\
from server.checkin import writer

writer.MAX_WAITING, writer.PATIENCE_SECONDS, writer.ANSWER_SECONDS = 1_000_000, 60.0, 60.0
"""
"""Takes the writer's limits away."""


class Load(Struct):
    """What was offered, and what came back."""

    first: int
    """Number of the first question."""
    heard: list[Heard]
    seconds: float
    late: int
    generator_cpu: float


class Plan(Struct, frozen=True):
    """All questions, by their numbers: each badge once at each list."""

    venue: Venue
    seed: int
    lists: int

    @property
    def questions(self) -> int:
        """How many there are."""
        return self.lists * len(self.venue.codes)

    def list_of(self, number: int) -> str:
        return f"list-{number // len(self.venue.codes)}"

    def asked(self, number: int) -> Asked:
        names = list(self.venue.devices)
        scan_id = f"{number:08x}-0000-4000-8000-{self.seed:012x}"
        return Asked(names[number % len(names)], scan_id, self.venue.codes[number % len(self.venue.codes)], "entry")

    def requests(self, numbers: range | list[int]) -> Iterator[bytes]:
        path, tokens = f"{self.venue.path}/checkins", list(self.venue.devices.values())
        codes, seed = self.venue.codes, f"-0000-4000-8000-{self.seed:012x}"
        for number in numbers:
            place = number % len(codes)
            body = f'{{"scan_id":"{number:08x}{seed}","list":"{self.list_of(number)}","code":"{codes[place]}"}}'
            yield request_for("POST", path, tokens[number % len(tokens)], body.encode())


def run(context: Context) -> Result:
    seconds, attendees = context.seconds or SECONDS, context.attendees or ATTENDEES
    variables = variant(context.folder, "server.api", PATIENT) if context.broken else {}
    with Server(context.folder / "server", attendees=attendees, variables=variables) as server, _two_cores(server):
        wanted = MOST * (SATURATED_SECONDS * COMING_BACK + TIMES * seconds)
        plan = Plan(venue_of(server), context.seed, int(wanted / attendees) + 2)
        make_lists(server, [f"list-{number}" for number in range(plan.lists)])
        database.execute(server.dsn, [statement.format(seconds=BATCH_SECONDS) for statement in SLOW])
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            used, saturated = runner.run(_saturate(server, plan))
            context.say(f"{saturated:.0f} a second are taken, {TIMES * saturated:.0f} are offered")
            load = runner.run(_overload(server, plan, used, saturated * TIMES, seconds))
            server.check_alive()
            context.say("those who were told to come back later do")
            database.execute(server.dsn, HASTY)
            told, left, wrong = runner.run(_come_back(context, server, plan, load, saturated))
        violations = evidence.check(told, database.log_of(server.dsn))
    population = f"{attendees:,} badges, {TIMES:g} × {saturated:.0f} check-ins/s for {seconds:.0f} s"
    if context.broken:  # a server that lets everybody wait slows the load down too
        return _result(load, saturated, violations, left, wrong, population + ", BROKEN")
    result = _result(load, saturated, violations, left, wrong, population)
    offered = len(load.heard) / load.seconds / saturated
    if offered < ENOUGH * TIMES:
        result.invalid.append(f"only {offered:.1f} times the saturated rate was offered")
    return result


@contextmanager
def _two_cores(server: Server) -> Iterator[None]:
    """The server's processes on one core, this one on another. Raises `Aborted` where there is one alone."""
    before = os.sched_getaffinity(0)
    if len(before) == 1:
        raise Aborted("there is one core alone: nothing could offer more than the server takes")
    first, second = sorted(before)[:2]
    for pid in server.everything():
        os.sched_setaffinity(pid, {first})
    os.sched_setaffinity(0, {second})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class PoliteLoop(ClosedLoop):
    """A closed loop in which who is told to come back later does: else it would measure how fast one is told."""

    def free(self, connection: Connection) -> None:
        if connection.answer[9:12] == b"503":
            connection.answer = b""
            asyncio.get_running_loop().call_later(COME_BACK_SECONDS, super().free, connection)
        else:
            super().free(connection)


async def _saturate(server: Server, plan: Plan) -> tuple[int, float]:
    """How many questions were used, and how many a second the server took."""
    used, rate = 0, 0.0
    for seconds in (1.0, SATURATED_SECONDS):  # the first second loads the door
        numbers = iter(range(used, plan.questions))
        tally = Tally(checkins.ADMITTED)
        source = PoliteLoop((request for number in numbers for request in plan.requests([number])), tally)
        opened = await generator.connect(source, server.host, server.port, SATURATED_CONNECTIONS)
        source.begin(seconds)
        async with asyncio.timeout(seconds + volleys.PATIENCE_SECONDS):
            await source.done
        for connection in opened:
            connection.close()
        used, rate = next(numbers, plan.questions), tally.right / tally.seconds
    return used, rate


async def _overload(server: Server, plan: Plan, first: int, rate: float, seconds: float) -> Load:
    volley = Volley(server)
    await volley.open(CONNECTIONS)
    count = min(int(rate * seconds), plan.questions - first)
    began, cpu = time.monotonic(), time.process_time()
    with generator.without_collection():
        heard = await volley.send(plan.requests(range(first, first + count)), count, rate)
    taken = time.monotonic() - began
    volley.close()
    return Load(first, heard, taken, volley.late, time.process_time() - cpu)


async def _come_back(
    context: Context, server: Server, plan: Plan, load: Load, saturated: float
) -> tuple[list[Told], int, list[str]]:
    """Everything that was told, those included that come back, how many of them got no answer, and what nobody should get."""
    record = Record()
    _keep(record, plan, range(load.first, load.first + len(load.heard)), load.heard)
    turned_away = [load.first + one.place for one in load.heard if one.status == 503]
    again = context.random().sample(turned_away, min(AGAIN, len(turned_away)))
    wrong = unhelpful(load.heard)
    volley = Volley(server)
    await volley.open(CONNECTIONS // 10)
    unanswered = 0
    for _ in range(2):
        left = again
        for _ in range(TRIES):
            if not left:
                break
            heard = await volley.send(plan.requests(left), len(left), saturated)
            _keep(record, plan, left, heard)
            wrong += unhelpful(heard)
            left = [left[one.place] for one in heard if one.status != 200]
        unanswered += len(left)
    volley.close()
    return record.told, unanswered, wrong


def _keep(record: Record, plan: Plan, numbers: Sequence[int], heard: Iterable[Heard]) -> None:
    """What was taken of the questions with these numbers."""
    for one in heard:
        if one.status == 200:
            record.hear(plan.asked(numbers[one.place]), one.body, one.began, one.ended)


def _result(
    load: Load, saturated: float, violations: list[Violation], left: int, wrong: list[str], population: str
) -> Result:
    taken, refused = Histogram(), Histogram()
    for one in load.heard:
        (taken if one.status == 200 else refused).record(one.seconds)
    offered = len(load.heard) / load.seconds / saturated
    numbers = {status: sum(one.status == status for one in load.heard) for status in (200, 503)}
    share = numbers[200] / load.seconds / saturated
    shown = "; ".join(f"{one.kind}: {one.what}" for one in violations[:SHOWN])
    figures = [
        Figure("saturated", "Saturated rate", saturated, "/s"),
        Figure("offered", "Offered, and answered one way or other", offered, "×"),
        Figure("taken", "Taken", numbers[200]),
        Figure("taken_share", "  of the saturated rate", share, "×"),
        Figure("taken_p50", "  p50", taken.percentile(50) * 1000 if numbers[200] else None, "ms"),
        Figure("taken_p99", "  p99", taken.percentile(99) * 1000 if numbers[200] else None, "ms"),
        Figure("refused", "Told to come back later", numbers[503]),
        Figure("refused_p99", "  p99", refused.percentile(99) * 1000 if numbers[503] else None, "ms"),
        Figure("unhelpful", "Anything else", len(wrong), note="; ".join(wrong[:SHOWN])),
        Figure("longest", "Longest wait", max(one.seconds for one in load.heard), "s"),
        Figure("late", "Sent late: every connection waited", load.late),
        Figure("violations", "Broken promises", len(violations), note=shown),
        Figure("unanswered", "Come back without an answer", left),
        Figure("generator_cpu", "CPU of the generator", load.generator_cpu / load.seconds, "cores"),
    ]
    return Result(population=population, figures=figures)
