"""What a phone holds for the time without a network: a snapshot and the deltas since say what a fresh snapshot says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from server.access.actions import revoke
from server.attendee.types import BadgeRow
from server.checkin import doors, snapshot
from server.checkin.door import Door
from server.checkin.types import CheckinListRow
from server.db import Database
from server.feed import CHECKIN, emit
from server.paging import encode_cursor
from tests.conftest import OTHER, Demo
from tests.phones import Organizer, Phone, organizer_of, phone_of, said, scan, told

PATIENCE = 20


class Copy:
    """What a phone makes of the answers, as it would keep them."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.cursor: str | None = None
        self.void: set[int] = set()
        self.rules: dict[str, dict[str, Any]] = {}
        self.inside: dict[str, set[int]] = {}
        self.been: dict[str, set[int]] = {}
        self.wholes = 0

    async def sync(self, cursor: str | None = None) -> dict[str, Any]:
        """Asks for what has changed since its cursor, or another one, and applies it."""
        asked = cursor or self.cursor
        answer = await self.phone.get("snapshot", **({"cursor": asked} if asked else {}))
        for passed in answer.get("passed", ()):
            self._apply(passed)
        for rules in answer["lists"] or ():
            self.rules[rules["key"]] = {name: rules[name] for name in rules if name not in PEOPLE} | {
                "sessions": [{name: one[name] for name in one if name not in PEOPLE} for one in rules["sessions"]]
            }
            self.inside[rules["key"]], self.been[rules["key"]] = numbers(rules["inside"]), numbers(rules["been"])
        if answer["lists"] is not None:
            gone = set(self.rules) - {rules["key"] for rules in answer["lists"]}
            for held in (self.rules, self.inside, self.been):
                for key in gone:
                    held.pop(key)
        if answer["kind"] == "snapshot":
            self.wholes += 1
            self.void = set(answer["badges"]["void"])
        else:
            self.void |= set(answer["void"])
        self.cursor = answer["cursor"]
        return answer

    def _apply(self, passed: dict[str, Any]) -> None:
        inside = self.inside.setdefault(passed["list"], set())
        been = self.been.setdefault(passed["list"], set())
        for badges, enters, leaves in (
            ({badge for entered in passed["entered"] for badge in entered["badges"]}, True, False),
            (set(passed["left"]), False, True),
            (set(passed["undone"]), False, False),
        ):
            (inside.update if enters else inside.difference_update)(badges)
            (been.update if leaves else been.difference_update)(badges)

    @property
    def state(self) -> tuple[Any, ...]:
        return (self.void, self.rules, self.inside, self.been)


PEOPLE = ("inside", "been", "inside_count", "session_id")
"""What a list's rules say of people and of the moment: a phone that has the rules goes on from there by itself."""


def numbers(bitmap: str) -> set[int]:
    """The badges in a bitmap."""
    bits = base64.b64decode(bitmap)
    return {place + 1 for place in range(8 * len(bits)) if bits[place >> 3] >> (place & 7) & 1}


@pytest.fixture
def phone(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan")


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return organizer_of(api, demo)


async def until_as_fresh(copy: Copy) -> None:
    """Applies deltas until the copy is what a fresh snapshot is; a change that a delta left out never comes."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await copy.sync()
            fresh = Copy(copy.phone)
            await fresh.sync()
            if copy.state == fresh.state:
                return


def number_of(demo: Demo, whole: dict[str, Any], place: int) -> int:
    """A badge's number, found as a phone finds one that was typed: by the digest of its short code."""
    digests = base64.b64decode(whole["badges"]["short_codes"])
    size = len(digests) // whole["badges"]["count"]
    digest = hashlib.sha256(demo.attendees[place]["short_code"].encode()).digest()[:size]
    return next(n + 1 for n in range(whole["badges"]["count"]) if digests[n * size : (n + 1) * size] == digest)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_snapshot_and_its_deltas_are_a_fresh_snapshot(
    api: httpx.AsyncClient, demo: Demo, db: Database, phone: Phone, organizer: Organizer, seed: int
) -> None:
    dice = random.Random(seed)
    copy = Copy(phone)
    await copy.sync()
    await organizer.add_list("x", capacity=5)
    while (await phone.ask("POST", "/checkins", scan("NOBODY", list="x"))).status_code != 200:
        pass
    workers = [phone_of(api, demo, "scan+search", number) for number in range(3)]
    event_id = uuid.UUID((await phone.get("snapshot"))["event_id"])
    passed: list[tuple[Phone, str]] = []
    for _ in range(6):
        for _ in range(25):
            worker = dice.choice(workers)
            body = scan(
                demo.badge(dice.randrange(15)),
                list=dice.choice(["main", "x", "lunch"]),
                direction=dice.choice(["entry", "entry", "exit"]),
            )
            offline = dice.random() < 0.3
            answer = (await worker.upload(body))["results"][0] if offline else await worker.send(body)
            if answer["outcome"] in ("admitted", "exited"):
                passed.append((worker, body["scan_id"]))
        for worker, scan_id in dice.sample(passed, min(3, len(passed))):
            assert (await worker.undo(scan_id)).status_code == 200
        if dice.random() < 0.5:
            await organizer.change_list("x", reentry=dice.choice(["never", "always", "after_exit"]))
        if dice.random() < 0.5:
            await revoke(db, event_id, demo.badge(dice.randrange(15, 60)))
        await copy.sync()
    await until_as_fresh(copy)
    assert copy.wholes == 1, "the rest came as deltas"
    assert all((copy.inside["main"], copy.been["main"], copy.void)), "there was something to compare"


async def test_a_phone_that_loses_deltas_is_noticed(api: httpx.AsyncClient, demo: Demo, phone: Phone) -> None:
    """The comparison above sees one delta that was not applied."""
    copy = Copy(phone)
    await copy.sync()
    await phone.scan(demo.badge())
    lost = Copy(phone)
    await until_as_fresh(lost)
    async with asyncio.timeout(PATIENCE):
        while lost.cursor == copy.cursor:
            await until_as_fresh(lost)
    copy.cursor = lost.cursor
    await copy.sync()
    fresh = Copy(phone)
    await fresh.sync()
    assert copy.state != fresh.state


async def test_a_lost_delta_can_be_asked_again(demo: Demo, phone: Phone) -> None:
    copy = Copy(phone)
    await copy.sync()
    start = copy.cursor
    for number in range(5):
        await phone.scan(demo.badge(number))
        await copy.sync()
    await until_as_fresh(copy)
    slow = Copy(phone)
    slow.rules, slow.inside, slow.been = {}, {key: set() for key in copy.inside}, {key: set() for key in copy.been}
    await slow.sync(start)
    assert slow.inside == copy.inside
    await slow.sync(start)
    assert slow.inside == copy.inside, "applied twice it says the same"


async def test_a_cursor_never_passes_what_the_process_has_not_heard(
    demo: Demo, phone: Phone, organizer: Organizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list has changed and the log says so, but this process has not read it yet: its rules are the old ones."""
    copy = Copy(phone)
    await copy.sync()
    go_on = asyncio.Event()
    catch_up = doors.catch_up

    async def late(connection: Any, door: Door) -> bool:
        await go_on.wait()
        return await catch_up(connection, door)

    monkeypatch.setattr(doors, "catch_up", late)
    await organizer.change_list("main", closes_at="2020-01-01T00:00:00Z")
    await copy.sync()
    assert copy.rules["main"]["closes_at"] is None
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        while copy.rules["main"]["closes_at"] is None:
            await copy.sync()


async def test_a_cursor_of_somewhere_else_gets_the_whole(
    api: httpx.AsyncClient, demo: Demo, stranger: Demo, phone: Phone
) -> None:
    whole = await phone.get("snapshot")
    base = str(api.base_url).replace("digital-now", OTHER)
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        other = await phone_of(client, stranger, "scan").get("snapshot")
        assert (await phone_of(client, stranger, "scan").get("snapshot", cursor=whole["cursor"]))["kind"] == "snapshot"
    assert other["event_id"] != whole["event_id"]
    assert (await phone.get("snapshot", cursor=other["cursor"]))["kind"] == "snapshot"
    epoch = base64.urlsafe_b64decode(whole["cursor"] + "==").decode().split("\x1f")[0]
    for seq in (str(10**9), str(-1), "9" * 100, "-" + "9" * 100):
        answer = await phone.get("snapshot", cursor=encode_cursor(epoch, seq, "0"))
        assert answer["kind"] == "snapshot", seq
    assert (await phone.get("snapshot", cursor=encode_cursor("another", "0", "0")))["kind"] == "snapshot"
    assert (await phone.get("snapshot", cursor=whole["cursor"]))["kind"] == "delta"


async def test_a_cursor_that_is_none_is_refused(phone: Phone) -> None:
    for cursor in (
        "x",
        "é",
        "\0",
        "A" * 401,
        encode_cursor("a"),
        encode_cursor("a", "b", "c"),
        encode_cursor("a", "1", ""),
    ):
        response = await phone.ask("GET", "/checkins/snapshot", cursor=cursor)
        assert said(response)[:2] == (422, "request.invalid"), cursor


async def test_only_who_may_know_people_gets_names(api: httpx.AsyncClient, demo: Demo) -> None:
    line = demo.attendees[0]
    secrets = (line["name"], line["email"], line["company"], line["badge_code"], line["short_code"], line["id"])
    for profile in ("scan", "scan+search", "supervisor"):
        response = await phone_of(api, demo, profile).ask("GET", "/checkins/snapshot")
        people = response.json()["people"]
        told_of = [secret for secret in secrets if secret and msgspec.json.encode(secret) in response.content]
        if profile == "scan":
            assert (people, told_of) == (None, [])
        else:
            assert line["name"] in {person["name"] for person in people}
            assert not set(told_of) & {line["email"], line["badge_code"], line["short_code"]}
    assert said(await phone_of(api, demo, "kiosk").ask("GET", "/checkins/snapshot"))[0] == 403


async def test_the_revoked_and_the_cancelled_are_void(
    demo: Demo, db: Database, phone: Phone, organizer: Organizer
) -> None:
    copy = Copy(phone)
    whole = await copy.sync()
    assert whole["badges"]["void"] == []
    event_id = uuid.UUID(whole["event_id"])
    revoked, cancelled = number_of(demo, whole, 0), number_of(demo, whole, 1)
    await revoke(db, event_id, demo.badge(0))
    async with asyncio.timeout(PATIENCE):
        while copy.void != {revoked}:
            await copy.sync()
        assert copy.wholes == 1
        attendee_id = uuid.UUID(demo.attendees[1]["id"])
        for away, expected in ((True, {revoked, cancelled}), (False, {revoked})):
            async with db.tx() as tx:
                await tx.execute(
                    "UPDATE attendee SET cancelled_at = CASE WHEN $2 THEN now() END WHERE attendee_id = $1",
                    attendee_id,
                    away,
                )
                data = {"attendee_id": str(attendee_id), "cancelled": away}
                await emit(tx, event_id, channel=CHECKIN, kind="attendee.cancelled", data=data)
            while copy.void != expected:
                await copy.sync()
            assert told(await phone.scan(demo.badge(1))) == ("cancelled" if away else "admitted")
    new = (await organizer.ask("POST", f"/attendees/{demo.attendees[2]['id']}/badge")).json()
    async with asyncio.timeout(PATIENCE):
        while new["number"] not in range(1, (await phone.get("snapshot"))["badges"]["count"] + 1):
            pass
    await until_as_fresh(copy)
    assert copy.wholes == 4, "a cancellation, its end and a new badge are told by the whole"


async def test_what_was_undone_comes_as_undone(demo: Demo, phone: Phone) -> None:
    copy = Copy(phone)
    whole = await copy.sync()
    number = number_of(demo, whole, 0)
    body = scan(demo.badge(0))
    await phone.send(body)
    async with asyncio.timeout(PATIENCE):
        while number not in copy.inside["main"]:
            await copy.sync()
        await phone.undo(body["scan_id"])
        while number in copy.inside["main"]:
            await copy.sync()
    assert number not in copy.been["main"]


def test_five_thousand_badges_are_small() -> None:
    door = Door(uuid.uuid4())
    door.add_badges(
        [
            BadgeRow(
                f"C{n}",
                f"S{n}",
                attendee_id=uuid.uuid4(),
                name=f"Name {n}",
                company="",
                ticket="visitor",
                language="fr",
                number=n,
                revoked_at=None,
                cancelled_at=None,
            )
            for n in range(1, 5001)
        ]
    )
    lists = [
        CheckinListRow(uuid.uuid4(), f"list-{n}", "door", None, None, None, None, "after_exit", 15, ["visitor"])
        for n in range(10)
    ]
    door.set_lists(lists)
    for one in lists:
        for badge in door.badges.values():
            door.leave(one.list_id, badge.attendee_id, been=True)
    whole = snapshot.Snapshot(
        cursor="",
        synced_at=datetime.now(UTC),
        event_id=door.event_id,
        badge_keys=[],
        tickets=["visitor"],
        lists=snapshot._rules(door),
        badges=snapshot._badges(door),
        people=None,
    )
    assert len(msgspec.json.encode(whole)) < 75_000
