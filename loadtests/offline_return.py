"""Forty scanners come back at once with a day's scans.

Question: is a batch of scans that have happened stored three times as fast as people are checked in at the door (C3), and
when forty scanners come back at the same moment, is everything theirs soon, while the doors that are open do not wait?

Population: 5,000 attendees, one API process. For the ratio, lists of the round's own, so that every scan is somebody's first:
checked in over 64 connections, one by one; uploaded by 8 connections, 500 in a request. For the return, 40 reference scanners
(`scanner.py`, 20 of them paired for it), each with 250 scans that it decided by its own snapshot while it was offline, at two
lists; a twentieth of the scans are of people whom another scanner let in too.

Measured: three rounds, in each check-ins for 2 s and then uploads until the round's share is used up, interleaved because a
virtual machine's speed drifts; the ratio is taken within a round, median, least and most. Then all scanners upload at once:
scans a second, the time until each has its mark, and until all conflicts are listed; meanwhile check-ins at 50 a second at
another list, latency from the scheduled time. The scanners and these check-ins share one process on the same cores as the
server: how late it was itself is a figure too.

Thresholds: the median ratio is at least 3; every mark within 10 s and every conflict within 15 s; the live check-ins' p99 at
most 250 ms; no answer but 200, nothing unproven, exactly the conflicts that were made.

Given up: when the server drops a connection or does not let the scanners in. Invalid: when the generator used more than 80 %
of a core in the rounds, or was itself later with the live check-ins than their threshold allows them to take.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from msgspec import Struct

from loadtests import accounting, checkins, database, generator
from loadtests.generator import OpenModel, Tally
from loadtests.line import request_for
from loadtests.organizer import ask_organizer, make_lists
from loadtests.scanner import Scanner, pair
from loadtests.scanner_network import NoAnswer, Weather, Wifi, encode
from loadtests.scanner_queue import Queue
from loadtests.scenario import Context, Figure, Plot, Result, Series, Threshold, generator_share
from loadtests.server_under_test import Server
from loadtests.witness import venue_of
from server.checkin.batch import MAX_SCANS
from server.checkin.types import CheckIn

ATTENDEES = 5000
SCANNERS, QUEUED = 40, 250
DOUBLE = 0.05
"""Of the scans: somebody whom another scanner lets in too."""
ROUNDS, SECONDS = 3, 2.0
CHECKIN_LISTS, UPLOAD_LISTS = 5, 10
"""In each round: for 25,000 check-ins and 50,000 uploaded scans."""
CONNECTIONS, UPLOAD_CONNECTIONS = 64, 8
RETURN_LISTS = ("return-hall", "return-lunch")
COME_BACK = (0.2, 1.0)
"""Seconds after which a scanner comes back that was turned away; each waits for another time."""
LIVE_RATE = 50.0
LIVE_SECONDS = 8.0
CONFLICT_SECONDS = 60.0
MAX_LAG_SECONDS = 0.25

THRESHOLDS = (
    Threshold("ratio", "C3", at_least=3.0),
    Threshold("wrong_answers", at_most=0),
    Threshold("marked", at_most=10),
    Threshold("listed", at_most=15),
    Threshold("live_p99", at_most=250),
    Threshold("unproven", at_most=0),
    Threshold("conflicts_missing", at_most=0),
)

CONFLICTS = "SELECT count(*) FROM checkin_conflict WHERE kind = 'double_admission' AND resolved_at IS NULL"


class Round(Struct, frozen=True):
    """Scans a second, either way."""

    checkins: float
    uploads: float
    wrong: list[str]
    generator_cpu: float
    seconds: float
    server_cpu: float
    postgres_cpu: float
    """Cores, while scans were uploaded."""


class Returned(Struct, frozen=True):
    """What the scanners' return was."""

    seconds: float
    """Until everybody had uploaded everything."""
    turned_away: int
    """Times a scanner was told to come back later with at least a part."""
    marked: list[float]
    """Seconds until each scanner had its mark."""
    listed: float
    unproven: int
    conflicts: int
    live: Tally
    model: OpenModel


def run(context: Context) -> Result:
    attendees = context.attendees or ATTENDEES
    source = context.random()
    with Server(context.folder / "server", attendees=attendees) as server:
        codes = server.badges()
        devices = list(venue_of(server).devices.values())
        rounds = []
        for number in range(ROUNDS):
            context.say(f"round {number + 1} of {ROUNDS}")
            rounds.append(_measure(server, codes, devices, number, context.seconds or SECONDS, source))
        context.say(f"{SCANNERS} scanners come back")
        queues, doubles = plan(source, codes)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            returned = runner.run(_return(server, devices, queues, doubles, context.folder))
    return _result(rounds, returned, doubles, f"{attendees:,} attendees, {SCANNERS} scanners with {QUEUED} scans each")


def _measure(
    server: Server, codes: Sequence[str], devices: Sequence[str], number: int, seconds: float, source: random.Random
) -> Round:
    """One round: check-ins, then uploads, each scan somebody's first at its list."""
    keys = [f"round-{number}-{place}" for place in range(CHECKIN_LISTS + UPLOAD_LISTS)]
    make_lists(server, keys)
    path = f"{server.path}/checkins"
    scans = [(key, code) for key in keys[:CHECKIN_LISTS] for code in source.sample(codes, len(codes))]
    bodies = (encode({"scan_id": checkins.scan_id(source), "list": key, "code": code}) for key, code in scans)
    asked = [request_for("POST", path, devices[place % len(devices)], body) for place, body in enumerate(bodies)]
    brought = _uploads(server, codes, devices, keys[CHECKIN_LISTS:], source)
    checked_in, uploaded = Tally(checkins.ADMITTED), Tally(b'"stored":500')
    cpu = time.process_time()
    generator.saturate_server(server, iter(asked), checked_in, connections=CONNECTIONS, seconds=seconds)
    pids = server.pids("server.api"), server.postgres_pids()
    before = [accounting.cpu_seconds(each) for each in pids]
    generator.saturate_server(server, iter(brought), uploaded, connections=UPLOAD_CONNECTIONS, seconds=60.0)
    used = [accounting.cpu_seconds(each) - was for each, was in zip(pids, before, strict=True)]
    return Round(
        checked_in.right / checked_in.seconds,
        uploaded.right * MAX_SCANS / uploaded.seconds,
        [*checked_in.wrong, *uploaded.wrong],
        time.process_time() - cpu,
        checked_in.seconds + uploaded.seconds,
        used[0] / uploaded.seconds,
        used[1] / uploaded.seconds,
    )


def _uploads(
    server: Server, codes: Sequence[str], devices: Sequence[str], keys: Sequence[str], source: random.Random
) -> list[bytes]:
    """Everybody's admission at each of these lists, 500 in a request."""
    now = datetime.now(UTC)
    requests = []
    for place, key in enumerate(keys):
        order = source.sample(codes, len(codes))
        for first in range(0, len(order) - MAX_SCANS + 1, MAX_SCANS):
            scans = [
                CheckIn(
                    scan_id=checkins.scan_id(source),
                    list=key,
                    code=code,
                    scanned_at=now,
                    synced_at=now,
                    decided="admitted",
                )
                for code in order[first : first + MAX_SCANS]
            ]
            token = devices[(place + first) % len(devices)]
            requests.append(request_for("POST", f"{server.path}/checkins/batch", token, encode({"scans": scans})))
    return requests


def plan(source: random.Random, codes: Sequence[str]) -> tuple[list[list[tuple[str, str]]], int]:
    """Whom each scanner lets in, at which list, and how many of them another one lets in too."""
    pairs = [(key, code) for key in RETURN_LISTS for code in codes]
    source.shuffle(pairs)
    doubles = int(SCANNERS * QUEUED * DOUBLE)
    single = pairs[: SCANNERS * QUEUED - doubles]
    queues: list[list[tuple[str, str]]] = [[] for _ in range(SCANNERS)]
    for place, each in enumerate(single):
        queues[place % SCANNERS].append(each)
    for place, each in enumerate(single[:doubles]):
        queues[(place + SCANNERS // 2) % SCANNERS].append(each)
    return queues, doubles


async def _return(
    server: Server, devices: Sequence[str], queues: Sequence[Sequence[tuple[str, str]]], doubles: int, folder: Path
) -> Returned:
    make_lists(server, [*RETURN_LISTS, "return-live"])
    tokens = [*devices, *await _pair_more(server, SCANNERS - len(devices))]
    weathers = [Weather(Wifi(server)) for _ in tokens]
    scanners = [
        Scanner(weather, server.path, token, Queue(folder / f"queue-{place}", durable=False), pause=60)
        for place, (weather, token) in enumerate(zip(weathers, tokens, strict=True))
    ]
    for scanner, weather, queue in zip(scanners, weathers, queues, strict=True):
        await scanner.start()
        weather.offline = True
        for key, code in queue:
            await scanner.scan(key, code)
        weather.offline = False
    live = Tally(checkins.ADMITTED)
    path = f"{server.path}/checkins"
    asked = [
        request_for("POST", path, devices[0], encode({"scan_id": f"live-{place}", "list": "return-live", "code": code}))
        for place, code in enumerate(server.badges()[: int(LIVE_RATE * LIVE_SECONDS)])
    ]
    doors = asyncio.create_task(
        generator.send_at_rate(server.host, server.port, asked, live, connections=8, rate=LIVE_RATE)
    )
    await asyncio.sleep(1)  # the doors are open already
    came = generator.now()
    source = random.Random(len(scanners))
    back = await asyncio.gather(*(_come_back(scanner, source) for scanner in scanners))
    everything = generator.now() - came
    listed, found = await _wait_for_conflicts(server, doubles, came)
    model = await doors
    proofs = [await scanner.prove() for scanner in scanners]
    unproven = sum(not proof.everything for proof in proofs) + sum(bool(scanner.lost) for scanner in scanners)
    turned_away = sum(times for _, times in back)
    return Returned(everything, turned_away, [at - came for at, _ in back], listed, unproven, found, live, model)


async def _come_back(scanner: Scanner, source: random.Random) -> tuple[float, int]:
    """When the server had everything, by its mark, and how often it said that it had too much to do."""
    turned_away = 0
    while True:
        try:
            await scanner.upload()
            await scanner.prove()
        except NoAnswer:
            turned_away += 1
            await asyncio.sleep(source.uniform(*COME_BACK))
        else:
            return generator.now(), turned_away


async def _pair_more(server: Server, count: int) -> list[str]:
    """Tokens of new devices, as their phones get them."""
    network = Wifi(server)
    tokens = []
    for number in range(count):
        new = {"name": f"More {number + 1}", "gate": server.credentials.devices[0].gate}
        made = ask_organizer(server, "/devices", new)
        tokens.append((await pair(network, server.path, made["pairing"]["code"])).token)
    network.close()
    return tokens


async def _wait_for_conflicts(server: Server, expected: int, came: float) -> tuple[float, int]:
    """When so many conflicts stood, and how many stand; without so many, when there was no hope left."""
    while True:
        found: int = (await asyncio.to_thread(database.fetch, server.dsn, CONFLICTS))[0][0]
        waited = generator.now() - came
        if found >= expected or waited > CONFLICT_SECONDS:
            return waited, found
        await asyncio.sleep(0.1)


def _result(rounds: Sequence[Round], returned: Returned, doubles: int, population: str) -> Result:
    ratios = [each.uploads / each.checkins for each in rounds]
    wrong = [text for each in rounds for text in each.wrong] + list(returned.live.wrong)
    seconds = sum(each.seconds for each in rounds)
    generator_cpu, invalid = generator_share(sum(each.generator_cpu for each in rounds), seconds)
    live, lag = returned.live.latencies, returned.model.lag.percentile(99)
    if lag > MAX_LAG_SECONDS:
        invalid.append(f"the generator was {lag * 1000:.0f} ms late with the live check-ins")
    figures = [
        Figure("ratio", "Uploaded scans to check-ins, median", statistics.median(ratios), "×"),
        Figure("ratio_least", "  worst round", min(ratios), "×"),
        Figure("ratio_most", "  best round", max(ratios), "×"),
        Figure("uploads", "Scans uploaded, median", statistics.median(each.uploads for each in rounds), "/s"),
        Figure("checkins", "Check-ins, median", statistics.median(each.checkins for each in rounds), "/s"),
        Figure(
            "server_cpu", "  CPU of the API, of uploads", statistics.median(each.server_cpu for each in rounds), "cores"
        ),
        Figure("postgres_cpu", "  CPU of PostgreSQL", statistics.median(each.postgres_cpu for each in rounds), "cores"),
        Figure("wrong_answers", "Other answers", len(wrong), note="; ".join(wrong[:3])),
        Figure("returned", "The return: scans stored", SCANNERS * QUEUED / returned.seconds, "/s"),
        Figure("marked_p50", "  a scanner has its mark, p50", statistics.median(returned.marked), "s"),
        Figure("marked", "  every scanner has its mark", max(returned.marked), "s"),
        Figure("turned_away", "  told to come back later", returned.turned_away),
        Figure("listed", "  every conflict is listed", returned.listed, "s"),
        Figure("conflicts", "  conflicts", returned.conflicts),
        Figure("conflicts_missing", "  missing or too many", abs(returned.conflicts - doubles)),
        Figure("unproven", "  scanners without a proof", returned.unproven),
        Figure("live_p50", "Live check-ins meanwhile, p50", live.percentile(50) * 1000, "ms"),
        Figure("live_p99", "  p99", live.percentile(99) * 1000, "ms"),
        Figure("live_longest", "  longest", live.longest * 1000, "ms"),
        Figure("lag", "  generator late, p99", lag * 1000, "ms"),
        generator_cpu,
    ]
    return Result(population=population, figures=figures, plots=[_plot(rounds)], invalid=invalid)


def _plot(rounds: Sequence[Round]) -> Plot:
    series = [
        Series("uploaded", [(place + 1.0, each.uploads) for place, each in enumerate(rounds)]),
        Series("checked in", [(place + 1.0, each.checkins) for place, each in enumerate(rounds)]),
    ]
    return Plot("Uploads and check-ins, round by round", "round", "per second", series)
