"""Taking a scan back: by whom, until when, of what, and what everybody sees of it afterwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from server.checkin import undo as undo_module
from server.db import Database
from tests.conftest import Demo
from tests.phones import Organizer, Phone, organizer_of, phone_of, said, scan, told

TOO_LATE = (409, "checkin.undo_too_late")
NOTHING = (409, "checkin.nothing_to_undo")
UNKNOWN = (404, "checkin.unknown_scan")
FORBIDDEN = (403, "device.profile_forbids")


@pytest.fixture
def phone(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan+search")


@pytest.fixture
def supervisor(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "supervisor")


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return organizer_of(api, demo)


async def grow_older(db: Database, scan_id: str, seconds: int) -> None:
    """As if the scan had been logged so much earlier."""
    async with db.read() as connection:
        await connection.execute(
            "UPDATE scan SET received_at = received_at - make_interval(secs => $2) WHERE scan_id = $1", scan_id, seconds
        )


async def device_id_of(db: Database, scan_id: str) -> str:
    async with db.read() as connection:
        return str(await connection.fetchval("SELECT device_id FROM scan WHERE scan_id = $1", scan_id))


async def undone(who: Phone | Organizer, scan_id: str, body: Any = None) -> dict[str, Any]:
    response = await who.ask("POST", f"/checkins/{scan_id}/undo", body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert answer["scan_id"] == scan_id
    return answer


async def refused(who: Phone | Organizer, scan_id: str, body: Any = None) -> tuple[int, str]:
    return said(await who.ask("POST", f"/checkins/{scan_id}/undo", body))[:2]


async def test_a_scan_by_mistake_is_as_if_it_had_not_been(phone: Phone, demo: Demo) -> None:
    body = scan(demo.badge())
    first = await phone.send(body)
    taken_back = await undone(phone, body["scan_id"])
    assert await undone(phone, body["scan_id"]) == taken_back, "doing it again changes nothing"
    assert await phone.send(body) == first, "the scan keeps its answer"
    again = await phone.scan(demo.badge())
    assert told(again) == "admitted"
    assert told(await phone.scan(demo.badge())) == "already_admitted"
    await undone(phone, again["scan_id"])
    assert told(await phone.scan(demo.badge(), direction="exit")) == "not_inside"
    assert told(await phone.scan(demo.badge())) == "admitted"


async def test_a_scanner_has_a_minute(phone: Phone, supervisor: Phone, demo: Demo, db: Database) -> None:
    young, old = [(await phone.scan(demo.badge(number)))["scan_id"] for number in range(2)]
    await grow_older(db, young, 30)
    await grow_older(db, old, 61)
    await undone(phone, young)
    assert await refused(phone, old) == TOO_LATE
    assert told(await phone.scan(demo.badge(1))) == "already_admitted", "nothing was undone"
    device_id = await device_id_of(db, old)
    assert (await undone(supervisor, old, {"device_id": device_id}))["device_id"] == device_id
    await grow_older(db, young, 100)
    await undone(phone, young)  # a retry is no second undo: it may come late


async def test_without_the_limit_the_check_sees_an_old_scan_undone(
    phone: Phone, demo: Demo, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo_module, "OWN_UNDO", timedelta(days=1))
    old = (await phone.scan(demo.badge()))["scan_id"]
    await grow_older(db, old, 61)
    await undone(phone, old)


async def test_another_s_scan_is_for_supervisors_and_organizers(
    api: httpx.AsyncClient, phone: Phone, supervisor: Phone, organizer: Organizer, demo: Demo, db: Database
) -> None:
    neighbour = phone_of(api, demo, "scan+search", 1)
    ids = [(await phone.scan(demo.badge(number)))["scan_id"] for number in range(3)]
    whose = {"device_id": await device_id_of(db, ids[0])}
    assert await refused(neighbour, ids[0]) == UNKNOWN, "its own scans are meant"
    assert await refused(neighbour, ids[0], whose) == FORBIDDEN
    assert await refused(phone_of(api, demo, "kiosk"), ids[0], whose) == FORBIDDEN
    assert await refused(supervisor, ids[0]) == UNKNOWN, "its own scans are meant"
    await undone(supervisor, ids[0], whose)
    await undone(organizer, ids[1], whose)
    await undone(organizer, ids[2])
    for number in range(3):
        assert told(await neighbour.scan(demo.badge(number))) == "admitted"
    async with db.read() as connection:
        by = await connection.fetch("SELECT undone_by FROM scan WHERE outcome = 'undone' ORDER BY undoes")
    assert len({who for (who,) in by} - {None}) == 2, "the log says who did it"


async def test_a_kiosk_takes_nothing_back(api: httpx.AsyncClient, demo: Demo) -> None:
    kiosk = phone_of(api, demo, "kiosk")
    assert await refused(kiosk, (await kiosk.scan(demo.badge()))["scan_id"]) == FORBIDDEN


async def test_an_organizer_names_the_device_where_two_have_the_id(
    api: httpx.AsyncClient, phone: Phone, organizer: Organizer, demo: Demo, db: Database
) -> None:
    neighbour = phone_of(api, demo, "scan+search", 1)
    await phone.scan(demo.badge(0), scan_id="same")
    whose = {"device_id": await device_id_of(db, "same")}
    await neighbour.scan(demo.badge(1), scan_id="same")
    assert await refused(organizer, "same") == UNKNOWN
    await undone(organizer, "same", whose)
    assert told(await phone.scan(demo.badge(0))) == "admitted"
    assert told(await phone.scan(demo.badge(1))) == "already_admitted"


async def test_a_revoked_phone_s_scans_can_be_undone(
    phone: Phone, organizer: Organizer, demo: Demo, db: Database
) -> None:
    body = scan(demo.badge())
    await phone.send(body)
    device_id = await device_id_of(db, body["scan_id"])
    assert (await organizer.ask("DELETE", f"/devices/{device_id}")).status_code == 204
    while (await phone.ask("POST", "/checkins", body)).status_code != 401:
        pass
    await undone(organizer, body["scan_id"])


async def test_only_a_passing_is_undone(api: httpx.AsyncClient, phone: Phone, demo: Demo) -> None:
    await phone.scan(demo.badge())
    neighbour = phone_of(api, demo, "scan+search", 1)
    for scanner, code in ((phone, "NOBODY"), (phone, demo.badge()), (neighbour, demo.badge())):
        answer = await scanner.scan(code)
        assert answer["outcome"] in ("refused", "already_admitted")
        assert await refused(scanner, answer["scan_id"]) == NOTHING
    assert told(await phone.scan(demo.badge())) == "already_admitted", "still inside"


async def test_nothing_is_undone_by_a_name_that_is_no_scan(phone: Phone, organizer: Organizer, demo: Demo) -> None:
    body = scan(demo.badge())
    await phone.send(body)
    await undone(phone, body["scan_id"])
    for scan_id in ("nobody", "%00", "a%0A", "é", "x" * 5000, "%F0%9F%8E%AB"):
        for who in (phone, organizer):
            assert await refused(who, scan_id) == UNKNOWN, scan_id
    assert await refused(phone, f"~{body['scan_id']}") == NOTHING, "an undo is not undone"
    for wrong in ({"device_id": "x"}, {"device": None}, [], 5):
        assert await refused(organizer, body["scan_id"], wrong) == (422, "request.invalid"), wrong


async def test_an_exit_is_undone(phone: Phone, demo: Demo) -> None:
    first = await phone.scan(demo.badge())
    gone = await phone.scan(demo.badge(), direction="exit")
    await undone(phone, gone["scan_id"])
    inside = await phone.scan(demo.badge())
    assert told(inside) == "already_admitted"
    assert inside["admission"]["at"] == first["admission"]["at"], "by the entry that stands"
    assert told(await phone.scan(demo.badge(), direction="exit")) == "exited"


async def test_an_exit_is_undone_where_the_seat_is_taken(phone: Phone, organizer: Organizer, demo: Demo) -> None:
    """The person never left: the hall is fuller than it should be, and says so. Nobody waits for it."""
    await organizer.add_list("x", capacity=1)
    while (await phone.ask("POST", "/checkins", scan(demo.badge(0), list="x"))).status_code != 200:
        pass
    gone = await phone.scan(demo.badge(0), list="x", direction="exit")
    assert told(await phone.scan(demo.badge(1), list="x")) == "admitted"
    await undone(phone, gone["scan_id"])
    assert told(await phone.scan(demo.badge(0), list="x")) == "already_admitted"
    for number in (0, 1):
        assert told(await phone.scan(demo.badge(2), list="x")) == "list_full"
        assert told(await phone.scan(demo.badge(number), list="x", direction="exit")) == "exited"
    assert told(await phone.scan(demo.badge(2), list="x")) == "admitted"
    assert told(await phone.scan(demo.badge(3), list="x")) == "list_full"


async def test_an_undone_entry_gives_its_seat_back(phone: Phone, organizer: Organizer, demo: Demo) -> None:
    await organizer.add_list("x", capacity=1)
    while (await phone.ask("POST", "/checkins", first := scan(demo.badge(0), list="x"))).status_code != 200:
        pass
    assert told(await phone.scan(demo.badge(1), list="x")) == "list_full"
    for _ in range(2):
        await undone(phone, first["scan_id"])
    assert told(await phone.scan(demo.badge(1), list="x")) == "admitted"
    assert told(await phone.scan(demo.badge(2), list="x")) == "list_full"


async def test_a_person_let_in_offline_against_a_refusal_can_be_undone(
    api: httpx.AsyncClient, phone: Phone, organizer: Organizer, demo: Demo
) -> None:
    neighbour = phone_of(api, demo, "scan+search", 1)
    await phone.scan(demo.badge())
    body = scan(demo.badge())
    assert told(await neighbour.send(body)) == "already_admitted"
    await neighbour.upload({**body, "decided": "admitted"})
    while not (found := (await organizer.get("conflicts"))["conflicts"]):
        pass
    assert await refused(phone, body["scan_id"], {"device_id": found[0]["device_id"]}) == FORBIDDEN
    taken_back = await undone(neighbour, body["scan_id"])
    assert await undone(organizer, body["scan_id"]) == taken_back
    assert await undone(organizer, found[0]["scan_id"], {"device_id": found[0]["device_id"]})
    while (await organizer.get("conflicts"))["conflicts"]:
        pass
    assert told(await phone.scan(demo.badge())) == "already_admitted", "by the first door"


async def test_undo_and_exit_at_once_leave_nobody_inside(phone: Phone, demo: Demo) -> None:
    for number in range(30):
        body = scan(demo.badge(number))
        await phone.send(body)
        gone = scan(demo.badge(number), direction="exit")
        _, left = await asyncio.gather(undone(phone, body["scan_id"]), phone.send(gone))
        assert told(left) in ("exited", "not_inside")
        assert told(await phone.scan(demo.badge(number), direction="exit")) == "not_inside"
        assert told(await phone.scan(demo.badge(number))) == "admitted"


async def test_many_undos_at_once_are_one(phone: Phone, organizer: Organizer, demo: Demo, db: Database) -> None:
    body = scan(demo.badge())
    await phone.send(body)
    answers = await asyncio.gather(*(undone(who, body["scan_id"]) for who in (phone, organizer) * 20))
    assert all(answer == answers[0] for answer in answers)
    async with db.read() as connection:
        assert await connection.fetchval("SELECT count(*) FROM scan WHERE outcome = 'undone'") == 1


async def test_statistics_are_put_right(phone: Phone, organizer: Organizer, demo: Demo) -> None:
    answers = [await phone.scan(demo.badge(number)) for number in range(3)]
    await until_counted(organizer, admitted=3, inside=3)
    await undone(phone, answers[0]["scan_id"])
    await until_counted(organizer, admitted=2, inside=2)
    gone = await phone.scan(demo.badge(1), direction="exit")
    await until_counted(organizer, admitted=2, inside=1)
    await undone(phone, gone["scan_id"])
    found = await organizer.get("statistics")
    while sum(row["exited"] for row in found["arrivals"]):
        found = await organizer.get("statistics")
    assert (found["admitted"], found["inside"]) == (2, 2)
    assert sum(row["admitted"] for row in found["tickets"]) == 2


async def until_counted(organizer: Organizer, **expected: int) -> None:
    async with asyncio.timeout(15):
        while True:
            found = await organizer.get("statistics")
            if {name: found[name] for name in expected} == expected:
                return


async def test_a_scan_may_be_called_what_a_phone_likes(phone: Phone, demo: Demo) -> None:
    names = ("undo", "1", "a:b", "A.b_c-1", "-", "x" * 64)
    for number, name in enumerate(names):
        await phone.scan(demo.badge(number), scan_id=name)
        await undone(phone, name)


async def test_a_far_past_is_no_way_around_the_minute(phone: Phone, demo: Demo, db: Database) -> None:
    """The minute is counted from the arrival: what the phone's clock says moves nothing."""
    body = scan(demo.badge(), scanned_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat(), decided="admitted")
    await phone.upload(body)
    await grow_older(db, body["scan_id"], 61)
    assert await refused(phone, body["scan_id"]) == TOO_LATE
