"""What a scan says is a fact: it is told once, in one way, and judged by what held when it happened."""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from server.access.actions import revoke
from server.checkin import actions
from server.checkin.types import MAX_CODE_LENGTH
from server.checkin.writer import Writer
from server.db import Database
from server.errors import Overloaded
from tests.conftest import Demo
from tests.phones import Organizer, Phone, organizer_of, phone_of, said, scan
from tests.waiting import until, until_answered


@pytest.fixture
def phone(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan+search")


@pytest.fixture
def other(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan+search", 1)


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return organizer_of(api, demo)


def past(code: str, at: datetime, **more: object) -> dict[str, Any]:
    return scan(code, scanned_at=at.isoformat(), decided="admitted", **more)


async def refused_now(phone: Phone, code: str, reason: str) -> None:
    """Returns when the door has heard of it, and of all that was told before."""

    async def answer() -> object:
        return (await phone.scan(code, list="lunch"))["reason"]

    await until_answered(answer, reason)


async def cancel(organizer: Organizer, attendee: str, *, cancelled: bool = True) -> httpx.Response:
    return await organizer.ask("PATCH", f"/attendees/{attendee}", {"cancelled": cancelled})


async def test_a_cancellation_does_not_concern_what_was_before_it(
    phone: Phone, organizer: Organizer, demo: Demo
) -> None:
    line, before = demo.attendees[0], datetime.now(UTC) - timedelta(minutes=30)
    assert (await cancel(organizer, line["id"])).status_code == 200
    await refused_now(phone, line["badge_code"], "cancelled")

    late = await phone.upload(past(line["badge_code"], before), past(line["badge_code"], datetime.now(UTC)))
    assert [(one["outcome"], one["reason"]) for one in late["results"]] == [
        ("admitted", None),
        ("refused", "cancelled"),
    ]


async def test_a_revocation_does_not_concern_what_was_before_it(phone: Phone, db: Database, demo: Demo) -> None:
    line, before = demo.attendees[1], datetime.now(UTC) - timedelta(minutes=30)
    event = (await phone.api.get("")).json()["id"]
    await revoke(db, event, line["badge_code"])
    await refused_now(phone, line["badge_code"], "revoked")
    late = await phone.upload(past(line["badge_code"], before), past(line["badge_code"], datetime.now(UTC)))
    assert [(one["outcome"], one["reason"]) for one in late["results"]] == [("admitted", None), ("refused", "revoked")]


async def test_a_cancellation_is_told_once(phone: Phone, organizer: Organizer, demo: Demo) -> None:
    attendee = demo.attendees[2]["id"]
    first = (await cancel(organizer, attendee)).json()
    assert (await cancel(organizer, attendee)).json() == first, "it was cancelled then, not now"
    assert (await cancel(organizer, attendee, cancelled=False)).json()["cancelled_at"] is None
    assert (await cancel(organizer, attendee, cancelled=False)).json()["cancelled_at"] is None
    feed = (await phone.ask("GET", "/feed/checkin", None, after=0)).json()["events"]
    told = [event["data"]["cancelled"] for event in feed if event["kind"] == "attendee.cancelled"]
    assert told == [True, False]


@pytest.mark.parametrize("change", [{"decided": "admitted"}, {"number": 8}])
async def test_an_id_that_was_told_otherwise_before_is_refused(
    phone: Phone, demo: Demo, change: dict[str, object]
) -> None:
    body = scan(demo.badge(3), decided="refused", number=7)
    told = (await phone.upload(body))["results"][0]
    contradicting = (await phone.upload({**body, **change}))["results"][0]
    assert contradicting["error"]["code"] == "checkin.scan_id_reused"
    assert (await phone.upload(body))["results"][0] == told


async def test_a_number_may_come_later(phone: Phone, demo: Demo) -> None:
    body = scan(demo.badge(4))
    online = await phone.send(body)
    again = (await phone.upload({**body, "decided": "admitted", "number": 1}))["results"][0]
    assert again == online


async def test_a_gate_at_which_somebody_was_scanned_stays(
    phone: Phone, organizer: Organizer, demo: Demo, db: Database
) -> None:
    """While its scans wait to be counted, and when they are."""
    gate = (await organizer.ask("POST", "/gates", {"name": "Porte Provisoire"})).json()["id"]
    me = (await phone.ask("GET", "/devices/me")).json()
    for place, line in ((gate, demo.attendees[9]), (me["gate"], demo.attendees[11])):
        answer = await organizer.ask("PATCH", f"/devices/{me['device_id']}", {"gate": place})
        assert answer.status_code == 200
        await cancel(organizer, line["id"])
        await refused_now(phone, line["badge_code"], "cancelled")
        if place == gate:
            assert (await phone.scan(demo.badge(10)))["admission"]["gate"] == "Porte Provisoire"
    assert said(await organizer.ask("DELETE", f"/gates/{gate}"))[:2] == (409, "device.gate_in_use")
    async with db.read() as connection:
        await until_answered(lambda: connection.fetchval("SELECT count(*) FROM scan_news"), 0)
    assert said(await organizer.ask("DELETE", f"/gates/{gate}"))[:2] == (409, "device.gate_in_use"), "counted by now"


async def test_longest_codes_cost_only_themselves(phone: Phone, demo: Demo) -> None:
    longest = [scan("\u0600" * MAX_CODE_LENGTH) for _ in range(490)]
    too_long = [scan("x" * 10 * 1024) for _ in range(9)]
    answer = await phone.upload(*longest, *too_long, scan(demo.badge(5)))
    assert answer["stored"] == 491
    assert answer["results"][-1]["outcome"] == "admitted"


async def test_a_typist_is_understood(phone: Phone, demo: Demo) -> None:
    number, code = next(
        (number, line["short_code"])
        for number, line in enumerate(demo.attendees)
        if "0" in line["short_code"] and "1" in line["short_code"]
    )
    typed = code.replace("0", "O").replace("1", "l")
    answer = await phone.scan(f"{typed[:4]}-{typed[4:]}")
    assert answer["attendee"]["id"] == demo.attendees[number]["id"]


async def test_a_batch_of_which_nothing_was_stored_in_time_is_to_be_brought_again(
    phone: Phone, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: object, *_arguments: object) -> None:
        raise Overloaded

    monkeypatch.setattr(Writer, "submit_all", full)
    answer = await phone.ask("POST", "/checkins/batch", {"scans": [scan(demo.badge(6)), {"scan_id": "x"}]})
    assert said(answer)[0] == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_mark_that_takes_long_is_left_out(phone: Phone, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    never = asyncio.Event()

    async def hang(*_arguments: object, **_more: object) -> int:
        await never.wait()
        return 1

    monkeypatch.setattr(actions.queries, "get_mark", hang)
    monkeypatch.setattr(actions, "MARK_SECONDS", 0.05)
    answer = await phone.upload(scan(demo.badge(7), number=1))
    assert (answer["stored"], answer["mark"]) == (1, None)
    never.set()


async def test_a_mark_for_a_scanner_that_has_hung_up_leaves_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its failure is nobody's any more; Python would complain that nobody took note of it."""
    looking, broken = asyncio.Event(), asyncio.Event()

    async def fail(*_arguments: object) -> int:
        looking.set()
        await broken.wait()
        raise ConnectionResetError

    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    try:
        monkeypatch.setattr(actions, "mark_of", fail)
        asking = asyncio.create_task(actions._mark_in_time(None, None, None))  # type: ignore[arg-type]
        await looking.wait()
        asking.cancel()
        await asyncio.wait([asking])
        broken.set()
        await until(lambda: all(task.get_name() != "mark" for task in asyncio.all_tasks()))
        del asking
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert complaints == []


async def test_a_list_says_how_many_may_be_inside(phone: Phone, organizer: Organizer) -> None:
    room = await phone.get("lists/room-1")
    assert room["capacity"] is None
    assert room["places"] > 0
    changed = await organizer.change_list("room-1", capacity=5)
    assert (changed["capacity"], changed["places"]) == (5, 5)
    assert (await phone.get("lists/main"))["places"] is None
    assert said(await phone.ask("GET", "/checkins/lists/nowhere"))[:2] == (404, "checkin.unknown_list")
