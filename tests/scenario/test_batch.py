"""What a phone may send after an hour without a network: anything. The good scans are stored, each bad one is named, and
nothing that was sent twice counts twice."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from server.checkin import batch
from server.config import Settings
from server.db import Database
from tests.conftest import Demo, running_api
from tests.phones import Phone, phone_of, said, scan, told

LIST_STORED = "SELECT scan_id FROM scan WHERE event_id = (SELECT event_id FROM event WHERE slug = 'digital-now')"


@pytest.fixture
def phone(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan")


async def stored(db: Database) -> set[str]:
    """The ids of the sample event's scans in the log."""
    async with db.read() as connection:
        return {scan_id for (scan_id,) in await connection.fetch(LIST_STORED)}


def errors(answer: dict[str, Any]) -> list[tuple[str, str] | None]:
    """Code and field of each item's error."""
    found = []
    for result in answer["results"]:
        error = result.get("error")
        found.append(error and (error["code"], error.get("field", "")))
        if error:
            assert (result["outcome"], result["attendee"], result["admission"]) == (None, None, None)
            assert error["status"] in range(400, 500), result
    return found


INVALID, UNREADABLE = "request.invalid", "request.unreadable"
DEEP = "[" * 10_000 + "]" * 10_000

BAD: dict[str, tuple[bytes, tuple[str, str]]] = {
    "a number for an id": (b'{"scan_id": 5, "list": "main", "code": "x"}', (INVALID, "scan_id")),
    "a number for a code": (b'{"scan_id": "b", "list": "main", "code": 5}', (INVALID, "code")),
    "a list of codes": (b'{"scan_id": "b", "list": "main", "code": ["x"]}', (INVALID, "code")),
    "no list": (b'{"scan_id": "b", "code": "x"}', (INVALID, "")),
    "an unknown field": (b'{"scan_id": "b", "list": "main", "code": "x", "gate": "north"}', (INVALID, "")),
    "an id with spaces": (b'{"scan_id": "b b", "list": "main", "code": "x"}', (INVALID, "scan_id")),
    "an id with a line end": (b'{"scan_id": "b\\n", "list": "main", "code": "x"}', (INVALID, "scan_id")),
    "an id that marks an undo": (b'{"scan_id": "~b", "list": "main", "code": "x"}', (INVALID, "scan_id")),
    "an id that marks an afterthought": (b'{"scan_id": "+b", "list": "main", "code": "x"}', (INVALID, "scan_id")),
    "an id of 65 characters": (json.dumps(scan("x", scan_id="b" * 65)).encode(), (INVALID, "scan_id")),
    "NUL in the id": (b'{"scan_id": "b\\u0000", "list": "main", "code": "x"}', (INVALID, "scan_id")),
    "an empty code": (json.dumps(scan("")).encode(), (INVALID, "code")),
    "10 KB of code": (json.dumps(scan("x" * 10_000)).encode(), (INVALID, "code")),
    "an unknown list": (json.dumps(scan("x", list="nowhere")).encode(), ("checkin.unknown_list", "")),
    "NUL for a list": (json.dumps(scan("x", list="\0")).encode(), ("checkin.unknown_list", "")),
    "the year one": (json.dumps(scan("x", scanned_at="0001-01-01T00:00:00+14:00")).encode(), (INVALID, "scanned_at")),
    "before computers": (json.dumps(scan("x", scanned_at="1969-12-31T23:59:59Z")).encode(), (INVALID, "scanned_at")),
    "the last moment": (json.dumps(scan("x", synced_at="9999-12-31T23:59:59-14:00")).encode(), (INVALID, "synced_at")),
    "a time without a zone": (
        json.dumps(scan("x", scanned_at="2026-12-18T09:00:00")).encode(),
        (INVALID, "scanned_at"),
    ),
    "seconds for a time": (json.dumps(scan("x", scanned_at=1_700_000_000)).encode(), (INVALID, "scanned_at")),
    "an unknown direction": (json.dumps(scan("x", direction="up")).encode(), (INVALID, "direction")),
    "an unknown decision": (json.dumps(scan("x", decided="maybe")).encode(), (INVALID, "decided")),
    "number nought": (json.dumps(scan("x", number=0)).encode(), (INVALID, "number")),
    "a number beyond all": (json.dumps(scan("x", number=2**31)).encode(), (INVALID, "number")),
    "no object": (b'"scan"', (INVALID, "")),
    "null": (b"null", (INVALID, "")),
    "not UTF-8": (b'{"scan_id": "b", "list": "main", "code": "\xff"}', (UNREADABLE, "")),
    "half a surrogate pair": (b'{"scan_id": "b", "list": "main", "code": "caf\\ud83d"}', (UNREADABLE, "")),
    "a control character": (b'{"scan_id": "b", "list": "main", "code": "\x01"}', (UNREADABLE, "")),
    "an unknown escape": (b'{"scan_id": "b", "list": "main", "code": "\\q]},{["}', (UNREADABLE, "")),
    "no JSON": (b'{"scan_id": "b", "list": main, "code": "x"}', (UNREADABLE, "")),
    "10,000 deep": (b'{"scan_id": "b", "list": "main", "code": ' + DEEP.encode() + b"}", (INVALID, "code")),
}
"""What cannot be stored, and what is said of it."""


def joined(*items: bytes) -> bytes:
    return b'{"scans": [' + b",\n".join(items) + b"]}"


async def test_each_bad_scan_gets_its_own_error_and_the_others_go_through(
    phone: Phone, demo: Demo, db: Database
) -> None:
    good = [scan(demo.badge(number % 60)) for number in range(len(BAD) + 1)]
    items = [json.dumps(good[0]).encode()]
    for (raw, _), other in zip(BAD.values(), good[1:], strict=True):
        items += [raw, json.dumps(other).encode()]
    response = await phone.upload_raw(joined(*items))
    assert response.status_code == 200, response.text
    answer = response.json()

    expected: list[tuple[str, str] | None] = [None]
    for _, error in BAD.values():
        expected += [error, None]
    assert errors(answer) == expected
    assert answer["stored"] == len(good)
    assert [result["scan_id"] for result in answer["results"]][::2] == [one["scan_id"] for one in good]
    assert await stored(db) == {one["scan_id"] for one in good}


async def test_an_item_that_is_no_json_is_named_where_it_can_be(phone: Phone) -> None:
    answer = (await phone.upload_raw(joined(BAD["half a surrogate pair"][0], BAD["no object"][0]))).json()
    assert [result["scan_id"] for result in answer["results"]] == ["b", None]


async def test_reading_all_or_nothing_is_noticed(phone: Phone, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cutting by brackets one such scan would hold up its phone's queue for ever."""
    monkeypatch.setattr(batch, "_cut", lambda _body: None)
    for what in ("half a surrogate pair", "a control character", "no JSON", "10,000 deep"):
        response = await phone.upload_raw(joined(BAD[what][0], json.dumps(scan(demo.badge())).encode()))
        assert said(response)[:2] == (400, UNREADABLE), what


async def test_what_is_no_batch_is_refused_whole(phone: Phone, db: Database) -> None:
    one = json.dumps(scan("x")).encode()
    wholes: dict[bytes, tuple[int, str]] = {
        b"": (400, UNREADABLE),
        b"{": (400, UNREADABLE),
        b"null": (422, INVALID),
        b"[]": (422, INVALID),
        b"{}": (422, INVALID),
        b'{"scans": null}': (422, INVALID),
        b'{"scans": {}}': (422, INVALID),
        b'{"scans": [], "more": 1}': (422, INVALID),
        b'{"scans": [' + one: (400, UNREADABLE),
        b'{"scans": [' + one + b",": (400, UNREADABLE),
        joined(one, b""): (400, UNREADABLE),
        joined(one, b"", one): (400, UNREADABLE),
        joined(one) + joined(one): (400, UNREADABLE),
        joined(one, b'{"x": "\xff'): (400, UNREADABLE),
        DEEP.encode(): (422, INVALID),
        b'{"scans": ' + b"[" * 400_000 + b"]" * 400_000 + b"}": (400, UNREADABLE),
        joined(*[one] * 501): (422, "checkin.batch_too_long"),
        joined(*[b"0"] * 100_000): (422, "checkin.batch_too_long"),
        joined(b'"' + b"x" * 17 * 1024 * 1024 + b'"'): (413, "request.too_large"),
    }
    found = {body[:60]: said(await phone.upload_raw(body))[:2] for body in wholes}
    assert found == {body[:60]: expected for body, expected in wholes.items()}
    assert await stored(db) == set()


async def test_nothing_is_a_batch_too(phone: Phone) -> None:
    assert await phone.upload() == {"results": [], "stored": 0, "mark": None}


async def test_clocks_of_other_centuries_are_answered(phone: Phone, demo: Demo) -> None:
    answer = await phone.upload(
        scan(demo.badge(0), scanned_at="1970-01-01T00:00:00Z"),
        scan(demo.badge(1), scanned_at="2100-01-01T00:00:00Z"),
        scan(demo.badge(2), scanned_at="2200-12-31T23:59:59-14:00"),
        scan(demo.badge(3), scanned_at="1970-01-01T00:00:00+14:00", synced_at="2199-01-01T00:00:00Z"),
    )
    assert [(told(one), one["clock"]) for one in answer["results"]] == [
        ("admitted", "behind"),
        ("admitted", "ahead"),
        ("admitted", "ahead"),
        ("admitted", "behind"),
    ]


async def test_codes_of_any_kind_are_questions(phone: Phone, demo: Demo, stranger: Demo, db: Database) -> None:
    """Junk, another event's badge, and a NUL: answered, logged, and nobody is let in."""
    codes = [
        "?",
        "x" * 4296,
        "\0",
        "a\0b",
        stranger.badge(),
        "𝟘" * 100,
        "\u202e",
        "'; DROP TABLE scan; --",
        "🎫" * 4296,
    ]
    answer = await phone.upload(*(scan(code) for code in codes))
    assert [told(one) for one in answer["results"]] == ["unknown_code"] * len(codes)
    assert all(one["conflict"] and one["attendee"] is None for one in answer["results"]), "they were let in"
    assert len(await stored(db)) == len(codes)


async def test_an_id_twice_in_one_batch(phone: Phone, demo: Demo, db: Database) -> None:
    """The same scan twice is one scan; of two under one id the first to have happened stands, however often it is sent."""
    once = scan(demo.badge(0))
    other = {**once, "code": demo.badge(1)}
    for _ in range(2):
        answer = await phone.upload(once, once, other, scan(demo.badge(2), scan_id="z"))
        assert errors(answer) == [None, None, ("checkin.scan_id_reused", ""), None]
        assert answer["results"][0] == answer["results"][1]
        assert answer["stored"] == 3
    assert await stored(db) == {once["scan_id"], "z"}


async def test_an_id_is_a_phone_s_own(api: httpx.AsyncClient, demo: Demo) -> None:
    body = scan(demo.badge())
    phones = [phone_of(api, demo, "scan+search", number) for number in range(3)]
    answers = [await phone.upload(body) for phone in phones]
    assert [told(answer["results"][0]) for answer in answers] == ["admitted", "already_admitted", "already_admitted"]


async def test_numbers_say_up_to_where_all_is_stored(phone: Phone, settings: Settings, demo: Demo) -> None:
    async with running_api(settings) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        other = phone_of(client, demo, "scan")  # the same phone, whose requests another process answers
        codes = iter(demo.attendees)

        async def mark_after(asked: Phone, *numbers: int) -> int | None:
            answer = await asked.upload(*(scan(next(codes)["badge_code"], number=number) for number in numbers))
            marks = [(await each.get("mark"))["mark"] for each in (phone, other)]
            assert marks == [answer["mark"]] * 2
            mark: int | None = answer["mark"]
            return mark

        assert (await phone.get("mark"))["mark"] == 0
        assert await mark_after(phone, 2, 3) == 0, "1 is missing"
        assert await mark_after(other, 1) == 3
        assert await mark_after(phone, 6, 5, 5, 6) == 3
        assert await mark_after(other, 4, 4, 9) == 6
        assert await mark_after(phone, 2**31 - 1) == 6
        assert await mark_after(other, 8, 7) == 9
        assert (await phone.upload(scan(demo.badge())))["mark"] is None, "a batch without numbers"


async def test_a_scan_that_failed_holds_the_mark(phone: Phone, demo: Demo) -> None:
    answer = await phone.upload(
        scan(demo.badge(0), number=1), scan("x", number=2, list="nowhere"), scan(demo.badge(1), number=3)
    )
    assert answer["mark"] == 1
    assert (await phone.upload(scan("x", number=2)))["mark"] == 3


async def test_a_phone_that_hangs_up_and_sends_again_has_each_scan_once(
    phone: Phone, api: httpx.AsyncClient, demo: Demo, db: Database
) -> None:
    """Half the body, the whole body without waiting for the answer, and then all of it again."""
    scans = [scan(demo.badge(number), number=number + 1) for number in range(50)]
    body = json.dumps({"scans": scans}).encode()
    host, port = api.base_url.host, api.base_url.port
    head = f"POST {api.base_url.path}checkins/batch HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    head += f"Authorization: {phone.headers['Authorization']}\r\n\r\n"
    for sent in (body[: len(body) // 2], body):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head.encode() + sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    answer = await phone.upload(*scans)
    assert [told(one) for one in answer["results"]] == ["admitted"] * 50
    assert (answer["stored"], answer["mark"]) == (50, 50)
    assert await stored(db) == {one["scan_id"] for one in scans}
    assert await phone.upload(*scans) == answer


async def test_without_the_log_s_key_the_check_sees_scans_twice(phone: Phone, demo: Demo, db: Database) -> None:
    async with db.read() as connection:
        await connection.execute("ALTER TABLE scan DROP CONSTRAINT scan_pkey")
    body = {"scan_id": "x", "list": "main", "code": "nobody has it"}
    for _ in range(2):
        await phone.send(body)
    async with db.read() as connection:
        assert len(await connection.fetch(LIST_STORED)) == 2


async def test_most_scans_a_batch_takes(phone: Phone, demo: Demo, db: Database) -> None:
    now = datetime.now(UTC)
    moments = [(now - timedelta(seconds=500 - number)).isoformat() for number in range(500)]
    scans = [scan(demo.badge(number % 60), scanned_at=at) for number, at in enumerate(moments)]
    answer = await phone.upload(*scans)
    assert (answer["stored"], len(await stored(db))) == (500, 500)
    assert [told(one) for one in answer["results"]].count("admitted") == 60


@pytest.mark.timeout(180)
async def test_any_mixture_stores_exactly_the_good_ones(phone: Phone, demo: Demo, db: Database) -> None:
    codes = st.sampled_from([demo.badge(number) for number in range(8)] + ["?", "\0", "🎫"])
    bad = st.sampled_from(sorted(BAD))
    good = st.builds(scan, codes, direction=st.sampled_from(["entry", "exit"]))
    loop = asyncio.get_running_loop()

    @hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(good | bad, max_size=20))
    def check(items: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(mixture_is_sorted_out(phone, db, items), loop).result(60)

    await asyncio.to_thread(check)


async def mixture_is_sorted_out(phone: Phone, db: Database, items: list[Any]) -> None:
    before = await stored(db)
    raws = [BAD[item][0] if isinstance(item, str) else json.dumps(item).encode() for item in items]
    answer = (await phone.upload_raw(joined(*raws))).json()
    assert errors(answer) == [BAD[item][1] if isinstance(item, str) else None for item in items]
    good = {item["scan_id"] for item in items if not isinstance(item, str)}
    assert await stored(db) - before == good - before
    assert answer["stored"] == sum(not isinstance(item, str) for item in items)


async def test_a_scan_that_the_database_refuses_costs_no_other(phone: Phone, demo: Demo, db: Database) -> None:
    async with db.read() as connection:
        await connection.execute("ALTER TABLE scan ADD CONSTRAINT scan_poison CHECK (code <> 'POISON')")
    answer = await phone.upload(scan(demo.badge(0)), scan("POISON"), scan(demo.badge(1)))
    found = [result.get("error", {}).get("code") for result in answer["results"]]
    assert (found, answer["stored"]) == ([None, "checkin.not_recorded", None], 2)
