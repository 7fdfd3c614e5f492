"""Random days of scanners that were offline, and what has to come of them: a function of the set of scans alone. Pure.

The reference puts each scan at its moment (`believed`), applies the rules of that moment (`refusal`) and lets `history.stand` say
where everybody is. It knows no order of arrival, no batches and no answers.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from server.attendee.types import BadgeRow
from server.checkin.history import Standing, stand
from server.checkin.policy import believed, refusal, running
from server.checkin.snapshot import ListRules
from server.checkin.types import CheckIn, CheckinListRow, Clock, Direction, Fact, SessionRow
from server.desk.projection import BUCKET_SECONDS, bucket_of, counts_as

DEVICES = 6
AHEAD, BEHIND = 4, 5
"""The devices whose clocks are days ahead of the world and days behind it."""
SKEW = timedelta(days=3)
HOURS = 3
"""The scanners were offline for so long."""
ROOM_AREA = UUID(int=0)
NOBODYS = "DN-NOBODYS-CODE"
ARRIVAL = "arrival"


class Made(Struct, frozen=True):
    """A scan as it was made."""

    device: int
    person: int | None
    """None: a code that nobody has."""
    checkin: CheckIn


class Outcome(Struct):
    """What has come of a set of scans, in words that do not depend on who the people are and when it arrived."""

    inside: dict[str, list[int]]
    been: dict[str, list[int]]
    occupancy: dict[str, int]
    conflicts: list[tuple[str, str, str, str]]
    """Kind, list, and the two scans."""
    tally: dict[tuple[str, str, str, str], int]
    """By list, five minutes, outcome and reason. What happened at the arrival has no five minutes of its own."""

    def differences(self, other: Outcome) -> list[str]:
        """The parts in which the two are not the same, and how."""
        found = []
        for name, own in msgspec.structs.asdict(self).items():
            others = getattr(other, name)
            if own != others:
                found.append(f"{name}: {_difference(own, others)}")
        return found


class World(Struct, frozen=True):
    """Lists as a snapshot tells them, and the people's tickets."""

    lists: Mapping[str, ListRules]
    tickets: Sequence[str]
    codes: Sequence[str]
    began: datetime
    """Scans happened before, uploads come after."""


def make_scans(source: random.Random, world: World, prefix: str, count: int) -> list[Made]:
    """What the devices did. A clock that is ahead makes a scan count at its arrival, so it may have only one of each person."""
    synced_at = world.began - timedelta(hours=HOURS)
    made = []
    late: set[int] = set()
    names = sorted(world.lists)
    for number in range(count):
        device = source.randrange(DEVICES)
        person = source.randrange(len(world.codes)) if source.random() > 0.03 else None
        name = source.choice(names)
        direction: Direction = "entry" if source.random() < 0.65 else "exit"
        at = synced_at + timedelta(seconds=source.uniform(60, HOURS * 3600 - 2 * BUCKET_SECONDS))
        if device == AHEAD:
            if person is None or person in late:
                continue
            late.add(person)
            name, at = names[0], at + SKEW
        elif device == BEHIND:
            at -= SKEW
        passes = "admitted" if direction == "entry" else "exited"
        checkin = CheckIn(
            scan_id=f"{prefix}-{number:05}",
            list=name,
            code=NOBODYS if person is None else world.codes[person],
            direction=direction,
            scanned_at=at,
            synced_at=synced_at,
            decided=passes if source.random() < 0.9 else "refused",  # type: ignore[arg-type]
        )
        made.append(Made(device, person, checkin))
    return made


def expected(world: World, scans: Sequence[Made], now: datetime) -> Outcome:
    """What has to come of them; `now` is after every arrival."""
    facts: defaultdict[tuple[UUID, int], list[Fact]] = defaultdict(list)
    tally: Counter[tuple[str, str, str, str]] = Counter()
    conflicts = []
    rows = {name: row_of(place, rules) for place, (name, rules) in enumerate(sorted(world.lists.items()))}
    for made in scans:
        at, _ = believed(made.checkin.scanned_at, made.checkin.synced_at, now)
        name, session, reason = made.checkin.list, _session(world, made, at), None
        if made.person is None:
            reason = "unknown_code"
        elif made.checkin.direction == "entry":
            reason = refusal(_badge(world, made.person), rows[name], at, session)
        if reason is None and made.checkin.decided == "refused":
            reason = "turned_away"
        if reason is None and made.person is not None:
            area = ROOM_AREA if rows[name].room_id else rows[name].list_id
            facts[(area, made.person)].append(_fact(made, rows[name], area, session, at))
            continue
        tally[(name, bucket(at, world), "refused", reason or "")] += 1
        if made.checkin.decided == "admitted":
            conflicts.append(("not_entitled", name, short(made.checkin.scan_id), ""))
    reentry = {row.list_id: row.reentry for row in rows.values()}
    standings = {person: stand(own, reentry) for person, own in facts.items()}
    names = {row.list_id: name for name, row in rows.items()}
    for person, standing in standings.items():
        for first, later in standing.conflicts:
            conflicts.append(("double_admission", names[later.list_id], short(later.scan_id), short(first.scan_id)))
        for fact in facts[person]:
            outcome, why = counts_as(standing.roles[fact.key], reentry[fact.list_id])
            tally[(names[fact.list_id], bucket(fact.at, world), outcome, why)] += 1
    return _outcome(world, rows, standings, sorted(conflicts), dict(tally), now)


def _outcome(
    world: World,
    rows: Mapping[str, CheckinListRow],
    standings: Mapping[tuple[UUID, int], Standing],
    conflicts: list[tuple[str, str, str, str]],
    tally: dict[tuple[str, str, str, str], int],
    now: datetime,
) -> Outcome:
    inside: dict[str, list[int]] = {}
    been: dict[str, list[int]] = {}
    occupancy = {}
    for name, row in rows.items():
        here = {person: s.since for (_, person), s in standings.items() if s.since and s.since.list_id == row.list_id}
        visited = {
            person for (_, person), s in standings.items() if any(place[0] == row.list_id for place in s.visited)
        }
        session = running(sessions_of(world.lists[name]), now, row.early_minutes)
        session_id = session.session_id if session else None
        inside[name], been[name] = sorted(here), sorted(visited - here.keys())
        occupancy[name] = sum(row.room_id is None or since.session_id == session_id for since in here.values())
    return Outcome(inside, been, occupancy, conflicts, tally)


def clock_of(made: Made) -> Clock | None:
    """What the server must say of the device's clock."""
    return {AHEAD: "ahead", BEHIND: "behind"}.get(made.device)  # type: ignore[return-value]


def bucket(at: datetime, world: World) -> str:
    return ARRIVAL if bucket_of(at) >= bucket_of(world.began) else f"{bucket_of(at):%H:%M}"


def short(scan_id: str) -> str:
    """A scan's name without that of its permutation."""
    return scan_id.rpartition("-")[2]


def row_of(place: int, rules: ListRules) -> CheckinListRow:
    return CheckinListRow(
        UUID(int=place + 1),
        rules.key,
        rules.kind,
        ROOM_AREA if rules.kind == "room" else None,
        rules.opens_at,
        rules.closes_at,
        rules.capacity,
        rules.reentry,
        rules.early_minutes,
        rules.tickets,
    )


def sessions_of(rules: ListRules) -> list[SessionRow]:
    return [SessionRow(one.id, ROOM_AREA, one.starts_at, one.ends_at) for one in rules.sessions]


def _session(world: World, made: Made, at: datetime) -> SessionRow | None:
    rules = world.lists[made.checkin.list]
    if made.checkin.direction == "exit" or rules.kind != "room":
        return None
    return running(sessions_of(rules), at, rules.early_minutes)


def _badge(world: World, person: int) -> BadgeRow:
    """A valid one of somebody with that ticket."""
    nobody: dict[str, Any] = dict.fromkeys(BadgeRow.__struct_fields__, "")
    return BadgeRow(**(nobody | {"ticket": world.tickets[person], "revoked_at": None, "cancelled_at": None}))


def _fact(made: Made, row: CheckinListRow, area: UUID, session: SessionRow | None, at: datetime) -> Fact:
    return Fact(
        ROOM_AREA,
        area,
        UUID(int=made.person or 0),
        0,
        UUID(int=made.device),
        made.checkin.scan_id,
        row.list_id,
        session.session_id if session else None,
        ROOM_AREA,
        made.checkin.direction,
        at,
        True,  # noqa: FBT003 - offline
        None,
    )


def _difference(own: Any, others: Any) -> str:
    if isinstance(own, dict):
        keys = [key for key in own.keys() | others.keys() if own.get(key) != others.get(key)]
        return "; ".join(f"{key} {own.get(key)} / {others.get(key)}" for key in sorted(keys)[:3])
    return f"{[one for one in own if one not in others][:3]} / {[one for one in others if one not in own][:3]}"
