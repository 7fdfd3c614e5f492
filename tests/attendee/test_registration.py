"""What an organizer changes of a registration, and what the attendee's phone hears of it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec

from server.attendee.types import EVENTS
from server.badge.types import EVENTS as BADGE_EVENTS
from tests.conftest import Demo, bearer
from tests.phones import said
from tests.schedule.organizers import read_programme

NOBODY = "01a209a3-6ba6-7377-89b9-1816486e0451"


async def change(api: httpx.AsyncClient, demo: Demo, number: int, body: Any, token: str = "") -> httpx.Response:
    return await api.patch(
        f"/attendees/{demo.attendees[number]['id']}", json=body, headers=bearer(token or demo.file.organizer_token)
    )


async def heard(api: httpx.AsyncClient, token: str, channel: str = "me") -> list[tuple[str, dict[str, Any]]]:
    events = (await api.get(f"/feed/{channel}", headers=bearer(token))).json()["events"]
    return [(event["kind"], event["data"]) for event in events]


async def speakers(api: httpx.AsyncClient) -> list[str]:
    return [speaker["id"] for speaker in (await read_programme(api))["speakers"]]


async def test_an_attendee_becomes_a_speaker(api: httpx.AsyncClient, demo: Demo) -> None:
    first, second, *_ = await speakers(api)
    attendee = demo.attendees[0]
    answers = []
    for body in ({"speaker_id": first}, {"speaker_id": first}, {}, {"speaker_id": second}, {"speaker_id": None}):
        answer = await change(api, demo, 0, body)
        assert answer.status_code == 200
        answers.append(answer.json())
    assert [answer["speaker_id"] for answer in answers] == [first, first, first, second, None]
    told = await heard(api, attendee["token"])
    assert told == [("registration.changed", answers[number]) for number in (0, 3, 4)], "only what has changed"
    rights = await heard(api, demo.file.organizer_token, "checkin")
    assert [kind for kind, _ in rights] == ["attendee.rights_changed"] * 3, (
        "nothing to the doors, and all to the gateways"
    )
    assert len({data["since"] for _, data in rights}) == 3
    assert await heard(api, demo.attendees[1]["token"]) == []


async def test_a_cancellation_is_told_at_the_doors_and_to_its_person(api: httpx.AsyncClient, demo: Demo) -> None:
    attendee = demo.attendees[0]
    (speaker, *_) = await speakers(api)
    cancelled = (await change(api, demo, 0, {"cancelled": True, "speaker_id": speaker})).json()
    assert cancelled["cancelled_at"]
    changed = (await change(api, demo, 0, {"cancelled": True, "speaker_id": None})).json()
    assert changed == cancelled | {"speaker_id": None}, "cancelled since when it was"
    back = (await change(api, demo, 0, {"cancelled": False})).json()
    assert back == {"id": attendee["id"], "cancelled_at": None, "speaker_id": None}
    doors = await heard(api, demo.file.organizer_token, "checkin")
    rights = [data for kind, data in doors if kind == "attendee.rights_changed"]
    assert [data["subject_id"] for data in rights] == [attendee["id"]] * 2
    assert [(kind, data) for kind, data in doors if kind != "attendee.rights_changed"] == [
        ("attendee.cancelled", {"attendee_id": attendee["id"], "cancelled": True}),
        ("attendee.cancelled", {"attendee_id": attendee["id"], "cancelled": False}),
    ]
    told = await heard(api, attendee["token"])
    assert told == [("registration.changed", data) for data in (cancelled, changed, back)]
    for kind, data in [*doors, *told]:
        msgspec.convert(data, EVENTS[kind])


async def test_a_speaker_is_one_attendee(api: httpx.AsyncClient, demo: Demo) -> None:
    (speaker, *_) = await speakers(api)
    answers = await asyncio.gather(*(change(api, demo, number, {"speaker_id": speaker}) for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    taken = next(answer for answer in answers if answer.status_code == 409)
    assert taken.json()["code"] == "attendee.speaker_taken"
    told = [await heard(api, demo.attendees[number]["token"]) for number in range(6)]
    assert sorted(len(events) for events in told) == [0, 0, 0, 0, 0, 1], "whoever was refused has heard nothing"


WRONG_CHANGES: list[tuple[Any, int, str, str]] = [
    ({"speaker_id": NOBODY}, 422, "schedule.unknown_speaker", ""),
    ({"speaker_id": "x"}, 422, "request.invalid", "speaker_id"),
    ({"speaker_id": 5}, 422, "request.invalid", "speaker_id"),
    ({"cancelled": None}, 422, "request.invalid", "cancelled"),
    ({"cancelled": "yes"}, 422, "request.invalid", "cancelled"),
    ({"cancelled_at": None}, 422, "request.invalid", ""),
    ({"cancelled": True, "speaker_id": NOBODY}, 422, "schedule.unknown_speaker", ""),
    ([], 422, "request.invalid", ""),
]


async def test_a_wrong_change_changes_nothing(api: httpx.AsyncClient, demo: Demo) -> None:
    for body, status, code, field in WRONG_CHANGES:
        assert said(await change(api, demo, 0, body)) == (status, code, field), body
    nothing = {"id": demo.attendees[0]["id"], "cancelled_at": None, "speaker_id": None}
    assert (await change(api, demo, 0, {})).json() == nothing
    assert await heard(api, demo.attendees[0]["token"]) == []
    assert await heard(api, demo.file.organizer_token, "checkin") == []


async def test_only_an_organizer_of_the_event(api: httpx.AsyncClient, demo: Demo, stranger: Demo) -> None:
    (speaker, *_) = await speakers(api)
    for token in (demo.device(), demo.attendees[0]["token"], demo.file.exhibitors[0].token):
        assert said(await change(api, demo, 0, {"speaker_id": speaker}, token))[:2] == (403, "auth.forbidden")
    assert (await change(api, demo, 0, {"speaker_id": speaker}, stranger.file.organizer_token)).status_code == 401
    elsewhere = f"/attendees/{stranger.attendees[0]['id']}"
    answer = await api.patch(elsewhere, json={"cancelled": True}, headers=bearer(demo.file.organizer_token))
    assert said(answer)[:2] == (404, "attendee.unknown")
    base = str(api.base_url).rstrip("/").replace("digital-now", "other-event")
    async with httpx.AsyncClient(base_url=base) as other:
        (foreign, *_) = await speakers(other)
    assert said(await change(api, demo, 0, {"speaker_id": foreign}))[:2] == (422, "schedule.unknown_speaker")


async def test_a_new_badge_shows_on_its_owners_phone(api: httpx.AsyncClient, demo: Demo) -> None:
    attendee = demo.attendees[3]
    path = f"/attendees/{attendee['id']}/badge"
    issued = (await api.post(path, headers=bearer(demo.file.organizer_token))).json()
    told = await heard(api, attendee["token"])
    assert told == [("badge.changed", {"badge_code": issued["code"], "short_code": issued["short_code"]})]
    me = (await api.get("/me", headers=bearer(attendee["token"]))).json()
    assert (me["badge_code"], me["short_code"]) == (issued["code"], issued["short_code"])
    doors = await heard(api, demo.file.organizer_token, "checkin")
    for kind, data in [*told, *doors]:
        msgspec.convert(data, BADGE_EVENTS[kind])
