"""What a number of logged scans change: counts, who is where, what does not go together. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from server.checkin.door import Door, Presence
from server.checkin.events import Entered, Passed
from server.checkin.history import ALWAYS, Key, Role, Standing, stand
from server.checkin.types import Fact, PersonKey
from server.desk.types import ConflictRow, Counted, NewsRow, NewsScanRow, Occupancy
from server.ids import new_id

BUCKET_SECONDS = 300

_COUNTS_AS = {
    "begins": ("admitted", ""),
    "repeats": ("already_admitted", ""),
    "ends": ("exited", ""),
    "nothing": ("refused", "not_inside"),
}

Arrival = tuple[UUID, UUID, int]
"""Device, gate, and the second since 1970."""


def bucket_of(at: datetime) -> datetime:
    """When the five minutes began in which this happened."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % BUCKET_SECONDS, UTC)


def counts_as(role: Role, reentry: str) -> tuple[str, str]:
    """Outcome and reason as which a passing is counted, at a list with this rule."""
    return _COUNTS_AS["begins" if role.kind == "repeats" and reentry == ALWAYS else role.kind]


class Projection:
    """What one round of news comes to. `door` is brought up to date on the way."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.counted: Counter[Counted] = Counter()
        self.moved: defaultdict[UUID, set[UUID]] = defaultdict(set)
        """List → attendees whose standing there was looked at whole."""
        self.arrived: defaultdict[UUID, defaultdict[Arrival, list[int]]] = defaultdict(lambda: defaultdict(list))
        """List → device, gate and second → badges of people who came for the first time."""
        self.standings: dict[PersonKey, Standing] = {}

    def add_first_comers(self, row: NewsRow) -> None:
        """A batch of people who came for the first time, and of refusals: the row says it all.

        At the busiest moment this is most of what the desk does, so whole seconds are numbers here, and names are looked up once.
        """
        door, moment = self._door, row.at
        second = int(moment.timestamp())
        names: dict[UUID, tuple[str, str]] = {}
        counted: Counter[tuple[UUID, int, UUID, str, str]] = Counter()
        for place, (device_id, list_id, gate_id, attendee_id, reason) in enumerate(_columns(row)):
            if row.ats is not None:
                moment = min(row.ats[place], row.at)  # as the log has it
                second = int(moment.timestamp())
            numbers, ticket = door.holds(attendee_id) if attendee_id is not None else ((), "")
            counted[(list_id, second // BUCKET_SECONDS, gate_id, ticket, reason or "")] += 1
            if reason is None and attendee_id is not None:
                named = names.get(device_id)
                if named is None:
                    named = names[device_id] = (door.gate_name(gate_id), door.device_name(device_id))
                door.enter(list_id, attendee_id, Presence(None, moment, *named))
                self.arrived[list_id][(device_id, gate_id, second)] += numbers
        for (list_id, number, gate_id, ticket, reason), scans in counted.items():
            outcome = "refused" if reason else "admitted"
            bucket = datetime.fromtimestamp(number * BUCKET_SECONDS, UTC)
            self.counted[Counted(list_id, bucket, gate_id, ticket, outcome, reason)] += scans

    def add_scan(self, row: NewsScanRow) -> None:
        """Any other scan, for the counts. Who passed is looked at whole, and counted, by `add_history`."""
        if row.turn is None or row.outcome == "undone":
            ticket = self._ticket(row.attendee_id)
            counted = Counted(row.list_id, bucket_of(row.at), row.gate_id, ticket, row.outcome, row.reason or "")
            self.counted[counted] += 1

    def add_history(self, facts: Sequence[Fact], news: Container[Key]) -> None:
        """All facts of one person in one area of whom there is news; `news` has the keys of those that are.

        A scan counts as what it turned out to be among the others, not as what was answered: that depends on who came first.
        So with each piece of news the person's whole history is counted anew in the place of the one that was counted before,
        which had all earlier turns: turns are told in their order.
        """
        attendee_id = facts[0].attendee_id
        lists = {fact.list_id for fact in facts}
        standing = self.standings[facts[0].person] = stand(facts, self._door.reentry())
        self._door.place(attendee_id, lists, standing)
        for list_id in lists:
            self.moved[list_id].add(attendee_id)
        turns = [fact.turn for fact in facts if fact.key in news]
        first, last = min(turns), max(turns)
        self._count([fact for fact in facts if fact.turn < first], -1)
        self._count([fact for fact in facts if fact.turn <= last], 1)

    def _count(self, facts: Sequence[Fact], times: int) -> None:
        if not facts:
            return
        ticket = self._ticket(facts[0].attendee_id)
        roles = stand(facts, {}).roles  # what a scan turned out to be depends on no list's rule
        for fact in facts:
            role = roles.get(fact.key)
            if role is not None:  # else it was undone, or is an undo
                told = counts_as(role, self._rule(fact.list_id))
                self.counted[Counted(fact.list_id, bucket_of(fact.at), fact.gate_id, ticket, *told)] += times

    def _rule(self, list_id: UUID) -> str:
        checkin_list = self._door.lists_by_id.get(list_id)
        return checkin_list.reentry if checkin_list is not None else ""

    def _ticket(self, attendee_id: UUID | None) -> str:
        return self._door.holds(attendee_id)[1] if attendee_id else ""

    def passed(self, now: datetime) -> list[Passed]:
        """What to tell, list by list. Of somebody who came for the first time and was looked at whole, the latter holds: it is
        told later in the same message."""
        return [
            self._passed(list_id, now) for list_id in self.arrived.keys() | self.moved.keys() if self._knows(list_id)
        ]

    def _knows(self, list_id: UUID) -> bool:
        return list_id in self._door.lists_by_id

    def _passed(self, list_id: UUID, now: datetime) -> Passed:
        door = self._door
        checkin_list = door.lists_by_id[list_id]
        inside, been = door.inside.get(list_id, {}), door.been.get(list_id, set())
        arrived = [
            Entered(door.device_name(device_id), door.gate_name(gate_id), datetime.fromtimestamp(second, UTC), badges)
            for (device_id, gate_id, second), badges in self.arrived.get(list_id, {}).items()
        ]
        entered: defaultdict[tuple[str, str, datetime, UUID | None], list[int]] = defaultdict(list)
        left: list[int] = []
        undone: list[int] = []
        for attendee_id in self.moved.get(list_id, ()):
            numbers = door.numbers_of(attendee_id)
            presence = inside.get(attendee_id)
            if presence is not None:
                second = presence.at.replace(microsecond=0)
                entered[(presence.device, presence.gate, second, presence.session_id)] += numbers
            elif attendee_id in been:
                left += numbers
            else:
                undone += numbers
        session = door.session_at(checkin_list, now)
        return Passed(
            list=checkin_list.key,
            inside=door.occupancy(checkin_list, session.session_id if session else None),
            entered=arrived
            + [
                Entered(device, gate, at, badges, session_id)
                for (device, gate, at, session_id), badges in entered.items()
            ],
            left=left,
            undone=undone,
        )

    def double_admissions(self) -> list[ConflictRow]:
        """Those of the people looked at whole, as they stand now."""
        return [
            ConflictRow(
                new_id(),
                "double_admission",
                later.list_id,
                later.attendee_id,
                later.device_id,
                later.scan_id,
                first.device_id,
                first.scan_id,
            )
            for standing in self.standings.values()
            for first, later in standing.conflicts
        ]


def _columns(row: NewsRow) -> Iterable[tuple[UUID, UUID, UUID, UUID | None, str | None]]:
    """Device, list, gate, attendee and reason of each scan."""
    lists, gates, attendees, reasons = row.list_ids or (), row.gate_ids or (), row.attendee_ids or (), row.reasons or ()
    return zip(row.device_ids, lists, gates, attendees, reasons, strict=True)


def not_entitled(rows: Iterable[NewsScanRow]) -> list[ConflictRow]:
    """Scanners that let somebody in whom the server would have refused."""
    return [
        ConflictRow(new_id(), "not_entitled", row.list_id, row.attendee_id, row.device_id, row.scan_id, None, None)
        for row in rows
        if row.outcome == "refused" and row.conflict
    ]


def occupancy_of(door: Door, now: datetime) -> dict[str, Occupancy]:
    """How full each list is, by the state's key."""
    values = {}
    for checkin_list in door.lists.values():
        session = door.session_at(checkin_list, now)
        session_id = session.session_id if session else None
        inside = door.occupancy(checkin_list, session_id)
        free = None if checkin_list.capacity is None else max(0, checkin_list.capacity - inside)
        values[f"list:{checkin_list.key}"] = Occupancy(inside, checkin_list.capacity, free, session_id)
    return values
