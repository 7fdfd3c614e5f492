"""100,000 events, 5,000 phones, kill -9: every log whole.

Question: when connections are cut, gateways and PostgreSQL are killed, and notifications are lost, does every phone have every
event of its channels in the end, once and in order, to the letter as the table has it?

Population: 5,000 phones in one generator process, each with a ticket of its own: `announcements` and `me` for all, beside them
one of 40 audiences for each, and for the first 40 phones an audience in which half of all events happen. Two gateways on one
port (`--gateways N`), each of which loses every second notification, and some hear none at all.

Measured: 100,000 events in 180 s, by four writers through `server.feed` in transactions of up to ten, 3 % of which are rolled
back, and 150 announcements over HTTP. Each phone is cut off about every 40 s, comes back within 2 s and every tenth time after
5 to 12 s; a tenth of those in the busy audience are away from the beginning to the end. Every 5 to 9 s SIGKILL hits a gateway,
or PostgreSQL. A phone resumes with its positions, and reads over HTTP (`catch_up`) what no ring holds any more. It keeps of
each channel how far it has read, and a digest of all it has read, in order: ids, kinds, data. After the storm all wait until
they have the table's end, for 60 s at the most, and every digest is held against the table's (`feed_ledger.py`).

Thresholds: no phone behind, none with other events than the table, nothing left out, repeated or out of order, no channel said
to be another one or forbidden; no number missing in the table; at least 100,000 events, a kill of each kind, a resumed channel
and one that was read over HTTP, or nothing was tried. With `--broken` the storm is short and runs twice, and phones have to
notice each time: once the busy audience is numbered by a sequence instead of the counter, once gateways take everybody's
position for one that is in the ring.

Given up: when the server ends, or not everybody gets in. `--seed N` repeats the plan; what it hits depends on the machine's
timing.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from uuid import UUID

from msgspec import Struct

from loadtests import database, feed_writers
from loadtests.feed_followers import Begin, FollowerCrowd, Judge, Judged, Person, Rage
from loadtests.feed_ledger import Entry, Standing, standings
from loadtests.feed_writers import Api, Plan, Writers
from loadtests.scenario import Aborted, Context, Figure, Result, Threshold
from loadtests.server_under_test import Server
from loadtests.variants import variant
from server.feed.topics import TRACK, announcements_to
from server.feed.types import ANNOUNCEMENTS, ME

SOCKETS = 5000
GATEWAYS = 2
EVENTS, SECONDS = 100_000, 180.0
ANNOUNCED = 150
AUDIENCES = 40
BUSY = 0.008
"""Of the phones, but `FEWEST` at least: who listens to the busy audience."""
FEWEST = 10
ABSENT = 0.1
"""Of those: who is away all the time."""
WEIGHTS = {"busy": 0.5, "others": 0.45, ME: 0.045, ANNOUNCEMENTS: 0.005}
STAY_SECONDS = 40.0
CALM = (5.0, 9.0)
"""Seconds between kills."""
VICTIMS = ("gateway", "gateway", "postgres")
"""Each so often in every three kills, in random order: so no gateway dies five times in 20 s, after which the server gives up."""
CONNECT_SECONDS = 60.0
SETTLE_SECONDS = 60.0

SHORT_SOCKETS, SHORT_EVENTS, SHORT_SECONDS, SHORT_SETTLE_SECONDS = 60, 2000, 5.0, 1.0
"""Of the broken variants."""

THRESHOLDS = (
    Threshold("behind", "L", at_most=0),
    Threshold("different", "L", at_most=0),
    Threshold("gaps", "L", at_most=0),
    Threshold("reorders", "L", at_most=0),
    Threshold("replaced", "L", at_most=0),
    Threshold("forbidden", "L", at_most=0),
    Threshold("holes", "L", at_most=0),
    Threshold("events", at_least=100_000),
    Threshold("kills_gateway", at_least=1),
    Threshold("kills_postgres", at_least=1),
    Threshold("resumes", at_least=1),
    Threshold("catch_ups", at_least=1),
)
BROKEN = (Threshold("caught_sequence", at_least=1), Threshold("caught_ring", at_least=1))
"""What phones find of each."""

DEAF = """\
import random

from server.feed import watch

heed = watch.Watch._on_hint
deaf = random.random() < 0.3


def lose_some(self, *arguments):
    if not deaf and random.random() < 0.5:
        heed(self, *arguments)


watch.Watch._on_hint = lose_some
"""
"""Loses notifications."""
SHORT_RING = """\
from server.live import hub, relay

hub.Log.__init__.__kwdefaults__["length"] = relay.RING_LENGTH = 100
"""
"""So that a few seconds are too long for a ring."""
TRUSTING = """\
from server.live import hub

hub.Log.oldest = property(lambda self: 0)
"""
"""Takes every position for one that is in the ring."""

CHANNELS = "SELECT channel, epoch, seq FROM feed_channel WHERE event_id = '{event_id}'"
EVENTS_OF = """
    SELECT channel, seq, id::text, kind, data::text FROM feed_event WHERE event_id = '{event_id}' ORDER BY channel, seq
"""
OPEN = "INSERT INTO feed_channel (event_id, channel, epoch) VALUES ('{event_id}', '{channel}', 'storm')"
KEY = "SELECT encode(ticket_key, 'hex') FROM digitalnow_installation"
EVENT = "SELECT event_id FROM event WHERE slug = '{slug}'"


class Size(Struct, frozen=True):
    """Of a storm."""

    sockets: int
    events: int
    seconds: float
    settle_seconds: float


class Stood(Struct, frozen=True):
    """What came of a storm."""

    judged: Judged
    events: int
    holes: int
    kills: Counter[str]
    announced: int
    withdrawn: int
    unknown: int
    settled: float

    @property
    def findings(self) -> int:
        """What phones found wrong. Who is behind may only be late."""
        counts = self.judged.counts
        return self.judged.different + counts.gaps + counts.reorders + counts.replaced


class Ground(Struct, frozen=True):
    """Who listens to what."""

    event_id: UUID
    busy: str
    audiences: list[str]
    people: list[Person]

    def weights(self) -> dict[str, float]:
        """How often something happens in each channel."""
        others = dict.fromkeys(self.audiences, WEIGHTS["others"] / len(self.audiences))
        return {self.busy: WEIGHTS["busy"], **others, ME: WEIGHTS[ME], ANNOUNCEMENTS: WEIGHTS[ANNOUNCEMENTS]}


def run(context: Context) -> Result:
    gateways = context.gateways or GATEWAYS
    if context.broken:
        return _run_broken(context, gateways)
    size = Size(context.sockets or SOCKETS, EVENTS, context.seconds or SECONDS, SETTLE_SECONDS)
    stood = storm(context, "sound", size, gateways, code=DEAF)
    population = f"{size.sockets:,} phones, {gateways} gateways, seed {context.seed}"
    return Result(population=population, figures=_figures(stood))


def _run_broken(context: Context, gateways: int) -> Result:
    size = Size(context.sockets or SHORT_SOCKETS, SHORT_EVENTS, context.seconds or SHORT_SECONDS, SHORT_SETTLE_SECONDS)
    context.say("a sequence instead of the counter")
    sequence = storm(context, "sequence", size, gateways, by_sequence=True, code=DEAF + SHORT_RING)
    context.say("every position is in the ring")
    ring = storm(context, "ring", size, gateways, code=DEAF + SHORT_RING + TRUSTING)
    figures = [
        Figure("caught_sequence", "A sequence for the counter: found", sequence.findings, note=_shown(sequence)),
        Figure("caught_ring", "No check of the ring: found", ring.findings, note=_shown(ring)),
    ]
    return Result(population=f"{size.sockets:,} phones, {gateways} gateways, BROKEN", figures=figures)


def storm(context: Context, name: str, size: Size, gateways: int, *, code: str, by_sequence: bool = False) -> Stood:
    """A storm on a server of its own. Raises `Aborted`."""
    folder, source = context.folder / name, context.random()
    folder.mkdir()
    variables = variant(folder, "server.live", code)
    attendees = max(context.attendees or 0, size.sockets)
    with Server(folder / "server", attendees=attendees, gateways=gateways, variables=variables) as server:
        ground = _prepare(server, size.sockets, source)
        with FollowerCrowd(server.live_url, f"http://{server.host}:{server.port}") as crowd:
            context.say(f"{size.sockets:,} phones connect to {gateways} gateways")
            key = database.fetch(server.dsn, KEY)[0][0]
            begun = crowd.begin(Begin(ground.event_id, key, server.path, ground.people, CONNECT_SECONDS))
            if begun.connected < size.sockets:
                raise Aborted(f"only {begun.connected} of {size.sockets} phones reached the feed")
            writers = _writers(context, server, ground, size, numbered=ground.busy if by_sequence else None)
            if by_sequence:
                database.execute(server.dsn, [feed_writers.CREATE_SEQUENCE])
            crowd.rage(Rage(STAY_SECONDS, context.seed))
            writers.begin()
            try:
                kills = _rage(context, server, writers, source)
            finally:
                writers.stop()
            crowd.calm()
            context.say(f"{writers.confirmed:,} events; waiting for the last phone")
            return _judge(server, crowd, ground, writers, kills, size)


def _prepare(server: Server, sockets: int, source: random.Random) -> Ground:
    """Opens the audiences' channels and deals the phones out to them."""
    event_id = database.fetch(server.dsn, EVENT.format(slug=server.credentials.event))[0][0]
    busy, *audiences = (
        announcements_to(f"{TRACK}{uuid.UUID(int=source.getrandbits(128), version=4)}") for _ in range(AUDIENCES + 1)
    )
    database.execute(server.dsn, [OPEN.format(event_id=event_id, channel=channel) for channel in (busy, *audiences)])
    listening = max(FEWEST, int(sockets * BUSY))
    absent = max(1, int(listening * ABSENT))
    people = []
    for number, line in enumerate(server.people()[:sockets]):
        audience = busy if number < listening else audiences[number % len(audiences)]
        channels = [ANNOUNCEMENTS, ME, audience]
        people.append(Person(UUID(line["id"]), line["token"], channels, number < absent))
    return Ground(event_id, busy, audiences, people)


def _writers(context: Context, server: Server, ground: Ground, size: Size, *, numbered: str | None) -> Writers:
    plan = Plan(
        event_id=ground.event_id,
        weights=ground.weights(),
        people=[person.subject for person in ground.people],
        events=size.events,
        rate=size.events / size.seconds,
        announcements=max(1, ANNOUNCED * size.events // EVENTS),
        seed=context.seed,
        numbered=numbered,
    )
    return Writers(server.dsn, plan, Api(server, server.path, server.credentials.organizer_token))


def _rage(context: Context, server: Server, writers: Writers, source: random.Random) -> Counter[str]:
    """Kills until everything is written: what was hit how often."""
    kills: Counter[str] = Counter()
    planned: list[str] = []
    while not writers.are_done_within(source.uniform(*CALM)):
        planned = planned or source.sample(VICTIMS, len(VICTIMS))
        victim = planned.pop()
        context.say(f"{writers.confirmed:,} events; kill {victim}")
        if victim == "gateway":
            server.kill_gateway(source)
        else:
            server.kill_postmaster()
        kills[victim] += 1
        server.check_alive()
    return kills


def _judge(
    server: Server, crowd: FollowerCrowd, ground: Ground, writers: Writers, kills: Counter[str], size: Size
) -> Stood:
    channels = database.fetch(server.dsn, CHANNELS.format(event_id=ground.event_id))
    rows = [Entry(*row) for row in database.fetch(server.dsn, EVENTS_OF.format(event_id=ground.event_id))]
    expected, holes = standings(rows, {channel: epoch for channel, epoch, _ in channels})
    holes += sum(expected[channel].seq != seq for channel, _, seq in channels if expected[channel].seq)
    # Whoever was told nothing of his own has an empty log, in the epoch of them all.
    expected[ME] = Standing(expected[ME].epoch, 0, 0)
    began = time.monotonic()
    judged = crowd.judge(Judge(expected, size.settle_seconds))
    events = sum(row.channel != ME for row in rows)
    return Stood(
        judged=judged,
        events=events,
        holes=holes,
        kills=kills,
        announced=writers.announced,
        withdrawn=writers.withdrawn,
        unknown=writers.unknown,
        settled=time.monotonic() - began,
    )


def _shown(stood: Stood) -> str:
    return "; ".join(stood.judged.shown)


def _figures(stood: Stood) -> list[Figure]:
    judged, counts = stood.judged, stood.judged.counts
    return [
        Figure("behind", "Channels that a phone has not to the end", judged.behind, note=_shown(stood)),
        Figure("different", "  has otherwise than the table", judged.different),
        Figure("compared", "  compared", judged.compared),
        Figure("gaps", "Times something was left out", counts.gaps),
        Figure("reorders", "  came again, or too late", counts.reorders),
        Figure("replaced", "  a log was said to be another one", counts.replaced),
        Figure("forbidden", "  a channel was refused", counts.forbidden),
        Figure("holes", "Numbers missing in the table", stood.holes),
        Figure("events", "Events", stood.events),
        Figure("announced", "  over HTTP", stood.announced),
        Figure("withdrawn", "Transactions rolled back", stood.withdrawn),
        Figure("unknown", "  of unknown end", stood.unknown),
        Figure("deliveries", "Deliveries", counts.deliveries),
        Figure("over_http", "  by reading over HTTP", counts.over_http),
        Figure("kills_gateway", "Kills: a gateway", stood.kills["gateway"]),
        Figure("kills_postgres", "  PostgreSQL", stood.kills["postgres"]),
        Figure("cut", "Connections cut by the phones", judged.cut),
        Figure("lost", "  ended otherwise", judged.lost, note=_codes(judged)),
        Figure("retries", "  attempts that had to be repeated", judged.retries),
        Figure("resumes", "Channels resumed", counts.resumes),
        Figure("catch_ups", "  read over HTTP", counts.catch_ups),
        Figure("settled", "Last phone after the last event", stood.settled, "s"),
    ]


def _codes(judged: Judged) -> str:
    return ", ".join(f"{count} × {code}" for code, count in sorted(judged.codes.items()))
