"""The reference scanner at a real server: with a network, without, with a bad one, and after its own crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from loadtests.feed_client_http import FeedHttp
from loadtests.scanner import Refused, Scanner, Shown, pair
from loadtests.scanner_feed import listener
from loadtests.scanner_network import NoAnswer, Weather, Wifi
from loadtests.scanner_queue import Queue
from tests.conftest import Demo, bearer
from tests.loadtests.addresses import address_of


class Phone:
    """A scanner, its network and its clock."""

    def __init__(self, api: httpx.AsyncClient, token: str, file: Path) -> None:
        base = urlsplit(str(api.base_url))
        self.skew = timedelta()
        self.file = file
        self.token = token
        self.event = base.path.rstrip("/")
        self.wifi = Wifi(address_of(str(api.base_url)))
        self.weather = Weather(self.wifi)
        self.scanner = self.restart()

    def restart(self) -> Scanner:
        self.scanner = Scanner(
            self.weather, self.event, self.token, Queue(self.file), clock=lambda: datetime.now(UTC) + self.skew, pause=0
        )
        return self.scanner

    async def scan(self, code: str, checkin_list: str = "main", direction: str = "entry") -> str:
        shown: Shown = await self.scanner.scan(checkin_list, code, direction)  # type: ignore[arg-type]
        return f"{shown.reason or shown.outcome}{' by itself' if shown.by_itself else ''}"


MakePhone = Callable[[int], Phone]


@pytest.fixture
async def phone(api: httpx.AsyncClient, demo: Demo, tmp_path: Path) -> AsyncIterator[MakePhone]:
    made: list[Phone] = []

    def make(number: int) -> Phone:
        made.append(Phone(api, demo.device(number), tmp_path / f"scanner-{number}"))
        return made[-1]

    yield make
    for each in made:
        each.wifi.close()
        each.scanner.queue.close()


async def test_with_a_network_the_server_answers(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    assert await one.scan(demo.badge()) == "admitted"
    assert await one.scan(demo.badge()) == "already_admitted"
    assert await one.scan(demo.badge(), direction="exit") == "exited"
    proof = await one.scanner.prove()
    assert (proof.mark, proof.last, proof.everything) == (3, 3, True)
    assert one.scanner.queue.waiting() == []


async def test_without_a_network_it_decides_and_brings_it_later(phone: MakePhone, demo: Demo) -> None:
    one, other = phone(0), phone(1)
    await other.scanner.start()
    await other.scan(demo.badge(1))
    await one.scanner.start()
    one.weather.offline = True
    assert await one.scan(demo.badge(0)) == "admitted by itself"
    assert await one.scan(demo.badge(0)) == "already_admitted by itself", "its own passings count at once"
    assert await one.scan(demo.badge(0), direction="exit") == "exited by itself"
    assert await one.scan(demo.attendees[0]["short_code"].lower()) == "admitted by itself"
    assert await one.scan("DN" + "0" * 112) == "unknown_code by itself"
    with pytest.raises(NoAnswer):
        await one.scanner.upload()
    assert len(one.scanner.queue.waiting()) == 5

    one.weather.offline = False
    await one.scanner.upload(batch=2)
    assert (await one.scanner.prove()).everything
    assert one.scanner.conflicts == []
    assert await other.scan(demo.badge(0)) == "already_admitted"


async def test_it_knows_from_the_snapshot_and_the_delta_who_is_inside(phone: MakePhone, demo: Demo) -> None:
    one, other = phone(0), phone(1)
    await other.scan(demo.badge(0))
    await until(one, lambda: inside(one) == 1)
    await other.scan(demo.badge(1))
    await other.scan(demo.badge(0), direction="exit")
    second = one.scanner.knowledge.badge_of(demo.badge(1))
    await until(one, lambda: inside(one) == 1 and second in one.scanner.knowledge.lists["main"].inside)
    one.weather.offline = True
    assert await one.scan(demo.badge(0)) == "admitted by itself"
    assert await one.scan(demo.badge(1)) == "already_admitted by itself"


def inside(phone: Phone) -> int:
    return phone.scanner.knowledge.lists["main"].count


async def until(phone: Phone, is_known: Callable[[], bool]) -> None:
    """Asks for what has changed until it is there: the server tells of scans a moment later."""
    await phone.scanner.refresh()
    while not is_known():
        await asyncio.sleep(0.02)
        await phone.scanner.refresh()


async def eventually(is_true: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


async def test_without_a_snapshot_and_a_network_nobody_passes(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    one.weather.offline = True
    with pytest.raises(NoAnswer):
        await one.scan(demo.badge())
    assert [scan.decided for scan in one.scanner.queue.waiting()] == ["refused"]


async def test_a_scan_is_remembered_before_anything_is_told(phone: MakePhone, demo: Demo) -> None:
    """The app ends while it waits for the answer: the next one finds the scan, of which nobody was told."""
    one = phone(0)
    await one.scanner.start()
    one.weather.delay = 60
    waiting = asyncio.create_task(one.scan(demo.badge()))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.wait([waiting])
    one.weather.delay = 0
    again = one.restart()
    (scan,) = again.queue.waiting()
    assert (scan.number, scan.code, scan.decided) == (1, demo.badge(), "refused")
    await again.start()
    await again.upload()
    assert (await again.prove()).everything
    assert await one.scan(demo.badge()) == "admitted"


async def test_a_restarted_app_goes_on_where_it_was(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    one.weather.offline = True
    await one.scan(demo.badge(0))
    await one.scan(demo.badge(1))
    one.weather.offline = False
    one.restart()
    await one.scanner.start()
    one.weather.offline = True
    assert await one.scan(demo.badge(0)) == "already_admitted by itself", "what it did before the crash counts"
    assert [scan.number for scan in one.scanner.queue.waiting()] == [1, 2, 3]
    one.weather.offline = False
    await one.scanner.upload()
    assert (await one.scanner.prove()).mark == 3
    assert one.restart().queue.last == 3


async def test_half_a_line_at_the_end_of_the_file_never_counted(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    one.weather.offline = True
    with one.file.open("ab") as file:
        file.write(b'{"line":"scanned","scan":{"scan_id":"torn"')
    assert one.restart().queue.waiting() == []


async def test_a_lost_answer_is_no_second_scan(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    one.weather.loses_answers = 1
    assert await one.scan(demo.badge()) == "admitted by itself"
    with pytest.raises(NoAnswer):
        await one.scanner.upload()
    one.weather.loses_answers = 0
    await one.scanner.upload()
    assert (await one.scanner.prove()).everything
    assert one.scanner.conflicts == []


async def test_a_server_with_too_much_to_do_is_as_good_as_none(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    one.weather.busy = True
    assert await one.scan(demo.badge()) == "admitted by itself"
    one.weather.busy = False
    await one.scanner.upload()
    assert (await one.scanner.prove()).everything


async def test_two_that_let_the_same_person_in_hear_of_it(phone: MakePhone, demo: Demo) -> None:
    one, other = phone(0), phone(1)
    for each in (one, other):
        await each.scanner.start()
        each.weather.offline = True
        assert await each.scan(demo.badge()) == "admitted by itself"
        each.weather.offline = False
    await one.scanner.upload()
    await other.scanner.upload()
    assert one.scanner.conflicts == []
    assert [conflict.outcome for conflict in other.scanner.conflicts] == ["already_admitted"]


async def test_what_the_server_will_not_have_stays_for_a_person(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    one.weather.offline = True
    await one.scan(demo.badge(0))
    strange = one.scanner.knowledge.lists["main"]
    one.scanner.knowledge.lists["removed"] = strange
    await one.scan(demo.badge(1), "removed")
    await one.scan(demo.badge(2))
    one.weather.offline = False
    await one.scanner.upload()
    proof = await one.scanner.prove()
    assert (proof.mark, proof.everything) == (1, False)
    assert {number: problem.code for number, problem in proof.problems.items()} == {2: "checkin.unknown_list"}
    assert one.scanner.lost == []
    assert one.restart().queue.problems == proof.problems


async def test_what_the_server_has_lost_is_brought_again(phone: MakePhone, demo: Demo) -> None:
    """As after the restoration of an old backup: the scanner was told that its scan is stored, and the mark says otherwise."""
    one = phone(0)
    await one.scanner.start()
    one.weather.offline = True
    for number in range(3):
        await one.scan(demo.badge(number))
    one.scanner.queue.store([1, 2, 3])
    one.weather.offline = False
    proof = await one.scanner.prove()
    assert (proof.mark, one.scanner.lost) == (0, [1, 2, 3])
    await one.scanner.upload()
    assert (await one.scanner.prove()).everything


async def test_a_wrong_clock_is_noticed(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    one.weather.offline = True
    one.skew = timedelta(days=3)
    await one.scan(demo.badge(0))
    one.skew = timedelta(days=-3)
    await one.scan(demo.badge(1))
    one.skew = timedelta()
    await one.scan(demo.badge(2))
    one.weather.offline = False
    await one.scanner.upload()
    assert len(one.scanner.wrong_clock) == 2


async def test_a_phone_that_takes_a_devices_place_goes_on_with_its_numbers(phone: MakePhone, demo: Demo) -> None:
    one = phone(0)
    await one.scanner.start()
    await one.scan(demo.badge(0))
    one.file.unlink()
    await one.restart().start()
    await one.scan(demo.badge(1))
    assert (await one.scanner.prove()).mark == 2


async def test_a_phone_becomes_a_device(api: httpx.AsyncClient, phone: MakePhone, demo: Demo) -> None:
    made = await api.post(
        "/devices",
        json={"name": "Door 9", "gate": demo.file.devices[0].gate},
        headers=bearer(demo.file.organizer_token),
    )
    one = phone(0)
    paired = await pair(one.wifi, one.event, made.json()["pairing"]["code"])
    one.token = paired.token
    await one.restart().start()
    assert await one.scan(demo.badge()) == "admitted"
    with pytest.raises(Refused, match=r"device\."):
        await pair(one.wifi, one.event, made.json()["pairing"]["code"])


async def test_a_revoked_phone_lets_nobody_in_and_keeps_what_it_has(
    api: httpx.AsyncClient, phone: MakePhone, demo: Demo
) -> None:
    one = phone(0)
    await one.scanner.start()
    one.weather.offline = True
    await one.scan(demo.badge(0))
    one.weather.offline = False
    one.token = "dn_dev_nobody"
    again = one.restart()
    with pytest.raises(Refused):
        await again.upload()
    assert len(again.queue.waiting()) == 1


async def test_it_hears_on_the_feed_what_others_do(live: str, phone: MakePhone, demo: Demo) -> None:
    one, other = phone(0), phone(1)
    feed = listener(one.scanner, FeedHttp(one.weather, one.event, one.token), live)
    listening = asyncio.create_task(feed.run())
    try:
        await eventually(lambda: "main" in one.scanner.knowledge.lists)
        await other.scan(demo.badge())
        badge = one.scanner.knowledge.badge_of(demo.badge())
        await eventually(lambda: badge in one.scanner.knowledge.lists["main"].inside)
        one.weather.offline = True
        assert await one.scan(demo.badge()) == "already_admitted by itself"
    finally:
        listening.cancel()
        await asyncio.wait([listening])
