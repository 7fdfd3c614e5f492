"""Those who make events: through `server.feed` in transactions of their own, and some announcements over HTTP.

They run in a thread of their own: the main thread kills processes and starts them again meanwhile. What becomes of a transaction
whose connection ends is not known and does not matter: the table says what has happened.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from loadtests import announcements
from loadtests.generator import now
from loadtests.line import Line, Place, request_for
from server.db import LOST_CONNECTION, Database, open_database
from server.feed import emit, emit_to_each
from server.feed.types import HINT_CHANNEL, ME
from server.ids import new_id

WRITERS = 4
MOST_IN_ONE = 10
"""Events in a transaction, and people who are told something of their own."""
WITHDRAWN = 0.03
"""Transactions that are rolled back after they have emitted."""
RETRY_SECONDS = 0.1
ANSWER_SECONDS = 15.0
TEXTS = (40, 600)

CREATE_SEQUENCE = "CREATE SEQUENCE feed_storm"
INSERT_NUMBERED = """
    INSERT INTO feed_event (event_id, channel, seq, id, at, kind, data)
    VALUES ($1, $2, nextval('feed_storm'), $3, clock_timestamp(), 'storm.blown', $4)
    RETURNING seq
"""
COUNT_AND_HINT = """
    WITH counted AS (
        UPDATE feed_channel SET seq = greatest(seq, $3) WHERE event_id = $1 AND channel = $2 RETURNING seq
    )
    SELECT pg_notify($4, $1::text || ':' || $2 || ':' || seq) FROM counted
"""


class Blown(Struct, frozen=True):
    """What an event says."""

    number: int
    text: str


class Withdrawn(Exception):
    """The transaction is rolled back."""


class Plan(Struct, frozen=True):
    """What is written."""

    event_id: UUID
    weights: Mapping[str, float]
    """How often something happens in each channel; `me`: to some people."""
    people: Sequence[UUID]
    events: int
    """How many are confirmed before it is over."""
    rate: float
    """A second."""
    announcements: int
    """Over HTTP, besides."""
    seed: int
    numbered: str | None = None
    """A channel that is numbered by a sequence, as it must not be."""


class Api(Struct, frozen=True):
    """Where announcements are sent, and by whom."""

    place: Place
    path: str
    """Of the event."""
    token: str
    """An organizer's."""


class Writers:
    """All of them."""

    def __init__(self, dsn: str, plan: Plan, api: Api) -> None:
        self.confirmed = 0
        """Events whose transaction's end was heard."""
        self.unknown = 0
        """Transactions that ended with their connection."""
        self.withdrawn = 0
        self.announced = 0
        self._dsn = dsn
        self._plan = plan
        self._api = api
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._began = 0.0
        self._thread = threading.Thread(target=self._run, name="writers")

    def begin(self) -> None:
        self._thread.start()

    def are_done_within(self, seconds: float) -> bool:
        """Waits no longer than they write. Raises what went wrong, if anything did."""
        self._thread.join(seconds)
        if self._failure is not None:
            raise self._failure
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Lets them write nothing more, and waits until they do not."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # PostgreSQL's deaths are no news here
        try:
            asyncio.run(self._write())
        except BaseException as failure:  # noqa: BLE001 - `are_done_within` raises it
            self._failure = failure

    async def _write(self) -> None:
        self._began = now()
        async with open_database(self._dsn, size=WRITERS, name="storm") as db, asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._keep_writing(db, random.Random(self._plan.seed * 100 + number)))
            group.create_task(self._keep_announcing())

    async def _keep_writing(self, db: Database, source: random.Random) -> None:
        while self.confirmed < self._plan.events and not self._over.is_set():
            early = self.confirmed / self._plan.rate - (now() - self._began)
            if early > 0:
                await asyncio.sleep(early)
            try:
                written = await self._write_some(db, source)
                self.confirmed += written  # not in one line: others count meanwhile
            except Withdrawn:
                self.withdrawn += 1
            except LOST_CONNECTION:
                self.unknown += 1
                await asyncio.sleep(RETRY_SECONDS)

    async def _write_some(self, db: Database, source: random.Random) -> int:
        """One transaction; returns how many events it brought."""
        plan, numbered = self._plan, 0
        channels = sorted(source.choices([*plan.weights], [*plan.weights.values()], k=source.randint(1, MOST_IN_ONE)))
        people = source.sample(plan.people, min(len(plan.people), source.randint(1, MOST_IN_ONE)))
        logs = [channel for channel in channels if channel != ME]
        personal = people if ME in channels else []
        async with db.tx() as tx:
            for channel in logs:  # in one order for all: so nobody waits in a circle
                if channel == plan.numbered:
                    numbered = await self._insert_numbered(tx, source)
                else:
                    await emit(tx, plan.event_id, channel=channel, kind="storm.blown", data=_something(source))
            await emit_to_each(tx, plan.event_id, personal, kind="storm.blown", data=_something(source))
            if source.random() < WITHDRAWN:
                raise Withdrawn
        if numbered and plan.numbered is not None:
            async with db.read() as connection:
                await connection.execute(COUNT_AND_HINT, plan.event_id, plan.numbered, numbered, HINT_CHANNEL)
        return len(logs) + len(personal)

    async def _insert_numbered(self, tx: Any, source: random.Random) -> int:
        """As somebody would who does not know why there is a counter."""
        data = '{"number":0,"text":"' + "x" * source.randint(*TEXTS) + '"}'
        seq: int = await tx.fetchval(INSERT_NUMBERED, self._plan.event_id, self._plan.numbered, new_id(), data)
        return seq

    async def _keep_announcing(self) -> None:
        api, line, count = self._api, Line(self._api.place), self._plan.announcements
        seconds = self._plan.events / self._plan.rate
        for number in range(count):
            await asyncio.sleep(max(0.0, self._began + number * seconds / count - now()))
            if self._over.is_set():
                break
            request = request_for("POST", f"{api.path}/announcements", api.token, announcements.body(number))
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    status, _ = await line.exchange(request)
                self.announced += status == b"201"
            except (OSError, EOFError):  # a time-out is an OSError too
                line.close()
        line.close()


def _something(source: random.Random) -> Blown:
    return Blown(source.getrandbits(32), "é" * source.randint(*TEXTS))
