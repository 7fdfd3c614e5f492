"""The programme read and read again, against an empty answer.

Question: does a phone that asks whether the programme has changed cost the server as little as the smallest answer it has,
however large the programme, and does one that needs it get it without anything being made anew?

Population: one API process, 200 attendees, a made-up programme of 100 sessions and then one of 5,000 in three languages with
abstracts; 32 keep-alive connections, each sending its next request the moment it has its answer (a closed loop: it measures
rates; its latencies are those of a saturated server). What is asked: `GET /health/live`, which neither reads nor decides
anything; the app's document and schedule.xml, both held already (304), the former also in words that are left to the
framework; and the app's document compressed (200).

Measured: five rounds, in each all five for 1.5 s, interleaved because a virtual machine's speed drifts; ratios to the smallest
answer are taken within a round, median of the rounds. The bytes of each document; the seconds from a change to the first
reader's answer, for which rows are read and a document is written.

Thresholds: a 304 at 0.8 of the smallest answer's rate or more, for both documents and both sizes; no wrong answer.

Given up: when the server drops a connection, or does not show an imported programme within a minute. Invalid: when the
generator used more than 80 % of a core while the smallest answer was measured; when it does so for a 304, the ratio is a lower
bound and the note says so.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from loadtests import generator
from loadtests.generator import Tally
from loadtests.scenario import (
    MAX_GENERATOR_SHARE,
    Aborted,
    Context,
    Figure,
    Plot,
    Result,
    Series,
    Threshold,
    generator_share,
)
from loadtests.server_under_test import Server
from server.db import open_database
from server.event.queries import get_event_by_slug
from server.event.reader import EVERY_LANGUAGE
from server.interchange.programme import Programme, Room, Session, Speaker, Texts, Track
from server.schedule.import_actions import import_programme

ATTENDEES = 200
SIZES = {"usual": 100, "many": 5000}
ROUNDS, SECONDS = 5, 1.5
CONNECTIONS = 32
SHOWN_SECONDS = 60.0
ROOMS, A_DAY = 25, 20
"""Sessions in a room on one day, each of half an hour."""
SMALLEST = "/health/live"
FILES = {"unchanged": "schedule", "unchanged_file": "schedule.xml"}

THRESHOLDS = (
    Threshold("unchanged_usual", at_least=0.8),
    Threshold("unchanged_many", at_least=0.8),
    Threshold("unchanged_file_usual", at_least=0.8),
    Threshold("unchanged_file_many", at_least=0.8),
    Threshold("wrong_answers", at_most=0),
)


class Load(Struct, frozen=True):
    """One request, again and again."""

    tally: Tally
    generator_cpu: float

    @property
    def rate(self) -> float:
        return self.tally.right / self.tally.seconds

    @property
    def share(self) -> float:
        """Of a core, that the generator took."""
        return self.generator_cpu / self.tally.seconds


class Held(Struct, frozen=True):
    """A document as its first reader got it."""

    etag: str
    size: int
    """Compressed, if it can be."""
    seconds: float


class Measured(Struct, frozen=True):
    """One size of programme."""

    sessions: int
    held: dict[str, Held]
    rounds: list[dict[str, Load]]
    """By figure; the smallest answer is `smallest`."""


def run(context: Context) -> Result:
    seconds = context.seconds or SECONDS
    found: dict[str, Measured] = {}
    with Server(context.folder / "server", attendees=context.attendees or ATTENDEES) as server:
        for name, count in SIZES.items():
            context.say(f"a programme of {count:,} sessions")
            version = asyncio.run(_import(server, made_up(count)))
            held = {figure: _first(server, file, version) for figure, file in FILES.items()}
            rounds = []
            for number in range(ROUNDS):
                context.say(f"round {number + 1} of {ROUNDS}")
                rounds.append(
                    {figure: _load(server, *asked, seconds) for figure, asked in _asked(server, held).items()}
                )
            found[name] = Measured(count, held, rounds)
    sizes = " and ".join(f"{count:,}" for count in SIZES.values())
    return _result(found, f"{sizes} sessions, {CONNECTIONS} connections, {ROUNDS} rounds of {seconds:g} s")


def made_up(count: int) -> Programme:
    """So many sessions in 25 rooms on as many days as it takes, in three languages."""
    begin = datetime(2026, 12, 18, 8, tzinfo=UTC)
    sessions = []
    for number in range(count):
        slot, room = divmod(number, ROOMS)
        day, place = divmod(slot, A_DAY)
        start = begin + timedelta(days=day, minutes=30 * place)
        sessions.append(
            Session(
                key=f"made-up-{number}",
                title=_texts(f"Session {number}"),
                abstract=_texts(f"What session {number} is about, said at some length as abstracts are. " * 4),
                starts_at=start,
                ends_at=start + timedelta(minutes=25),
                room=f"room-{room}",
                track=f"track-{number % 8}",
                speakers=(f"speaker-{number % 400}",),
                languages=("fr",),
            )
        )
    return Programme(
        title=_texts("A made-up programme"),
        timezone="Africa/Casablanca",
        rooms=tuple(Room(key=f"room-{number}", name=_texts(f"Room {number}")) for number in range(ROOMS)),
        tracks=tuple(Track(key=f"track-{number}", name=_texts(f"Track {number}")) for number in range(8)),
        speakers=tuple(
            Speaker(key=f"speaker-{number}", name=_texts(f"Speaker {number}")) for number in range(min(400, count))
        ),
        sessions=tuple(sessions),
    )


def _texts(english: str) -> Texts:
    return {"en": english, "fr": f"En français : {english}", "ar": f"بالعربية: {english}"}


async def _import(server: Server, programme: Programme) -> int:
    """The version that the import makes."""
    async with open_database(server.dsn, size=1, name="load test") as db:
        async with db.read() as connection:
            event = await get_event_by_slug(connection, server.credentials.event)
        if event is None:
            raise Aborted("the server has no event")
        imported = await import_programme(db, event, programme, reader=EVERY_LANGUAGE)
        if imported.version is None:
            raise Aborted("the import changed nothing")
        return imported.version


def _first(server: Server, file: str, version: int) -> Held:
    """Waits until the server has heard of the version, and is then the first who asks for the file in its language."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=SHOWN_SECONDS)
    deadline = time.monotonic() + SHOWN_SECONDS
    while msgspec.json.decode(_get(connection, f"{server.path}/sessions?limit=1")[1])["version"] != version:
        if time.monotonic() > deadline:
            raise Aborted("the server does not show the programme that was imported")
        time.sleep(0.05)
    began = time.monotonic()
    answer, body = _get(connection, f"{server.path}/{file}?lang=ar")
    taken = time.monotonic() - began
    connection.close()
    return Held(answer.headers["ETag"], len(body), taken)


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"} if "lang=" in path else {})
    answer = connection.getresponse()
    return answer, answer.read()


def _asked(server: Server, held: dict[str, Held]) -> dict[str, tuple[bytes, bytes]]:
    """Each figure's request, and the status of the right answer."""
    asked = {"smallest": (_request(SMALLEST), b"200")}
    for figure, file in FILES.items():
        path = f"{server.path}/{file}?lang=ar"
        asked[figure] = (_request(path, f"If-None-Match: {held[figure].etag}"), b"304")
    long_way = _request(f"{server.path}/schedule?lang=ar&way=long", f"If-None-Match: {held['unchanged'].etag}")
    asked["long"] = (long_way, b"304")
    asked["whole"] = (_request(f"{server.path}/schedule?lang=ar"), b"200")
    return asked


def _request(path: str, *more: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: loadtests", "Accept-Encoding: gzip", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def _load(server: Server, request: bytes, status: bytes, seconds: float) -> Load:
    own_cpu = time.process_time()
    tally = Tally(b"", status)
    generator.saturate_server(server, itertools.repeat(request), tally, connections=CONNECTIONS, seconds=seconds)
    return Load(tally, time.process_time() - own_cpu)


def _result(found: dict[str, Measured], population: str) -> Result:
    figures: list[Figure] = []
    wrong: list[str] = []
    for size, measured in found.items():
        figures += _figures(size, measured)
        wrong += [answer for one in measured.rounds for load in one.values() for answer in load.tally.wrong.elements()]
    smallest = [one["smallest"] for measured in found.values() for one in measured.rounds]
    share, invalid = generator_share(
        sum(load.generator_cpu for load in smallest), sum(load.tally.seconds for load in smallest)
    )
    figures += [share, Figure("wrong_answers", "Wrong answers", len(wrong), note="; ".join(sorted(set(wrong))[:3]))]
    rates = [
        Series(
            f"{figure}, {measured.sessions:,} sessions",
            [(n + 1.0, one[figure].rate) for n, one in enumerate(measured.rounds)],
        )
        for measured in found.values()
        for figure in measured.rounds[0]
    ]
    return Result(
        population=population,
        figures=figures,
        plots=[Plot("Answers a second, round by round", "round", "per second", rates)],
        invalid=invalid,
    )


def _figures(size: str, measured: Measured) -> list[Figure]:
    rounds, sessions = measured.rounds, f"{measured.sessions:,} sessions"
    smallest = _rate([one["smallest"] for one in rounds])
    figures = [Figure(f"smallest_{size}", f"GET {SMALLEST}, beside {sessions}", smallest, "/s")]
    for figure, file in FILES.items():
        loads = [one[figure] for one in rounds]
        ratio, note = _ratio(rounds, figure), _bound(loads)
        label = f"  304 of {file} to that"
        if figure == "unchanged":
            figures.append(Figure(f"unchanged_{size}", label, ratio, "×", note))
        else:
            figures.append(Figure(f"unchanged_file_{size}", label, ratio, "×", note))
        held = measured.held[figure]
        figures += [
            Figure(f"rate_{figure}_{size}", "    304s", _rate(loads), "/s"),
            Figure(f"first_{figure}_{size}", "    the first reader's answer", held.seconds * 1000, "ms"),
        ]
    figures.append(Figure(f"long_{size}", "  304 by the framework, to that", _ratio(rounds, "long"), "×"))
    whole = [one["whole"] for one in rounds]
    size_of_whole = measured.held["unchanged"].size
    return [
        *figures,
        Figure(f"whole_{size}", "  200 of schedule, gzip", _rate(whole), "/s", _bound(whole)),
        Figure(f"whole_bytes_{size}", "    bytes of each", size_of_whole / 1024, "KiB"),
        Figure(f"whole_stream_{size}", "    together", _rate(whole) * size_of_whole / 2**20, "MiB/s"),
    ]


def _rate(loads: Sequence[Load]) -> float:
    return statistics.median(load.rate for load in loads)


def _ratio(rounds: Sequence[dict[str, Load]], figure: str) -> float:
    return statistics.median(one[figure].rate / one["smallest"].rate for one in rounds)


def _bound(loads: Sequence[Load]) -> str:
    busy = statistics.median(load.share for load in loads)
    return f"at least: the generator used {busy:.0%} of a core" if busy > MAX_GENERATOR_SHARE else ""
