"""What an organizer changes of the programme, whom it is told, and who may."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from server.db import Database
from server.schedule import actions, queries
from tests.conftest import Demo, bearer
from tests.phones import said
from tests.schedule.applying import Document
from tests.schedule.organizers import read_programme
from tests.schedule.told import plain

NOBODY = "01a209a3-6ba6-7377-89b9-1816486e0451"


class Desk:
    """An organizer at work, and the people whom they know."""

    def __init__(self, api: httpx.AsyncClient, demo: Demo) -> None:
        self.api = api
        self.demo = demo
        self.headers = bearer(demo.file.organizer_token)

    async def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
        headers = self.headers if token is None else bearer(token)
        return await self.api.request(method, path, json=body, headers=headers)

    async def change(self, session: Document, **fields: Any) -> Document:
        answer = await self.ask("PATCH", f"/sessions/{session['id']}", fields)
        assert answer.status_code == 200, answer.text
        changed: Document = answer.json()
        return changed

    async def add(self, **fields: Any) -> Document:
        answer = await self.ask("POST", "/speakers", fields)
        assert answer.status_code == 201, answer.text
        added: Document = answer.json()
        return added

    async def is_speaker(self, attendee: dict[str, str], speaker_id: str | None) -> None:
        answer = await self.ask("PATCH", f"/attendees/{attendee['id']}", {"speaker_id": speaker_id})
        assert answer.status_code == 200, answer.text

    async def heard(self, channel: str, token: str | None = None) -> list[Document]:
        events: list[Document] = (await self.ask("GET", f"/feed/{channel}", token=token)).json()["events"]
        return events


@pytest.fixture
def desk(api: httpx.AsyncClient, demo: Demo) -> Desk:
    return Desk(api, demo)


@pytest.fixture
async def talk(api: httpx.AsyncClient) -> Document:
    """A session with a speaker."""
    programme = await read_programme(api)
    return next(session for session in programme["sessions"] if len(session["speaker_ids"]) == 1)


async def test_somebody_joins_late_and_speaks(desk: Desk, talk: Document) -> None:
    before = await read_programme(desk.api)
    name = {"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}
    added = await desk.add(name=name, bio={"en": "Writes."})
    said_of_nobody = {"organisation": {}, "tagline": {}, "photo_url": None, "links": []}
    assert added == {"id": added["id"], "name": name, "bio": {"en": "Writes."}, **said_of_nobody}
    first = talk["speaker_ids"][0]
    changed = await desk.change(talk, speaker_ids=[added["id"], first])
    assert changed["speaker_ids"] == [added["id"], first], "in the order in which they are given"

    after = await read_programme(desk.api)
    assert after["speakers"] == [*before["speakers"], added], "whoever joins late comes last"
    assert after["version"] == before["version"] + 2
    joined, spoke = await desk.heard("schedule")
    assert (joined["kind"], joined["data"]["speaker"]) == ("speaker.added", added)
    assert spoke["data"]["kinds"] == ["speakers"]
    old = next(one for one in before["speakers"] if one["id"] == first)
    assert spoke["data"]["speakers"] == [added, old]
    assert spoke["data"]["changed"] == {
        "speaker_ids": {
            "old": [first],
            "new": [added["id"], first],
            "old_names": [old["name"]],
            "new_names": [name, old["name"]],
        }
    }
    title = talk["title"]
    assert plain(spoke["data"]["sentence"]["fr"]) == f"La session «~[{title['fr']}]~» accueille aussi [Salma Idrissi]."
    assert plain(spoke["data"]["sentence"]["ar"]) == f"جلسة «[{title['ar']}]» تُعقد بمشاركة [سلمى الإدريسي] أيضا."


async def test_a_speaker_is_changed(desk: Desk, talk: Document) -> None:
    before = await read_programme(desk.api)
    one = before["speakers"][0]
    path = f"/speakers/{one['id']}"
    answer = await desk.ask("PATCH", path, {"organisation": {"fr": "Ailleurs"}})
    assert answer.json() == one | {"organisation": {"fr": "Ailleurs"}}
    assert (await desk.ask("PATCH", path, {"organisation": {"fr": "Ailleurs"}})).json() == answer.json()
    assert (await desk.ask("PATCH", path, {})).json() == answer.json()

    told = await desk.heard("schedule")
    assert [event["kind"] for event in told] == ["speaker.changed"], "what changes nothing is not told"
    assert told[0]["data"]["speaker"] == answer.json()
    assert told[0]["data"]["changed"] == {"organisation": {"old": one["organisation"], "new": {"fr": "Ailleurs"}}}
    after = await read_programme(desk.api)
    assert (after["version"], after["updated_at"]) == (told[0]["data"]["version"], told[0]["data"]["updated_at"])
    assert after["speakers"] == [answer.json(), *before["speakers"][1:]]


async def test_kind_and_link(desk: Desk, talk: Document) -> None:
    kinds = [kind["id"] for kind in (await read_programme(desk.api))["kinds"]]
    other = next(kind for kind in kinds if kind != talk["kind_id"])
    changed = await desk.change(talk, kind_id=other, url="https://example.org/x?y=1#z")
    assert (changed["kind_id"], changed["url"]) == (other, "https://example.org/x?y=1#z")
    assert (await desk.change(talk, url=None, kind_id=None))["url"] is None
    events = await desk.heard("schedule")
    assert [event["data"]["kinds"] for event in events] == [["details"], ["details"]]


async def test_those_whom_it_concerns_hear_it_themselves(desk: Desk, talk: Document) -> None:
    """Who speaks there, and who did until now; the same data as everybody hears, and nobody else on their own channel."""
    old, new, neighbour = desk.demo.attendees[:3]
    added = await desk.add(name={"en": "Salma Idrissi"})
    await desk.is_speaker(old, talk["speaker_ids"][0])
    await desk.is_speaker(new, added["id"])
    await desk.change(talk, status="delayed")
    await desk.change(talk, speaker_ids=[added["id"]])
    await desk.change(talk, status="cancelled")
    delayed, replaced, cancelled = (
        event["data"] for event in await desk.heard("schedule") if event["kind"] == "session.changed"
    )
    for attendee, expected in ((old, [delayed, replaced]), (new, [replaced, cancelled]), (neighbour, [])):
        own = [
            event["data"] for event in await desk.heard("me", attendee["token"]) if event["kind"] == "session.changed"
        ]
        assert own == expected
    assert await desk.heard("me") == [], "an organizer's own"


async def test_of_many_changes_everybody_hears_their_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one release: whoever speaks in two of the sessions hears of both, and all are looked for at once."""
    asked: list[int] = []
    list_concerned = queries.list_concerned

    async def count(tx: Any, event_id: Any, *, speakers: Any) -> Any:
        asked.append(len(speakers))
        return await list_concerned(tx, event_id, speakers=speakers)

    programme = await read_programme(desk.api)
    alone = {one["speaker_ids"][0]: one for one in programme["sessions"] if len(one["speaker_ids"]) == 1}
    (one, first), (other, second) = list(alone.items())[:2]
    for attendee, speaker_id in zip(desk.demo.attendees, (one, other), strict=False):
        await desk.is_speaker(attendee, speaker_id)
    for session, speakers in ((first, [one]), (second, [one, other])):
        answer = await desk.ask(
            "PATCH", f"/draft/sessions/{session['id']}", {"speaker_ids": speakers, "license": "CC0"}
        )
        assert answer.status_code == 200, answer.text
    monkeypatch.setattr(queries, "list_concerned", count)
    assert (await desk.ask("POST", "/draft/release")).status_code == 201
    assert len(asked) == 1
    for attendee, expected in zip(desk.demo.attendees, ([first, second], [second], []), strict=False):
        heard = [event for event in await desk.heard("me", attendee["token"]) if event["kind"] == "session.changed"]
        assert {event["data"]["session"]["id"] for event in heard} == {session["id"] for session in expected}
        assert len(heard) == len(expected)


async def test_a_change_and_all_who_hear_of_it_are_one(
    desk: Desk, talk: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last of them cannot be told, nothing has happened."""

    async def fail(*_arguments: Any, **_more: Any) -> None:
        raise RuntimeError

    before = await read_programme(desk.api)
    with monkeypatch.context() as broken:
        broken.setattr(actions, "emit_to_each", fail)
        answer = await desk.ask("PATCH", f"/sessions/{talk['id']}", {"speaker_ids": [], "status": "cancelled"})
        assert answer.status_code == 500
    assert await read_programme(desk.api) == before
    assert await desk.heard("schedule") == []


async def change_at_once(desk: Desk, talk: Document, organizers: int) -> None:
    """Each gives the session other speakers; fails where a change is not told against the one before it."""
    speakers = [speaker["id"] for speaker in (await read_programme(desk.api))["speakers"]]
    await asyncio.gather(*(desk.change(talk, speaker_ids=speakers[n : n + 3]) for n in range(5, 5 + organizers)))
    held = talk["speaker_ids"]
    for event in await desk.heard("schedule"):
        change = event["data"]["changed"]["speaker_ids"]
        assert change["old"] == held
        held = change["new"]
    now = await read_programme(desk.api)
    assert next(one for one in now["sessions"] if one["id"] == talk["id"])["speaker_ids"] == held


async def test_organizers_who_change_one_session_at_once(desk: Desk, talk: Document) -> None:
    await change_at_once(desk, talk, 8)


async def test_a_change_that_locks_nothing_is_caught(
    desk: Desk, talk: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two organizers read the same session, and both tell what it was before the other's change."""
    get_thing, both_have_read = actions.get_thing, asyncio.Barrier(2)

    async def lock_nothing(*_arguments: Any) -> None:
        return None

    async def read_together(*arguments: Any) -> Any:
        session = await get_thing(*arguments)
        await both_have_read.wait()
        return session

    monkeypatch.setattr(queries, "lock_version", lock_nothing)
    monkeypatch.setattr(actions, "get_thing", read_together)
    with pytest.raises(AssertionError):
        await change_at_once(desk, talk, 2)


WRONG_CHANGES: list[tuple[Any, int, str, str]] = [
    ({"speaker_ids": [NOBODY]}, 422, "schedule.unknown_speaker", ""),
    ({"speaker_ids": [NOBODY, NOBODY]}, 422, "request.invalid", "speaker_ids"),
    (
        {"speaker_ids": [f"00000000-0000-7000-8000-0000000000{n}" for n in range(10, 61)]},
        422,
        "request.invalid",
        "speaker_ids",
    ),
    ({"speaker_ids": None}, 422, "request.invalid", "speaker_ids"),
    ({"speaker_ids": ["x"]}, 422, "request.invalid", "speaker_ids[0]"),
    ({"kind_id": NOBODY}, 422, "schedule.unknown_kind", ""),
    ({"kind": "Keynote"}, 422, "request.invalid", ""),
    ({"license": "a\x00"}, 422, "request.invalid", "license"),
    ({"url": "javascript:alert(1)"}, 422, "request.invalid", "url"),
    ({"url": "//example.org"}, 422, "request.invalid", "url"),
    ({"url": "https://"}, 422, "request.invalid", "url"),
    ({"url": "https:///path"}, 422, "request.invalid", "url"),
    ({"url": "https://example.org/a b"}, 422, "request.invalid", "url"),
    ({"url": "https://example.org/\n"}, 422, "request.invalid", "url"),
    ({"url": "https://example.org/" + "x" * 2000}, 422, "request.invalid", "url"),
    ({"url": ""}, 422, "request.invalid", "url"),
    ({"speakers": []}, 422, "request.invalid", ""),
    ([], 422, "request.invalid", ""),
]

WRONG_SPEAKERS: list[tuple[Any, str]] = [
    ({}, ""),
    ({"name": {}}, "name"),
    ({"name": None}, "name"),
    ({"name": "Salma"}, "name"),
    ({"name": {"fr": " "}}, "name[...]"),
    ({"name": {"fr": "x" * 301}}, "name[...]"),
    ({"name": {"français": "x"}}, "name"),
    ({"name": {"fr": "x"}, "bio": {"fr": "\x00"}}, "bio[...]"),
    ({"name": {"fr": "x"}, "organisation": {"fr": ""}}, "organisation[...]"),
    ({"name": {"fr": "x"}, "key": "x"}, ""),
    ({"name": {"fr": "x"}, "id": NOBODY}, ""),
]


async def test_a_wrong_change_changes_nothing(desk: Desk, talk: Document) -> None:
    before = await read_programme(desk.api)
    for body, status, code, field in WRONG_CHANGES:
        assert said(await desk.ask("PATCH", f"/sessions/{talk['id']}", body)) == (status, code, field), body
    speaker = f"/speakers/{before['speakers'][0]['id']}"
    for body, field in WRONG_SPEAKERS:
        assert said(await desk.ask("POST", "/speakers", body)) == (422, "request.invalid", field), body
        if body:  # nothing is no error of a change
            assert said(await desk.ask("PATCH", speaker, body)) == (422, "request.invalid", field), body
    assert said(await desk.ask("PATCH", f"/speakers/{NOBODY}", {})) == (404, "schedule.no_such_speaker", "")
    assert await read_programme(desk.api) == before
    assert await desk.heard("schedule") == []


async def test_only_organizers_change_the_programme(desk: Desk, talk: Document) -> None:
    speaker = f"/speakers/{talk['speaker_ids'][0]}"
    asked = (("POST", "/speakers", {"name": {"fr": "x"}}), ("PATCH", speaker, {"name": {"fr": "x"}}))
    for method, path, body in asked:
        assert (await desk.api.request(method, path, json=body)).status_code == 401
        for token in (desk.demo.device(), desk.demo.attendees[0]["token"], desk.demo.file.exhibitors[0].token):
            assert said(await desk.ask(method, path, body, token))[:2] == (403, "auth.forbidden")
    assert await desk.heard("schedule") == []


async def test_another_events_things_are_unknown(desk: Desk, talk: Document, stranger: Demo, db: Database) -> None:
    base = str(desk.api.base_url).rstrip("/")
    async with httpx.AsyncClient(base_url=base.replace("digital-now", "other-event")) as elsewhere:
        foreign = await read_programme(elsewhere)
        token = stranger.file.organizer_token
        session, speaker = foreign["sessions"][0]["id"], foreign["speakers"][0]["id"]
        cancel, rename = {"status": "cancelled"}, {"name": {"fr": "x"}}
        assert said(await desk.ask("PATCH", f"/sessions/{session}", cancel))[:2] == (404, "schedule.unknown_session")
        assert said(await desk.ask("PATCH", f"/speakers/{speaker}", rename))[:2] == (404, "schedule.no_such_speaker")
        named = await desk.ask("PATCH", f"/sessions/{talk['id']}", {"speaker_ids": [speaker]})
        assert said(named)[:2] == (422, "schedule.unknown_speaker")
        for method, path, body in (("POST", "/speakers", rename), ("PATCH", f"/sessions/{talk['id']}", cancel)):
            assert (await desk.ask(method, path, body, token)).status_code == 401
        assert await read_programme(elsewhere) == foreign
    assert await desk.heard("schedule") == []


async def test_an_event_that_has_no_programme_yet_begins_one(desk: Desk, db: Database) -> None:
    async with db.tx() as tx:
        for table in ("session", "speaker", "schedule", "schedule_version", "schedule_history"):
            await tx.execute(f"DELETE FROM {table}")  # noqa: S608 - a table's name cannot be a parameter
    await desk.add(name={"fr": "Salma Idrissi"})
    assert [event["data"]["version"] for event in await desk.heard("schedule")] == [1]
    assert len((await read_programme(desk.api))["speakers"]) == 1
