"""A day at the door, over real HTTP."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx

from tests.conftest import Demo, bearer


def scan(code: str, **more: object) -> dict[str, Any]:
    return {"scan_id": str(uuid.uuid4()), "list": "main", "code": code, **more}


async def ask(api: httpx.AsyncClient, token: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await api.post("/checkins", json=body, headers=bearer(token))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_badge_is_admitted_once_and_the_answer_says_where(api: httpx.AsyncClient, demo: Demo) -> None:
    first = await ask(api, demo.device(0), scan(demo.badge()))
    second = await ask(api, demo.device(1), scan(demo.badge()))

    assert first["outcome"] == "admitted"
    assert first["attendee"]["name"] == demo.attendees[0]["name"]
    assert second["outcome"] == "already_admitted"
    assert second["admission"] == first["admission"]
    assert second["admission"]["device"] == demo.file.devices[0].name
    assert second["admission"]["gate"] == demo.file.devices[0].gate


async def test_the_same_scan_gets_the_same_answer(api: httpx.AsyncClient, demo: Demo) -> None:
    body = scan(demo.badge(), scanned_at="2026-12-18T08:00:00+01:00")
    answers = [await ask(api, demo.device(), body) for _ in range(3)]
    assert answers[1:] == answers[:1] * 2


async def test_another_scan_under_the_same_id_is_refused(api: httpx.AsyncClient, demo: Demo) -> None:
    body = scan(demo.badge(0))
    await ask(api, demo.device(), body)
    response = await api.post("/checkins", json={**body, "code": demo.badge(1)}, headers=bearer(demo.device()))

    assert response.status_code == 422
    assert response.json()["code"] == "checkin.scan_id_reused"
    assert (await ask(api, demo.device(), scan(demo.badge(1))))["outcome"] == "admitted", (
        "nobody was let in by the refused one"
    )


async def test_devices_do_not_share_scan_ids(api: httpx.AsyncClient, demo: Demo) -> None:
    body = scan(demo.badge(0))
    await ask(api, demo.device(0), body)
    assert (await ask(api, demo.device(1), body))["outcome"] == "already_admitted"


async def test_a_thousand_scans_of_one_badge_admit_once(api: httpx.AsyncClient, demo: Demo) -> None:
    answers = await asyncio.gather(*(ask(api, demo.device(n % 20), scan(demo.badge())) for n in range(300)))
    outcomes = [answer["outcome"] for answer in answers]
    assert outcomes.count("admitted") == 1
    assert outcomes.count("already_admitted") == 299
    assert len({str(answer["admission"]["at"]) for answer in answers}) == 1


async def test_the_same_scan_sent_many_times_at_once_has_one_answer(api: httpx.AsyncClient, demo: Demo) -> None:
    body = scan(demo.badge())
    answers = await asyncio.gather(*(ask(api, demo.device(), body) for _ in range(100)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["outcome"] == "admitted"


async def test_leaving_and_coming_back(api: httpx.AsyncClient, demo: Demo) -> None:
    code, token = demo.badge(), demo.device()
    steps = [scan(code, direction=direction) for direction in ("exit", "entry", "entry", "exit", "exit", "entry")]
    answers = [await ask(api, token, step) for step in steps]

    assert [(answer["outcome"], answer["reason"]) for answer in answers] == [
        ("refused", "not_inside"),
        ("admitted", None),
        ("already_admitted", None),
        ("exited", None),
        ("refused", "not_inside"),
        ("admitted", None),
    ]
    assert [await ask(api, token, step) for step in steps] == answers, "each keeps its answer when asked again"


async def test_refusals_are_answers(api: httpx.AsyncClient, demo: Demo) -> None:
    visitor = next(line for line in demo.attendees if line["ticket"] == "visitor")
    unknown = await ask(api, demo.device(), scan("NOBODY"))
    wrong = await ask(api, demo.device(), scan(visitor["badge_code"], list="lounge"))

    assert (unknown["outcome"], unknown["reason"], unknown["attendee"]) == ("refused", "unknown_code", None)
    assert (wrong["outcome"], wrong["reason"]) == ("refused", "wrong_ticket")
    assert wrong["attendee"]["name"] == visitor["name"]


async def test_lists_are_independent(api: httpx.AsyncClient, demo: Demo) -> None:
    guest = next(line for line in demo.attendees if line["ticket"] in ("vip", "press", "speaker"))
    for name in ("main", "lounge"):
        assert (await ask(api, demo.device(), scan(guest["badge_code"], list=name)))["outcome"] == "admitted"


async def test_a_short_code_is_understood_as_people_type_it(api: httpx.AsyncClient, demo: Demo) -> None:
    short = demo.attendees[3]["short_code"]
    arabic_digits = short.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    typed = f"\u200f ]Q1{arabic_digits.lower()}\r\n".replace("]Q1", "")
    assert (await ask(api, demo.device(), scan(typed)))["attendee"]["name"] == demo.attendees[3]["name"]
