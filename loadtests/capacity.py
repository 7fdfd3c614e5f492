"""A hundred seats, five thousand badges, four processes.

Question: when everybody wants in at once, through several doors and processes, is a list of 100 seats never over and never
under its capacity (G4), also while people leave and others come, and do the screens agree with the log afterwards?

Population: a list with 100 seats, made for this, 5,000 badges, 19 scanners, 500 connections, four API processes.

Measured: everybody asks at two doors at the same moment, and nobody leaves. Then for 20 s, in each round half of those inside
leave while 400 others come, each at two doors. Then everybody asks again until nothing is free. The scenario has PostgreSQL
number the rows of `scan` as they are written, which for whoever changes the count is while it is locked: so the rows, transaction
by transaction, are who was inside at each moment (`seats.py`). In the end the count, the state `occupancy` and
`checkins/statistics`, asked at every process, are held against the log, and so are all answers (`evidence.py`).

Thresholds: no violation, no answer but 200 and 503, at least 500 people who left. With `--broken` the database has lost the
check `within_capacity`: then more get in, and this has to be noticed.

Given up: when the server drops out.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence

import uvloop

from loadtests import checkins, database, evidence, seats
from loadtests.evidence import Asked, Violation
from loadtests.generator import now
from loadtests.organizer import KNOWN_SECONDS, ask_organizer
from loadtests.scenario import Context, Figure, Result, Threshold
from loadtests.screens import disagreements
from loadtests.server_under_test import Server
from loadtests.volley import Volley
from loadtests.witness import Venue, Witness, venue_of

BADGES = 5000
SEATS = 100
WORKERS = 4
CONNECTIONS = 500
SECONDS = 20.0
DOORS = 2
"""At which each person asks at the same moment."""
GUESTS = 400
"""Who come in each round in which others leave."""
LIST = "hundred"
SHOWN = 3

BREAK = ["ALTER TABLE checkin_count DROP CONSTRAINT within_capacity"]

THRESHOLDS = (
    Threshold("violations", "G4", at_most=0),
    Threshold("unhelpful", at_most=0),
    Threshold("left", at_least=500),
)
BROKEN = (Threshold("violations", "G4", at_least=1),)
"""Without the check."""


def run(context: Context) -> Result:
    attendees, workers = context.attendees or BADGES, context.workers or WORKERS
    with Server(context.folder / "server", attendees=attendees, workers=workers) as server:
        database.execute(server.dsn, [*seats.NUMBER_ROWS, *(BREAK if context.broken else [])])
        ask_organizer(server, "/checkins/lists", {"key": LIST, "name": {"en": LIST}, "capacity": SEATS})
        venue = venue_of(server)

        async def work() -> tuple[Witness, list[Violation]]:
            await asyncio.sleep(KNOWN_SECONDS)
            volley = Volley(server)
            await volley.open(CONNECTIONS)
            try:
                return await prove(
                    volley, venue, LIST, SEATS, context.seconds or SECONDS, context.random(), context.say
                )
            finally:
                volley.close()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            witness, violations = runner.run(work())
        server.check_alive()
    population = f"{SEATS} seats, {attendees:,} badges, {workers} API processes, seed {context.seed}"
    return _result(witness, violations, population + (", BROKEN" if context.broken else ""))


async def prove(
    volley: Volley,
    venue: Venue,
    checkin_list: str,
    capacity: int,
    seconds: float,
    source: random.Random,
    say: Callable[[str], None] = lambda _text: None,
) -> tuple[Witness, list[Violation]]:
    """Fills the list, lets people come and go for so long, fills it again; what was heard, and everything that should not be."""
    witness = Witness(volley, venue, checkin_list)
    say("everybody wants in")
    everybody = list(venue.codes)
    await witness.ask(_questions(source, venue, everybody, "entry"))
    first = admitted(witness)
    say("people come and go")
    until = now() + seconds
    while now() < until:
        inside = sorted(inside_of(witness))
        leaving = source.sample(inside, (len(inside) + 1) // 2)
        coming = source.sample(sorted(set(everybody) - set(inside)), min(GUESTS, len(everybody) - len(inside)))
        questions = [
            *_questions(source, venue, leaving, "exit", doors=1),
            *_questions(source, venue, coming, "entry"),
        ]
        source.shuffle(questions)
        await witness.ask(questions)
    say("until nothing is free")
    await witness.ask(_questions(source, venue, sorted(set(everybody) - inside_of(witness)), "entry", doors=1))
    found = [] if first == capacity else [Violation("not_full", f"{first} of {capacity} seats were given at first")]
    if (last := len(inside_of(witness))) != capacity:
        found.append(Violation("not_full", f"{last} of {capacity} seats were taken in the end"))
    rows = await asyncio.to_thread(database.fetch, venue.dsn, seats.ROWS.format(key=checkin_list))
    found += seats.check([seats.Passing(*row) for row in rows], capacity)
    found += evidence.check(witness.record.told, await asyncio.to_thread(database.log_of, venue.dsn))
    found += await disagreements(volley, venue, checkin_list, capacity)
    return witness, found


def admitted(witness: Witness) -> int:
    return len({told.asked.code for told in witness.record.told if told.outcome == "admitted"})


def inside_of(witness: Witness) -> set[str]:
    """Whom the answers say to be inside. In no round somebody both comes and leaves, so their order in it does not matter."""
    balance: Counter[str] = Counter()
    for told in witness.record.told:
        balance[told.asked.code] += seats.EFFECTS.get(told.outcome, 0)
    return {code for code, count in balance.items() if count}


def _questions(
    source: random.Random, venue: Venue, codes: Sequence[str], direction: str, *, doors: int = DOORS
) -> list[Asked]:
    """Everybody's scan at so many doors, in random order."""
    names = list(venue.devices)
    found = [
        Asked(device, checkins.scan_id(source), code, direction)
        for code in codes
        for device in source.sample(names, doors)
    ]
    source.shuffle(found)
    return found


def _result(witness: Witness, violations: list[Violation], population: str) -> Result:
    outcomes = Counter(told.reason or told.outcome for told in witness.record.told)
    kinds = Counter(one.kind for one in violations)
    shown = "; ".join(f"{one.kind}: {one.what}" for one in violations[:SHOWN])
    figures = [
        Figure("violations", "Broken promises", len(violations), note=shown),
        *(Figure(f"violations_{kind}", f"  {kind}", count) for kind, count in sorted(kinds.items())),
        Figure("answers", "Answers", len(witness.record.told)),
        Figure("left", "  exited", outcomes.pop("exited", 0)),
        *(Figure(f"answers_{name}", f"  {name}", count) for name, count in sorted(outcomes.items())),
        Figure("overloaded", "Told to come back later", len(witness.overloaded)),
        Figure("unhelpful", "Anything else", len(witness.unhelpful), note="; ".join(witness.unhelpful[:SHOWN])),
        Figure("longest", "Longest wait", witness.longest, "s"),
    ]
    return Result(population=population, figures=figures)
