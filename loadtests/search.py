"""Somebody types into the search field of a very large event.

Question: does the answer come while the next letter is being typed, with 5,000 sessions that have long descriptions in three
languages, whatever is asked: beginnings of words, French and Arabic, names, words that are in everything, words with errors?

Population: the sample event and 5,000 sessions, 2,500 speakers (`search_programme.py`: 8,000 words a language, as frequent as
words are; a title has 4 to 9 of them, a description 350 to 450 in each of three languages). One API process, 50 attendees.

Measured: one connection, one question after the other, 20 results each, each kind of question 300 times in a shuffled order after
60 that do not count; the time from the request's first byte to the answer's last, over HTTP. Then the time that one change of a
title takes (renewing the entry included), and once the loading of the programme.

Thresholds: the median of all questions at most 10 ms, and that of the slowest kind; no answer but 200. Questions about words that
are there find something.

Given up: when the server does not start, or drops the connection. Invalid: when the generator used more than 80 % of a core.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import uvloop

from loadtests import search_programme
from loadtests.line import Line, request_for
from loadtests.scenario import Aborted, Context, Figure, Result, Threshold, generator_share
from loadtests.server_under_test import Server
from server.db import Patience, open_database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug
from server.interchange.programme import Programme
from server.schedule.storing import store_programme

ATTENDEES, SESSIONS, SPEAKERS = 50, 5000, 2500
EACH, WARM = 300, 60
CHANGES = 60
MEDIAN_MS = 10
PATIENCE = Patience(10.0, 300.0)
"""Forty megabytes of texts come in as one."""

T = TypeVar("T")
Ask = Callable[[random.Random, Programme], str]


def beginning(source: random.Random, programme: Programme) -> str:
    """Two to four letters of a title's word, as one types."""
    return _word(source, programme, "fr")[: source.randint(2, 4)]


def two_words(source: random.Random, programme: Programme) -> str:
    title = source.choice(programme.sessions).title["fr"].split()
    return " ".join(source.sample(title, 2))


def arabic(source: random.Random, programme: Programme) -> str:
    return "ال" + _word(source, programme, "ar")


def name(source: random.Random, programme: Programme) -> str:
    return source.choice(programme.speakers).name["fr"].upper()


def frequent(source: random.Random, programme: Programme) -> str:
    """One of the words that are in most texts."""
    words = " ".join(one.description["fr"] for one in programme.sessions[:20]).split()
    return statistics.mode(source.sample(words, 200))


def deep(source: random.Random, programme: Programme) -> str:
    """Three words that only one description has."""
    return " ".join(source.sample(source.choice(programme.sessions).description["en"].split(), 3))


def mistyped(source: random.Random, programme: Programme) -> str:
    """A long word of a title without its third letter."""
    word = max(source.choice(programme.sessions).title["fr"].split(), key=len)
    return word[:2] + word[3:]


def nothing(source: random.Random, programme: Programme) -> str:
    return f"{_word(source, programme, 'fr')} zzyzx{source.randrange(10)}"


KINDS: dict[str, tuple[str, Ask]] = {
    "beginning": ("the beginning of a word", beginning),
    "two_words": ("two words of a title", two_words),
    "arabic": ("an Arabic word with its article", arabic),
    "name": ("a speaker's name", name),
    "frequent": ("a word that is in most texts", frequent),
    "deep": ("three words of a description", deep),
    "mistyped": ("a word with an error", mistyped),
    "nothing": ("what is not there", nothing),
}
FOUND = ("beginning", "two_words", "arabic", "name", "frequent", "deep")
"""Kinds that always find something."""

THRESHOLDS = (
    Threshold("median", at_most=MEDIAN_MS),
    Threshold("slowest", at_most=MEDIAN_MS),
    Threshold("failed", at_most=0),
    Threshold("empty", at_most=0),
)


def run(context: Context) -> Result:
    source = context.random()
    made = search_programme.programme(source, sessions=SESSIONS, speakers=SPEAKERS)
    with Server(context.folder / "server", attendees=ATTENDEES) as server:
        context.say(f"loading {SESSIONS:,} sessions")
        loading = _run(_load(server.dsn, made))
        context.say(f"{EACH * len(KINDS):,} questions")
        began, cpu = time.monotonic(), time.process_time()
        times, failed, empty = _run(_ask_all(server, list(_questions(source, made))))
        share, invalid = generator_share(time.process_time() - cpu, time.monotonic() - began)
        context.say(f"{CHANGES} changes")
        change = _run(_change(server, source))
    figures = [
        *_figures(times),
        Figure("failed", "Answers other than 200", failed),
        Figure("empty", "Questions that wrongly found nothing", empty),
        Figure("change", "One change of a title, median", change * 1000, "ms"),
        Figure("load", "Loading the programme", loading, "s"),
        share,
    ]
    return Result(population=f"{SESSIONS:,} sessions, {SPEAKERS:,} speakers", figures=figures, invalid=invalid)


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _load(dsn: str, made: Programme) -> float:
    """Seconds."""
    async with open_database(dsn, size=1, name="load test", patience=PATIENCE) as db, db.tx() as tx:
        event = await get_event_by_slug(tx, SLUG)
        if event is None:
            raise Aborted("the sample event is not there")
        began = time.monotonic()
        await store_programme(tx, event.event_id, made)
        return time.monotonic() - began


def _questions(source: random.Random, made: Programme) -> Iterator[tuple[str, str]]:
    """Kind and text, shuffled; those that do not count first."""
    asked = [(key, ask(source, made)) for key, (_, ask) in KINDS.items() for _ in range(EACH)]
    source.shuffle(asked)
    yield from (("", text) for _, text in asked[:WARM])
    yield from asked


async def _ask_all(server: Server, asked: list[tuple[str, str]]) -> tuple[dict[str, list[float]], int, int]:
    """Seconds by kind, how many answers were none, how many were empty that should not be."""
    line = Line(server)
    times: dict[str, list[float]] = {}
    failed = empty = 0
    for key, text in asked:
        path = f"{server.path}/search?{urlencode({'q': text, 'lang': 'fr'})}"
        began = time.monotonic()
        status, answer = await line.exchange(request_for("GET", path, ""))
        times.setdefault(key, []).append(time.monotonic() - began)
        failed += status != b"200"
        empty += key in FOUND and not msgspec.json.decode(answer)["results"]
    line.close()
    del times[""]
    return times, failed, empty


async def _change(server: Server, source: random.Random) -> float:
    """The median's seconds."""
    line, token = Line(server), server.credentials.organizer_token
    _, answer = await line.exchange(request_for("GET", f"{server.path}/search?q=ba&kinds=session&limit=50", ""))
    sessions = [one["id"] for one in msgspec.json.decode(answer)["results"]]
    taken = []
    for number in range(CHANGES):
        path = f"{server.path}/sessions/{source.choice(sessions)}"
        body = msgspec.json.encode({"title": {"fr": f"Séance renommée {number}"}})
        began = time.monotonic()
        status, answer = await line.exchange(request_for("PATCH", path, token, body))
        taken.append(time.monotonic() - began)
        if status != b"200":
            raise Aborted(f"a change was answered with {answer[:200].decode('utf-8', 'replace')}")
    line.close()
    return statistics.median(taken)


def _figures(times: dict[str, list[float]]) -> Iterator[Figure]:
    everything = [one for some in times.values() for one in some]
    yield Figure("median", "All questions, median", statistics.median(everything) * 1000, "ms")
    yield Figure("p99", "  p99", statistics.quantiles(everything, n=100)[98] * 1000, "ms")
    slowest = max(statistics.median(some) for some in times.values())
    yield Figure("slowest", "  the slowest kind, median", slowest * 1000, "ms")
    for key, (label, _) in KINDS.items():
        yield Figure(f"median_{key}", f"  {label}, median", statistics.median(times[key]) * 1000, "ms")
        yield Figure(f"p99_{key}", "    p99", statistics.quantiles(times[key], n=100)[98] * 1000, "ms")


def _word(source: random.Random, programme: Programme, language: str) -> str:
    return source.choice(source.choice(programme.sessions).title[language].split())
