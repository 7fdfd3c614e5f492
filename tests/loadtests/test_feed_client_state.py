"""The rules of the reference client, tried on random histories: whatever is lost, repeated, cut off or replaced, in the end it
has applied exactly what the log holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from msgspec import Raw

from loadtests.feed_client_state import (
    Ask,
    Begin,
    CatchUp,
    Event,
    Hear,
    Heartbeat,
    Joined,
    Page,
    Place,
    Reading,
    Ready,
    Show,
    State,
    Wish,
    after_close,
    read_frame,
)
from server.asyncapi.closing import close_codes
from tests.loadtests.feed_logs import LoggedReading, Noted, faults_of

CHANNEL = "announcements"
AT = datetime(2026, 12, 18, tzinfo=UTC)
PAGE = 3

Step = tuple[str, int]


class World:
    """A server with one log, the wire to one client, and the client's application."""

    def __init__(self, reading: type[LoggedReading] = LoggedReading) -> None:
        self.reading = reading([CHANNEL])
        self.epoch = 0
        self.log: list[UUID] = []
        self.oldest = 0
        """The oldest position that can be resumed from."""
        self.wire: deque[Ready | Event | Heartbeat] | None = None
        self.applied: dict[int, UUID] = {}
        """The application's data: number → event."""
        self.begun = 0
        self._made = 0
        self._exact = False

    # The server.

    def emit(self) -> None:
        self._made += 1
        self.log.append(UUID(int=self._made))
        if self.wire is not None:
            self.wire.append(self._event(len(self.log)))

    def restore(self, length: int) -> None:
        """To an earlier moment; whoever listens is cut off."""
        del self.log[length:]
        self.epoch += 1
        self.oldest = 0
        self.wire = None

    def connect(self) -> None:
        self.wire = deque()
        self._join(self.reading.ask([CHANNEL]))

    def _event(self, seq: int) -> Event:
        return Event(CHANNEL, seq, self.log[seq - 1], AT, "test.happened", Raw(b"null"))

    def _join(self, wanted: list[dict[str, object]]) -> None:
        assert self.wire is not None
        for one in wanted:
            seq, reason = one.get("seq"), None
            if isinstance(seq, int):
                if one["epoch"] != str(self.epoch):
                    reason = "epoch"
                elif seq > len(self.log):
                    reason = "ahead"
                elif seq < self.oldest:
                    reason = "too_old"
            resumed = isinstance(seq, int) and reason is None
            joined = Joined(CHANNEL, str(self.epoch), len(self.log), resumed, reason)
            self.wire.append(Ready(25, [joined]))
            if resumed and isinstance(seq, int):
                self.wire.extend(self._event(later) for later in range(seq + 1, len(self.log) + 1))

    def _page(self, place: Place) -> Page | None:
        if place.epoch != str(self.epoch) or place.seq > len(self.log):
            return None
        events = [self._event(seq) for seq in range(place.seq + 1, len(self.log) + 1)][:PAGE]
        return Page(place.epoch, len(self.log), events, place.seq + len(events) < len(self.log))

    # The client.

    def deliver(self, frames: int) -> None:
        for _ in range(frames):
            if not self.wire:
                return
            self._carry_out(self.reading.on_frame(self.wire.popleft()))

    def _carry_out(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            match wish:
                case Hear(event):
                    self.applied[event.seq] = event.id
                    self.reading.applied(event)
                case Ask(channels):
                    self._join(self.reading.ask(channels))
                case CatchUp(channel, place):
                    self._carry_out(self.reading.on_page(channel, self._page(place)))
                case Begin(channel, at):
                    present = Place(str(self.epoch), len(self.log))
                    self.applied = dict(enumerate(self.log, 1))
                    self._exact = not self._exact  # data with a position of its own, and data without one
                    self.begun += 1
                    self.reading.begun(channel, present if self._exact else at or present)

    # What can happen.

    def step(self, what: str, number: int) -> None:
        match what:
            case "emit":
                self.emit()
            case "connect" if self.wire is None:
                self.connect()
            case "deliver":
                self.deliver(number)
            case "beat" if self.wire is not None:
                self.wire.append(Heartbeat({CHANNEL: len(self.log)}))
            case "cut":
                self.wire = None
            case "restore":
                self.restore(min(number, len(self.log)))
            case "forget":
                self.oldest = max(self.oldest, len(self.log) - number)
            case "lose" | "repeat" if self.wire:
                place = number % len(self.wire)
                if isinstance(self.wire[place], Ready):
                    return  # answers belong to the connection; what is lost of it ends it
                if what == "lose":
                    del self.wire[place]
                else:
                    self.wire.insert(place, self.wire[place])

    def settle(self) -> None:
        """Some quiet heartbeats, over the connection that is there."""
        if self.wire is None:
            self.connect()
        for _ in range(4):
            self.step("beat", 0)
            self.deliver(10_000)

    def faults(self) -> list[str]:
        found = faults_of(self.reading.log)
        missed = set(enumerate(self.log, 1)) ^ set(self.applied.items())
        return found + [f"differs from the log: {sorted(missed)}"] * bool(missed)


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["emit"] * 4 + ["deliver"] * 4 + ["connect"] * 3 + ["lose", "repeat", "beat", "cut", "restore", "forget"]
        ),
        st.integers(0, 6),
    ),
    max_size=60,
)


@given(steps)
def test_in_the_end_it_has_what_the_log_holds(history: list[Step]) -> None:
    world = World()
    for what, number in history:
        world.step(what, number)
    world.settle()
    assert world.faults() == []
    assert world.reading.places == {CHANNEL: Place(str(world.epoch), len(world.log))}


LOST = [("connect", 0), ("deliver", 1), ("emit", 0), ("emit", 0), ("emit", 0), ("lose", 1), ("deliver", 9)]
LAST_LOST = [("connect", 0), ("deliver", 1), ("emit", 0), ("lose", 0)]
AWAY_LONG = [
    ("connect", 0), ("deliver", 1), ("cut", 0), *[("emit", 0)] * 5, ("forget", 1), ("connect", 0), ("deliver", 9),
]  # fmt: skip
REPLACED = [
    ("emit", 0), ("connect", 0), ("deliver", 1), ("emit", 0), ("deliver", 1), ("restore", 1), ("emit", 0), ("connect", 0),
    ("deliver", 9), ("emit", 0),
]  # fmt: skip
SHORT_OF = [*LOST[:-1], ("repeat", 0), ("deliver", 9)]


class SkipsNoGap(LoggedReading):
    """Takes any later event for the next one."""

    def _on_event(self, event: Event) -> list[Wish]:
        place = self.places.get(event.channel)
        return [Hear(event)] if place is not None and event.seq > place.seq else []


class Trusting(LoggedReading):
    """Goes on from wherever `ready` says, whether or not that is where it was."""

    def _on_joined(self, joined: Joined) -> list[Wish]:
        if self.places[joined.name] is not None and joined.epoch is not None and joined.seq is not None:
            self.places[joined.name] = Place(joined.epoch, joined.seq)
            return []
        return super()._on_joined(joined)


class Deaf(LoggedReading):
    """Does not look at heartbeats."""

    def _misses(self, channel: str, end: int) -> bool:
        return False


class Repeating(LoggedReading):
    """Applies what it has applied already."""

    def _on_event(self, event: Event) -> list[Wish]:
        place = self.places.get(event.channel)
        return [Hear(event)] if place is not None and event.seq <= place.seq else super()._on_event(event)


class Forgetful(LoggedReading):
    """Reads the rest of the log by HTTP, but only one page."""

    def on_page(self, channel: str, page: Page | None) -> list[Wish]:
        return [wish for wish in super().on_page(channel, page) if not isinstance(wish, CatchUp)]

    def _misses(self, channel: str, end: int) -> bool:
        return False


@pytest.mark.parametrize(
    ("broken", "history"),
    [
        (SkipsNoGap, LOST),
        (Trusting, AWAY_LONG),
        (Trusting, REPLACED),
        (Deaf, LAST_LOST),
        (Repeating, SHORT_OF),
        (Forgetful, AWAY_LONG),
    ],
)
def test_broken_clients_are_caught(broken: type[LoggedReading], history: list[Step]) -> None:
    for reading in (broken, LoggedReading):
        world = World(reading)
        for what, number in history:
            world.step(what, number)
        world.settle()
        assert bool(world.faults()) == (reading is broken), reading.__name__


def test_one_gap_is_one_question() -> None:
    """However many events follow it."""
    world = World()
    for what, number in LOST[:-1]:
        world.step(what, number)
    for _ in range(20):
        world.emit()
    assert world.wire is not None
    sent = len(world.wire)
    world.deliver(sent)
    assert sum(isinstance(frame, Ready) for frame in world.wire) == 1
    world.settle()
    assert (world.faults(), world.begun) == ([], 1)


def test_a_log_that_leaves_something_out_is_noticed() -> None:
    def line(seq: int, epoch: str = "a", *, event: bool = True, channel: str = CHANNEL) -> Noted:
        return Noted(channel, Place(epoch, seq), UUID(int=seq) if event else None)

    good = [
        line(3, event=False),
        line(4),
        line(9, channel="me", event=False),
        line(5),
        line(2, "b", event=False),
        line(3, "b"),
    ]
    assert faults_of(good) == []
    assert len(faults_of([*good, line(5, "b")])) == 1
    assert len(faults_of([*good, line(3, "b")])) == 1
    assert len(faults_of([*good, line(4, "c")])) == 1
    assert len(faults_of([line(1)])) == 1, "without the data it follows on"


def test_states_are_shown_and_forbidden_channels_left() -> None:
    reading = Reading(["me", CHANNEL])
    assert reading.on_frame(Ready(25, [Joined("occupancy", None, None, resumed=False, reason=None)])) == [
        Show("occupancy", None)
    ]
    state = State("occupancy", "list:main", Raw(b"{}"))
    assert reading.on_frame(state) == [Show("occupancy", state)]
    assert reading.on_frame(Ready(25, [Joined("me", None, None, resumed=False, reason="forbidden")])) == []
    assert (reading.forbidden, list(reading.places)) == ({"me"}, [CHANNEL])
    assert reading.on_frame(Event("me", 1, UUID(int=1), AT, "x", Raw(b"{}"))) == []


def test_frames_that_are_newer_than_the_client_are_ignored() -> None:
    assert read_frame('{"type":"poll","seq":"?"}') is None
    assert read_frame('{"type":"heartbeat","seq":{"me":3},"mood":"good"}') == Heartbeat({"me": 3})


def test_close_codes_mean_what_the_document_says() -> None:
    assert {one["code"]: after_close(one["code"]) for one in close_codes()} == {
        one["code"]: one["then"] for one in close_codes()
    }
    assert {after_close(code) for code in (1000, 1001, 1006, 1009, 1011, 4000, 4999)} == {"resume"}
