"""A thousand requests for one badge at the same moment.

Question: when a badge is asked for a thousand times at once, at four processes that share nothing but the database, is it
admitted exactly once (G2), and is the same scan answered the same to the letter (G1)?

Population: four API processes, 30 badges, 19 scanners, 1,000 connections. `--attendees N` storms every tenth of N badges.

Measured: for each badge two storms of 1,000 requests that are all sent before the first answer is read. In one they are one
scan of one scanner, sent again and again; in the other each is a scan of its own, from all scanners. Then `evidence.py` holds
all answers against the table `scan`, and `check` says whether each storm admitted its badge by one scan.

Thresholds: no violation, no answer but 200 and 503, at least 99 % of them 200. With `--broken` the database has lost the
unique index `scan_turn` before the first storm: then doors admit somebody twice, and this has to be noticed.

Given up: when the server drops out. Not a measurement: rates are told for the curious.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import uvloop

from loadtests import checkins, database, evidence
from loadtests.evidence import Asked, Told, Violation
from loadtests.scenario import Context, Figure, Result, Threshold
from loadtests.server_under_test import Server
from loadtests.volley import Volley
from loadtests.witness import Venue, Witness, venue_of

BADGES = 30
REQUESTS = 1000
WORKERS = 4
SHARE = 10
"""Of the attendees one in so many is stormed."""
SHOWN = 3

BREAK = ["DROP INDEX scan_turn"]

THRESHOLDS = (
    Threshold("violations", "G1 G2", at_most=0),
    Threshold("unhelpful", at_most=0),
    Threshold("answered", at_least=0.99),
)
BROKEN = (Threshold("violations", "G2", at_least=1),)
"""Without the index."""


def run(context: Context) -> Result:
    attendees = context.attendees or BADGES * SHARE
    badges = max(1, attendees // SHARE)
    workers = context.workers or WORKERS
    with Server(context.folder / "server", attendees=attendees, workers=workers) as server:
        if context.broken:
            database.execute(server.dsn, BREAK)
        venue = venue_of(server)
        codes = context.random().sample(venue.codes, badges)

        async def work() -> Witness:
            volley = Volley(server)
            await volley.open(REQUESTS)
            try:
                return await storm(volley, venue, codes, REQUESTS, context.random(), context.say)
            finally:
                volley.close()

        began = time.monotonic()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            witness = runner.run(work())
        seconds = time.monotonic() - began
        server.check_alive()
        violations = check(witness.record.told, codes, database.log_of(server.dsn))
    population = f"{badges} badges, 2 × {REQUESTS:,} requests each, {workers} API processes, seed {context.seed}"
    return _result(witness, violations, seconds, population + (", BROKEN" if context.broken else ""))


async def storm(
    volley: Volley,
    venue: Venue,
    codes: Sequence[str],
    requests: int,
    source: random.Random,
    say: Callable[[str], None] = lambda _text: None,
) -> Witness:
    """Both storms for each of these badges, the one with different scans first for every other of them."""
    witness = Witness(volley, venue)
    names = list(venue.devices)
    for number, code in enumerate(codes):
        if number % 10 == 0:
            say(f"badge {number + 1} of {len(codes)}")
        one = Asked(source.choice(names), checkins.scan_id(source), code, "entry")
        others = [
            Asked(names[place % len(names)], checkins.scan_id(source), code, "entry") for place in range(requests)
        ]
        for questions in ([one] * requests, others) if number % 2 else (others, [one] * requests):
            await witness.ask(questions)
    return witness


def check(told: Sequence[Told], codes: Iterable[str], rows: Sequence[evidence.Row]) -> list[Violation]:
    """Everything that should not be: what `evidence` finds, and badges that were not admitted by exactly one scan."""
    admitting: defaultdict[str, set[evidence.ScanKey]] = defaultdict(set)
    for each in told:
        if each.outcome == "admitted":
            admitting[each.asked.code].add(each.asked.key)
    found = evidence.check(told, rows)
    for code in codes:
        if (count := len(admitting[code])) != 1:
            found.append(Violation("not_once", f"{code} was admitted by {count} scans"))
    return found


def _result(witness: Witness, violations: list[Violation], seconds: float, population: str) -> Result:
    kinds = {kind: sum(one.kind == kind for one in violations) for kind in sorted({one.kind for one in violations})}
    shown = "; ".join(f"{one.kind}: {one.what}" for one in violations[:SHOWN])
    figures = [
        Figure("violations", "Broken promises", len(violations), note=shown),
        *(Figure(f"violations_{kind}", f"  {kind}", count) for kind, count in kinds.items()),
        Figure("requests", "Requests", len(witness.asked)),
        Figure("answered", "  answered with 200", len(witness.record.told) / len(witness.asked), "of all"),
        Figure("overloaded", "  told to come back later", len(witness.overloaded)),
        Figure("unhelpful", "  anything else", len(witness.unhelpful), note="; ".join(witness.unhelpful[:SHOWN])),
        Figure("longest", "Longest wait", witness.longest, "s"),
        Figure("rate", "Requests a second", len(witness.asked) / seconds, "/s"),
    ]
    return Result(population=population, figures=figures)
