"""The order in which offline scans arrive changes nothing.

Question: does what is known at the end (who is inside, what does not go together, how many were counted) depend on nothing
but the set of scans (G6), even when clocks are days wrong (G7)?

Population: six devices that were offline for three hours, one with its clock three days ahead, one three days behind; eight
people who come and go at lists of every kind: three rules for coming back, an opening window, a capacity, one that admits
nobody, two rooms. 250 scans, a tenth of them refusals, some of codes nobody has. Two API processes.

Measured: the same day again and again, each time with other people and lists, brought in another order of scans and batches,
in batches of 1 to 60, by four connections at a time, a seventh of the batches twice. After each the database and the
snapshots are held against a pure reference (`merging.py`): it puts scans in the order of their moments and has never heard
of arrivals. Answers too: the same scan gets the same one, and a wrong clock is flagged, a right one is not. In the log the
turns of each person are 1, 2, 3 … without a gap.

Thresholds: no difference in 20 permutations of each of 3 days. With `--broken` the scanners do not say when they scanned, so
that the server can only go by the arrival: this has to be noticed.

Given up: when the server refuses a batch, or does not count what it has logged within 15 s. `--seed N` repeats the days and
the permutations.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from loadtests.merging import (
    DEVICES,
    Made,
    Outcome,
    World,
    bucket,
    clock_of,
    expected,
    make_scans,
    short,
)
from loadtests.scanner_network import Network, NoAnswer, Wifi, encode
from loadtests.scanner_rules import numbers_of
from loadtests.scenario import Aborted, Context, Figure, Result, Threshold
from loadtests.server_under_test import Server
from server.attendee import signed_codes
from server.checkin.batch import BatchAnswer, BatchResult
from server.checkin.snapshot import Snapshot

DAYS = 3
PERMUTATIONS = 20
PEOPLE = 8
SCANS = 250
LARGEST_BATCH = 60
AT_A_TIME = 4
TWICE = 1 / 7
SETTLE_SECONDS = 15.0
NETWORKS = 8
SHOWN = 3

THRESHOLDS = (
    Threshold("violations", "G6 G7", at_most=0),
    Threshold("permutations", at_least=10),
)
BROKEN = (Threshold("violations", "G6 G7", at_least=1),)
"""Of the variant whose scanners do not say when they scanned."""

TALLY = """
    SELECT list_id, bucket, outcome, reason, sum(scans)::integer
    FROM checkin_tally WHERE list_id = ANY($1) GROUP BY list_id, bucket, outcome, reason HAVING sum(scans) <> 0
"""
CONFLICTS = """
    SELECT kind, list_id, scan_id, coalesce(first_scan_id, '')
    FROM checkin_conflict WHERE list_id = ANY($1) AND resolved_at IS NULL
"""
GAPS = """
    SELECT attendee_id, array_agg(turn ORDER BY turn)
    FROM scan WHERE turn IS NOT NULL GROUP BY area_id, attendee_id HAVING max(turn) <> count(*)
"""
OCCUPANCY = "SELECT key, data FROM feed_state WHERE channel = 'occupancy' AND key = ANY($1)"


class Place(Struct, frozen=True):
    """Where and as whom the days are brought."""

    networks: Sequence[Network]
    event: str
    """Its path."""
    organizer: str
    devices: Sequence[str]
    """Tokens."""
    codes: Sequence[str]
    """Of people with the same ticket."""
    ticket: str
    database: Any


def run(context: Context) -> Result:
    permutations = DAYS * PERMUTATIONS
    with Server(context.folder / "server", attendees=context.attendees or 2500, workers=2) as server:
        found = asyncio.run(_prove(context, server))
    kinds = Counter(violation.partition(":")[0] for violation in found)
    shown = "; ".join(found[:SHOWN])
    figures = [
        Figure("violations", "Differences from the reference", len(found), note=shown),
        *(Figure(f"violations_{kind}", f"  {kind}", count) for kind, count in sorted(kinds.items())),
        Figure("permutations", "Permutations", permutations),
    ]
    population = f"{DAYS} days of {SCANS} scans, {PERMUTATIONS} permutations each, seed {context.seed}"
    return Result(population=population + (", BROKEN" if context.broken else ""), figures=figures)


async def _prove(context: Context, server: Server) -> list[str]:
    networks = [Wifi(server) for _ in range(NETWORKS)]
    tokens = [device.token for device in server.credentials.devices[:DEVICES]]
    ticket, codes = server.largest_ticket()
    database = await asyncpg.connect(server.dsn)
    place = Place(networks, server.path, server.credentials.organizer_token, tokens, codes, ticket, database)
    try:
        violations = []
        for day in range(DAYS):
            seed = context.seed * 1000 + day
            context.say(f"day {day + 1}, seed {seed}")
            violations += await prove_day(place, seed, PERMUTATIONS, first=day * PERMUTATIONS, broken=context.broken)
        return violations
    finally:
        await database.close()


async def prove_day(
    place: Place, seed: int, permutations: int, *, scans: int = SCANS, first: int = 0, broken: bool = False
) -> list[str]:
    """Brings the same day in so many ways; every difference from the reference, named by the part in which it is.

    `first` is the number of the first permutation: each takes people and lists of its own. Raises `Aborted`.
    """
    await _open_rooms(place)
    found = []
    for number in range(first, first + permutations):
        world, lists = await _make_world(place, number)
        made = make_scans(random.Random(seed), world, f"m{number}", scans)
        want = expected(world, made, datetime.now(UTC))
        found += await _bring(place, made, random.Random(seed * 1000 + number), broken=broken)
        found += await _compare(place, world, lists, want)
    gaps = await place.database.fetch(GAPS)
    return found + [f"turns: those of {attendee_id} are {turns}" for attendee_id, turns in gaps]


async def _ask(place: Place, method: str, path: str, body: object, token: str = "", network: int = 0) -> bytes:
    encoded = b"" if body is None else encode(body)
    try:
        reply = await place.networks[network].send(method, place.event + path, token or place.organizer, encoded)
    except NoAnswer as error:
        raise Aborted(f"the server did not answer: {error}") from None
    if reply.status >= 400:
        raise Aborted(
            f"{method} {path} was answered with {reply.status}: {reply.body[:200].decode('utf-8', 'replace')}"
        )
    return reply.body


async def _open_rooms(place: Place) -> None:
    """Moves a session of each of two rooms into the hours of the scans."""
    now = datetime.now(UTC)
    for at, session in zip((3, 2), await _two_sessions(place), strict=True):
        window = {"starts_at": now - timedelta(hours=at), "ends_at": now - timedelta(hours=at - 1, minutes=1)}
        await _ask(place, "PATCH", f"/sessions/{session['id']}", window)


async def _two_sessions(place: Place) -> list[dict[str, Any]]:
    programme = msgspec.json.decode(await _ask(place, "GET", "/schedule", None))
    by_room = {session["room_id"]: session for session in programme["sessions"] if session["room_id"]}
    return [by_room[room] for room in sorted(by_room)[:2]]


async def _make_world(place: Place, number: int) -> tuple[World, dict[str, str]]:
    """Lists and people of a permutation's own; the lists' ids by their short names."""
    began = datetime.now(UTC)
    rooms = [session["room_id"] for session in await _two_sessions(place)]
    hours = {"opens_at": began - timedelta(hours=2.5), "closes_at": began - timedelta(hours=1)}
    rules: dict[str, dict[str, Any]] = {
        "after": {},
        "few": {"capacity": 3},
        "hours": hours,
        "never": {"reentry": "never"},
        "nobody": {"tickets": []},
        "often": {"reentry": "always"},
        "room-a": {"kind": "room", "room_id": rooms[0]},
        "room-b": {"kind": "room", "room_id": rooms[1], "reentry": "never"},
    }
    ids = {}
    for name, rule in rules.items():
        new = {"key": f"m{number}-{name}", "name": {"en": name}} | rule
        ids[name] = msgspec.json.decode(await _ask(place, "POST", "/checkins/lists", new))["id"]
    for network in range(len(place.networks)):
        await _until_known(place, f"m{number}-room-b", network)
    snapshot = await _snapshot(place, 0)
    lists = {one.key: one for one in snapshot.lists if one.key.startswith(f"m{number}-")}
    codes = place.codes[number * PEOPLE : (number + 1) * PEOPLE]
    return World(lists, [place.ticket] * PEOPLE, codes, datetime.now(UTC)), ids


async def _until_known(place: Place, key: str, network: int) -> None:
    for _ in range(200):
        if any(one.key == key for one in (await _snapshot(place, network)).lists):
            return
        await asyncio.sleep(0.05)
    raise Aborted(f"a process did not hear of the list {key}")


async def _snapshot(place: Place, network: int) -> Snapshot:
    return msgspec.json.decode(
        await _ask(place, "GET", "/checkins/snapshot", None, place.devices[0], network), type=Snapshot
    )


async def _bring(place: Place, made: Sequence[Made], source: random.Random, *, broken: bool) -> list[str]:
    """Uploads everything in an order of its own; what the answers say that they should not."""
    batches = batches_of(made, source)
    heard: dict[str, BatchResult] = {}
    found: list[str] = []

    async def bring(network: int) -> None:
        while batches:
            batch = batches.pop()
            scans = [msgspec.structs.replace(one.checkin, scanned_at=None) if broken else one.checkin for one in batch]
            body = await _ask(
                place, "POST", "/checkins/batch", {"scans": scans}, place.devices[batch[0].device], network
            )
            answer = msgspec.json.decode(body, type=BatchAnswer)
            for one, result in zip(batch, answer.results, strict=True):
                if result.error is not None:
                    raise Aborted(f"a scan was not stored: {result.error.detail}")
                before = heard.setdefault(one.checkin.scan_id, result)
                if before != result:
                    found.append(f"answers: {one.checkin.scan_id} was {_told(before)}, then {_told(result)}")
                if not broken and result.clock != clock_of(one):
                    found.append(f"clock: {one.checkin.scan_id} of device {one.device} is {result.clock}")

    async with asyncio.TaskGroup() as group:
        for worker in range(AT_A_TIME):
            group.create_task(bring(worker % len(place.networks)))
    return found


def _told(result: BatchResult) -> str:
    admission = result.admission
    since = f" ({admission.at:%H:%M:%S.%f} {admission.device})" if admission else ""
    return f"{result.reason or result.outcome}{since}{' in conflict' if result.conflict else ''}"


def batches_of(made: Sequence[Made], source: random.Random) -> list[list[Made]]:
    """The scans of each device, shuffled and cut into batches, some of them twice; all batches in random order."""
    batches = []
    for device in range(DEVICES):
        own = [one for one in made if one.device == device]
        source.shuffle(own)
        while own:
            size = source.choice((1, 3, source.randint(1, LARGEST_BATCH)))
            batches.append(own[:size])
            own = own[size:]
    batches += [batch for batch in batches if source.random() < TWICE]
    source.shuffle(batches)
    return batches


async def _compare(place: Place, world: World, lists: dict[str, str], want: Outcome) -> list[str]:
    """Waits until everything is as it has to be; what still is not after a while."""
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    quiet = 0
    while True:
        counted = not await place.database.fetchval("SELECT count(*) FROM scan_news")
        outcomes = [await _read(place, world, lists, network) for network in (0, 1)]
        differences = [difference for outcome in outcomes for difference in want.differences(outcome)]
        if not differences:
            return []
        quiet = quiet + 1 if counted else 0
        if quiet >= QUIET_LOOKS:
            return sorted(set(differences))
        if asyncio.get_running_loop().time() > deadline:
            raise Aborted("the server does not count what it has logged")
        await asyncio.sleep(0.1)


QUIET_LOOKS = 15
"""After so many looks, a tenth of a second apart, at which there was nothing left to tell, everybody has heard."""


async def _read(place: Place, world: World, lists: dict[str, str], network: int) -> Outcome:
    """What has come of it, as the database and one process say."""
    keys = {name: next(key for key in world.lists if key.endswith(name)) for name in lists}
    name_of = {list_id: keys[name] for name, list_id in lists.items()}
    ids = list(name_of)
    tally: Counter[tuple[str, str, str, str]] = Counter()
    for list_id, at, outcome, reason, scans in await place.database.fetch(TALLY, ids):
        tally[(name_of[str(list_id)], bucket(at, world), outcome, reason)] += scans
    conflicts = sorted(
        (kind, name_of[str(list_id)], short(later), short(first))
        for kind, list_id, later, first in await place.database.fetch(CONFLICTS, ids)
    )
    states = {f"list:{key}": key for key in keys.values()}
    told = await place.database.fetch(OCCUPANCY, list(states))
    snapshot = await _snapshot(place, network)
    people = {signed_codes.parse(code).number: person for person, code in enumerate(world.codes)}

    def persons(bitmap: str) -> list[int]:
        return sorted(people[number] for number in numbers_of(bitmap))

    own = {one.key: one for one in snapshot.lists if one.key in world.lists}
    return Outcome(
        {key: persons(one.inside) for key, one in own.items()},
        {key: persons(one.been) for key, one in own.items()},
        {states[key]: msgspec.json.decode(data)["inside"] for key, data in told},
        conflicts,
        dict(tally),
    )
