"""Small events, everything that can happen at their doors, and the server's own rules for them without a database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import Struct

from server.attendee import codes, signed_codes
from server.attendee.types import BadgeRow
from server.badge.types import KeyRow
from server.checkin.actions import check_in
from server.checkin.door import Door
from server.checkin.history import Standing, stand
from server.checkin.planning import NO_SESSION, as_fact, make_plan
from server.checkin.snapshot import Snapshot, SnapshotDelta, snapshot_since
from server.checkin.types import (
    CheckIn,
    CheckinListRow,
    CountRow,
    Direction,
    Fact,
    LoggedScan,
    Scan,
    SessionRow,
    TicketRow,
)
from server.checkin.writer import as_logged
from server.device.types import DeviceRow

NOW = datetime.now(UTC)
EVENT, DEVICE, GATE = UUID(int=1), UUID(int=2), UUID(int=3)
TICKETS = ("visitor", "vip")
SEED = bytes(32)
ROOMS = (UUID(int=10), UUID(int=11))
STARTS = (-95, -50, -5, 7, 40)
"""Minutes from now: no session of 60 minutes begins, ends or lets the first in within two minutes of now."""


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


class Passing(Struct, frozen=True):
    """Something that happened before the snapshot."""

    person: int
    place: int
    """Of the list."""
    direction: Direction
    minutes_ago: int
    undone: bool
    offline: bool


class World(Struct, frozen=True):
    """An event, its people and what they did."""

    lists: list[CheckinListRow]
    sessions: list[SessionRow]
    badges: list[BadgeRow]
    passings: list[Passing]


def window(opens: int | None, closes: int | None) -> tuple[datetime | None, datetime | None]:
    return (None if opens is None else minutes(opens), None if closes is None else minutes(closes))


@st.composite
def lists_of(draw: st.DrawFn) -> list[CheckinListRow]:
    found = []
    for place in range(draw(st.integers(1, 4))):
        room = ROOMS[place % 2] if draw(st.booleans()) else None
        opens, closes = window(
            draw(st.sampled_from((None, None, -60, 30))), draw(st.sampled_from((None, None, -30, 60)))
        )
        if opens and closes and closes <= opens:
            closes = None
        found.append(
            CheckinListRow(
                UUID(int=100 + place),
                f"list-{place}",
                "door" if room is None else "room",
                room,
                opens,
                closes,
                draw(st.sampled_from((None, None, 1, 2))),
                draw(st.sampled_from(("never", "after_exit", "always"))),
                15,
                draw(st.sampled_from((["visitor", "vip"], ["visitor", "vip"], ["visitor"], []))),
            )
        )
    return found


@st.composite
def badges_of(draw: st.DrawFn) -> list[BadgeRow]:
    """Of four people at the most; somebody may have two, and the number between them may be nobody's."""
    holders = draw(st.lists(st.sampled_from((0, 1, 2, 3, None)), min_size=2, max_size=6))
    found = []
    for number, holder in enumerate(holders, start=1):
        if holder is None:
            continue
        ticket = holder % len(TICKETS)
        revoked = draw(st.sampled_from((False, False, False, False, True)))
        found.append(
            BadgeRow(
                signed_codes.sign(SEED, EVENT, 0, number, ticket),
                short_code(number),
                UUID(int=1000 + holder),
                "Somebody",
                "",
                TICKETS[ticket],
                "fr",
                number,
                minutes(-30) if revoked else None,
                minutes(-30) if holder == 3 else None,
            )
        )
    return found


passings = st.lists(
    st.builds(
        Passing,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(("entry", "entry", "exit")),
        st.integers(3, 110),
        st.sampled_from((False, False, False, True)),
        st.booleans(),
    ),
    max_size=14,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    starts = draw(st.lists(st.tuples(st.sampled_from(ROOMS), st.sampled_from(STARTS)), max_size=6, unique=True))
    sessions = [
        SessionRow(UUID(int=200 + place), room, minutes(start), minutes(start + 60))
        for place, (room, start) in enumerate(starts)
    ]
    return World(draw(lists_of()), sessions, draw(badges_of()), draw(passings))


def short_code(number: int) -> str:
    body = f"{number:07}"
    return body + codes.check_character(body)


class Server:
    """The server's own rules, with a dictionary in the place of the database."""

    def __init__(self, world: World) -> None:
        self.keeping = False
        """Whether what is asked happens, too."""
        self.door = Door(EVENT)
        self.door.set_lists(world.lists)
        self.door.set_tickets([TicketRow(ticket, place) for place, ticket in enumerate(TICKETS)])
        self.door.set_sessions(world.sessions)
        self.door.add_badges(world.badges)
        self.device = DeviceRow(DEVICE, "Scanner", GATE, "Gate", None, False, "scan")  # noqa: FBT003 - a row
        self.door.set_devices([self.device])
        self.facts: dict[tuple[UUID, UUID], list[Fact]] = {}
        for number, passing in enumerate(sorted(world.passings, key=lambda one: -one.minutes_ago)):
            self._happen(world, number, passing)
        for (_, attendee_id), facts in self.facts.items():
            standing = stand(facts, self.door.reentry())
            self.door.place(attendee_id, {fact.list_id for fact in facts}, standing)

    def _happen(self, world: World, number: int, passing: Passing) -> None:
        rules = world.lists[passing.place % len(world.lists)]
        at = minutes(-passing.minutes_ago) + timedelta(seconds=number)
        session = self.door.session_at(rules, at)
        if passing.direction == "entry" and rules.room_id is not None and session is None:
            return
        area = EVENT if rules.room_id else rules.list_id
        person = UUID(int=1000 + passing.person)
        own = self.facts.setdefault((area, person), [])
        fact = Fact(
            EVENT,
            area,
            person,
            len(own) + 1,
            DEVICE,
            f"before-{number}",
            rules.list_id,
            session.session_id if session and passing.direction == "entry" else None,
            GATE,
            passing.direction,
            at,
            passing.offline,
            None,
        )
        own.append(fact)
        if passing.undone:
            undo = {"scan_id": f"~{fact.scan_id}", "undoes": fact.scan_id, "turn": fact.turn + 1, "offline": False}
            own.append(msgspec.structs.replace(fact, **undo))

    def standing(self, checkin_list: CheckinListRow, attendee_id: UUID) -> Standing:
        area = EVENT if checkin_list.room_id else checkin_list.list_id
        return stand(self.facts.get((area, attendee_id), ()), self.door.reentry())

    async def ask(self, checkin_list: str, code: str, direction: Direction, scan_id: str) -> tuple[str, str | None]:
        command = CheckIn(scan_id=scan_id, list=checkin_list, code=code, direction=direction)
        answer = await check_in(self.door, cast("Any", self), self.device, command)
        return answer.outcome, "revoked" if answer.reason == "cancelled" else answer.reason

    def submit(self, scan: Scan) -> asyncio.Future[LoggedScan]:
        """Stands in the place of the writers: plans the scan as they do, and keeps it if `keeping`."""
        own = self.facts.get((scan.area_id, scan.attendee_id), []) if scan.attendee_id else []
        plan = make_plan([scan], own, [CountRow(*key, inside) for key, inside in self.inside().items()])
        (planned,) = plan.scans
        blocking = plan.facts[scan.person][planned.against] if planned.against is not None else None
        if self.keeping and planned.passes:
            fact = msgspec.structs.replace(as_fact(planned), at=datetime.now(UTC))
            self.facts.setdefault((scan.area_id, fact.attendee_id), []).append(fact)
        answered: asyncio.Future[LoggedScan] = asyncio.get_running_loop().create_future()
        answered.set_result(as_logged(planned, NOW, NOW, blocking))
        return answered

    def inside(self) -> Counter[tuple[UUID, UUID, UUID]]:
        standings = [stand(facts, self.door.reentry()) for facts in self.facts.values()]
        return Counter(
            (EVENT, standing.since.list_id, standing.since.session_id or NO_SESSION)
            for standing in standings
            if standing.since
        )

    async def snapshot(self) -> Snapshot:
        """As it comes over the wire."""
        event = cast("Any", SimpleNamespace(event_id=EVENT))
        found = await snapshot_since(cast("Any", Database()), event, self.door, self.device, None)
        return msgspec.json.decode(msgspec.json.encode(found), type=Snapshot | SnapshotDelta)  # type: ignore[return-value]


class Database:
    """Is asked for nothing but the keys, see `keys`."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[None]:
        yield None


async def list_valid_keys(*_: object) -> Sequence[KeyRow]:
    """In the place of `server.badge.queries.list_valid_keys`."""
    return [KeyRow(0, signed_codes.public_key_of(SEED), NOW, None)]
