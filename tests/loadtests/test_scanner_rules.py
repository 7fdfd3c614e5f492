"""What a scanner decides by itself is what the server would answer, wherever a snapshot can tell it.

Where it cannot, by design (each named in `loadtests.scanner_rules`, each with a test below that shows it or a condition here):
cancelled badges are called revoked; a person inside a room for another session than the present one, or who has been there for
the present one; a capacity, while people are inside whose badges are void or several.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

from loadtests.scanner_rules import Decision, Knowledge
from server.attendee import signed_codes
from server.attendee.types import BadgeRow
from server.badge import queries as badge_queries
from server.checkin.events import Entered, Passed
from server.checkin.planning import NO_SESSION
from server.checkin.types import CheckinListRow, Direction
from tests.loadtests.small_events import EVENT, NOW, SEED, Passing, Server, World, list_valid_keys, minutes, worlds

DIRECTIONS: tuple[Direction, ...] = ("entry", "exit")


@pytest.fixture(autouse=True, scope="module")
def keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(badge_queries, "list_valid_keys", list_valid_keys)
        yield


async def knowledge_of(server: Server) -> Knowledge:
    knowledge = Knowledge()
    knowledge.load(await server.snapshot())
    return knowledge


def can_tell(server: Server, knowledge: Knowledge, checkin_list: CheckinListRow, badge: BadgeRow) -> bool:
    """Whether a snapshot says what this decision needs."""
    session = server.door.session_at(checkin_list, NOW)
    session_id = session.session_id if session else None
    standing = server.standing(checkin_list, badge.attendee_id)
    place = (checkin_list.list_id, session_id)
    if checkin_list.room_id is not None:
        here_for_another = standing.since is not None and standing.since.list_id == place[0] and standing.place != place
        if here_for_another or (checkin_list.reentry == "never" and place in standing.visited):
            return False
    inside = server.inside()[(EVENT, checkin_list.list_id, session_id or NO_SESSION)]
    return checkin_list.capacity is None or knowledge.lists[checkin_list.key].occupancy(session_id) == inside


@settings(max_examples=300, deadline=None)
@given(worlds())
async def test_every_badge_at_every_list(world: World) -> None:
    server = Server(world)
    knowledge = await knowledge_of(server)
    for number, badge in enumerate(world.badges):
        for checkin_list in world.lists:
            for direction in DIRECTIONS:
                if direction == "entry" and not can_tell(server, knowledge, checkin_list, badge):
                    continue
                for code in (badge.code, badge.short_code.lower()):
                    decision = knowledge.decide(checkin_list.key, code, direction, NOW)
                    answer = await server.ask(checkin_list.key, code, direction, f"scan-{number}")
                    assert (decision.outcome, decision.reason) == answer, (checkin_list, badge, direction)


@settings(max_examples=400, deadline=None)
@given(
    worlds(),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from(DIRECTIONS)), min_size=4, max_size=16),
)
async def test_its_own_passings_count_at_once(world: World, scans: list[tuple[int, int, Direction]]) -> None:
    """A scanner that has been alone since the snapshot, and a server that was asked the same scans, one after the other."""
    server = Server(world)
    server.keeping = True
    knowledge = await knowledge_of(server)
    for number, (person, place, direction) in enumerate(scans):
        if not world.badges:
            return
        badge = world.badges[person % len(world.badges)]
        checkin_list = world.lists[place % len(world.lists)]
        if len(server.door.numbers_of(badge.attendee_id)) > 1 or not can_tell(server, knowledge, checkin_list, badge):
            continue
        decision = knowledge.decide(checkin_list.key, badge.code, direction, NOW)
        knowledge.note(checkin_list.key, decision)
        answer = await server.ask(checkin_list.key, badge.code, direction, f"scan-{number}")
        assert (decision.outcome, decision.reason) == answer, (checkin_list, badge, direction)


def door(**more: object) -> CheckinListRow:
    fields: dict[str, object] = {
        "list_id": EVENT,
        "key": "list-0",
        "kind": "door",
        "room_id": None,
        "opens_at": None,
        "closes_at": None,
        "capacity": None,
        "reentry": "after_exit",
        "early_minutes": 15,
        "tickets": ["visitor", "vip"],
    }
    return CheckinListRow(**(fields | more))  # type: ignore[arg-type]


async def alone(*passings: Passing, **rules: object) -> Knowledge:
    return await knowledge_of(Server(World([door(**rules)], [], [], list(passings))))


def told(decision: Decision) -> str:
    return decision.reason or decision.outcome


async def test_a_badge_printed_since_the_snapshot_is_believed_for_what_it_says() -> None:
    visitor, vip = (signed_codes.sign(SEED, EVENT, 0, 77, ticket) for ticket in (0, 1))
    knowledge = await alone(tickets=["vip"])
    assert told(knowledge.decide("list-0", vip, "entry", NOW)) == "admitted"
    assert told(knowledge.decide("list-0", visitor, "entry", NOW)) == "wrong_ticket"


@pytest.mark.parametrize(
    "code",
    [
        signed_codes.sign(SEED, EVENT, 1, 77, 0),
        signed_codes.sign(bytes(31) + b"\1", EVENT, 0, 77, 0),
        signed_codes.sign(SEED, type(EVENT)(int=99), 0, 77, 0),
        signed_codes.sign(SEED, EVENT, 0, 77, 0)[:-1],
        "https://example.org/somebody",
        "00000000",
    ],
    ids=["a key nobody has", "a forger's key", "another event", "a part", "something else", "a short code nobody has"],
)
async def test_what_the_event_has_not_signed_opens_nothing(code: str) -> None:
    assert told((await alone()).decide("list-0", code, "entry", NOW)) == "unknown_code"


async def test_what_the_feed_says_counts_and_may_be_heard_twice() -> None:
    code = signed_codes.sign(SEED, EVENT, 0, 7, 0)
    knowledge = await alone()
    entered = Passed("list-0", 1, [Entered("Scanner", "Gate", NOW, [7])], [], [])
    left, undone = Passed("list-0", 0, [], [7], []), Passed("list-0", 0, [], [], [7])
    for passed, answer in (
        (entered, "already_admitted"),
        (left, "admitted"),
        (entered, "already_admitted"),
        (undone, "admitted"),
    ):
        for _ in range(2):
            knowledge.hear(passed)
            assert told(knowledge.decide("list-0", code, "entry", NOW)) == answer
            assert knowledge.lists["list-0"].count == passed.inside


@pytest.mark.parametrize(
    ("reentry", "answer"), [("never", "already_admitted"), ("after_exit", "admitted"), ("always", "admitted")]
)
async def test_somebody_who_has_left_comes_again(reentry: str, answer: str) -> None:
    code = signed_codes.sign(SEED, EVENT, 0, 7, 0)
    knowledge = await alone(reentry=reentry)
    for direction in DIRECTIONS:
        knowledge.note("list-0", knowledge.decide("list-0", code, direction, NOW))
    assert told(knowledge.decide("list-0", code, "entry", NOW)) == answer


@pytest.mark.parametrize(("at", "answer"), [(-61, "not_open"), (-60, "admitted"), (29, "admitted"), (30, "not_open")])
async def test_a_list_is_open_by_the_scanners_clock(at: int, answer: str) -> None:
    code = signed_codes.sign(SEED, EVENT, 0, 7, 0)
    knowledge = await alone(opens_at=minutes(-60), closes_at=minutes(30))
    assert told(knowledge.decide("list-0", code, "entry", minutes(at))) == answer
