"""Each subject of the programme is added, read, changed and removed over HTTP, and what is wrong is refused by name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.db import Database
from server.schedule.commands import LAST_NUMBER
from tests.conftest import Demo
from tests.phones import organizer_of, said
from tests.schedule.applying import Document, apply_all
from tests.schedule.office import LATER, MORNING, NAME, NEW, NOBODY, NOON, NOUNS, Office
from tests.schedule.organizers import read_events

ANOTHER = {"en": "Another"}
CHANGES: dict[str, dict[str, Any]] = {
    "days": {"ends_at": None, "name": {}},
    "rooms": {"name": ANOTHER, "capacity": None, "floor": None, "position": 0},
    "tracks": {"color": None, "description": {}},
    "kinds": {"name": ANOTHER, "position": 7},
    "speakers": {"tagline": ANOTHER, "photo_url": "https://example.org/a.jpg", "links": []},
    "sessions": {
        "subtitle": ANOTHER,
        "abstract": ANOTHER,
        "description": ANOTHER,
        "languages": ["ar", "fr"],
        "service": True,
        "url": "https://example.org/talk",
        "logo_url": "https://example.org/logo.png",
        "links": [{"url": "https://example.org/slides.pdf", "title": {}, "kind": "file"}],
        "do_not_record": True,
        "ends_at": LATER,
    },
}


@pytest.fixture
def office(api: httpx.AsyncClient, demo: Demo) -> Office:
    return Office(api, demo)


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_thing_s_life(office: Office, noun: str) -> None:
    before = await office.programme()
    created = await office.ask("POST", f"/{noun}", NEW[noun])
    assert created.status_code == 201
    thing, path = created.json(), f"/{noun}/{created.json()['id']}"
    assert NEW[noun].items() <= thing.items()
    read = await office.ask("GET", f"{path}?lang=*")
    assert (read.json(), read.headers["etag"]) == (thing, created.headers["etag"])

    changed = await office.ask("PATCH", path, CHANGES[noun], if_match=read.headers["etag"])
    assert changed.status_code == 200
    assert CHANGES[noun].items() <= changed.json().items()
    left = thing.keys() - CHANGES[noun].keys() - {"language"}
    assert all(changed.json()[field] == thing[field] for field in left), "what is left out stays"
    assert changed.headers["etag"] != read.headers["etag"]
    again = await office.ask("PATCH", path, CHANGES[noun])
    assert (again.json(), again.headers["etag"]) == (changed.json(), changed.headers["etag"])

    shown = next(one for one in (await office.programme())[noun] if one["id"] == thing["id"])
    assert shown.items() <= (changed.json() | {"session_ids": []}).items()
    gone = await office.ask("DELETE", path, if_match=changed.headers["etag"])
    assert (gone.status_code, gone.content) == (204, b"")
    missing = "schedule.unknown_session" if noun == "sessions" else f"schedule.no_such_{noun.removesuffix('s')}"
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert await office.refused(method, path, body) == (404, missing)

    after = await office.programme()
    assert after["version"] == before["version"] + 3, "nothing that changes nothing is a version"
    assert after == before | {"version": after["version"], "updated_at": after["updated_at"], "feed": after["feed"]}
    events = await read_events(office.api, before)
    subject = noun.removesuffix("s")
    assert [event["kind"] for event in events] == [f"{subject}.{what}" for what in ("added", "changed", "removed")]
    assert apply_all(before, events) == after


async def test_new_things_come_last_unless_a_place_is_given(office: Office) -> None:
    for noun in ("rooms", "tracks", "kinds"):
        there = (await office.programme())[noun]
        last = await office.add(noun)
        assert last["position"] > max(one["position"] for one in there)
        first = await office.add(noun, position=0)
        assert first["position"] == 0
        ids = [one["id"] for one in (await office.programme())[noun]]
        assert ids[-1] == last["id"]
        assert ids.index(first["id"]) <= 1


async def test_numbers(office: Office, db: Database) -> None:
    """Each session has its own; one that is not given is the next, and behind the last possible one the gaps."""

    async def number_of(session: Document) -> int:
        async with db.read() as connection:
            return int(await connection.fetchval("SELECT number FROM session WHERE session_id = $1", session["id"]))

    one = await office.add("sessions")
    two = await office.add("sessions")
    assert await number_of(two) == await number_of(one) + 1
    taken = {"number": await number_of(one)}
    assert await office.refused("PATCH", f"/sessions/{two['id']}", taken) == (409, "schedule.number_taken")
    assert await office.refused("POST", "/sessions", NEW["sessions"] | taken) == (409, "schedule.number_taken")
    await office.change("sessions", two, number=LAST_NUMBER)
    assert await number_of(await office.add("sessions")) == await number_of(one) + 1
    assert await office.refused("POST", "/sessions", NEW["sessions"] | {"number": LAST_NUMBER + 1}) == (
        422,
        "request.invalid",
    )


async def test_one_day_is_one(office: Office) -> None:
    await office.add("days")
    other = await office.add("days", date="2026-12-26")
    assert await office.refused("POST", "/days", NEW["days"]) == (409, "schedule.day_is_there")
    moved = {"date": "2026-12-25"}
    assert await office.refused("PATCH", f"/days/{other['id']}", moved) == (409, "schedule.day_is_there")


async def test_what_is_in_use_stays(office: Office) -> None:
    used = {noun: await office.add(noun) for noun in ("rooms", "tracks", "kinds", "speakers")}
    fields = {f"{noun.removesuffix('s')}_id": used[noun]["id"] for noun in ("rooms", "tracks", "kinds")}
    talk = await office.add("sessions", **fields, speaker_ids=[used["speakers"]["id"]])
    version = (await office.programme())["version"]
    for noun, thing in used.items():
        assert await office.refused("DELETE", f"/{noun}/{thing['id']}") == (409, "schedule.still_in_use"), noun
    assert (await office.programme())["version"] == version
    await office.remove("sessions", talk)

    organizer = organizer_of(office.api, office.demo)
    await organizer.add_list("their-room", kind="room", room_id=used["rooms"]["id"])
    await office.fine("PATCH", f"/attendees/{office.demo.attendees[0]['id']}", {"speaker_id": used["speakers"]["id"]})
    for noun in ("rooms", "speakers"):
        assert await office.refused("DELETE", f"/{noun}/{used[noun]['id']}") == (409, "schedule.still_in_use"), noun
    await office.fine("PATCH", f"/attendees/{office.demo.attendees[0]['id']}", {"speaker_id": None})
    await office.remove("speakers", used["speakers"])
    await office.remove("kinds", used["kinds"])


async def test_a_track_stays_until_what_is_announced_to_it_is_out(office: Office) -> None:
    track = await office.add("tracks")
    coming = {"title": NAME, "audience": f"track:{track['id']}", "publish_at": "2050-01-01T00:00:00Z"}
    announced = await office.fine("POST", "/announcements", coming, 201)
    assert await office.refused("DELETE", f"/tracks/{track['id']}") == (409, "schedule.still_in_use")
    await office.fine("DELETE", f"/announcements/{announced['id']}", None, 204)
    await office.remove("tracks", track)


LONG = "é" * 10_000
EVIL = [{"url": "javascript:alert(1)"}]
BAD_EVERYWHERE = [{"nonsense": 1}, {"id": NOBODY}, {"revision": 3}, {"key": "x"}, {"extra": {}}]
BAD: dict[str, list[tuple[dict[str, Any], str]]] = {
    "days": [
        ({"date": "2026-13-01"}, "date"),
        ({"date": "9999-12-31"}, "date"),
        ({"date": "0001-01-01"}, "date"),
        ({"starts_at": LATER, "ends_at": MORNING}, "ends_at"),
        ({"starts_at": MORNING, "ends_at": MORNING}, "ends_at"),
        ({"starts_at": "2026-12-25T09:00:00"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:00:00Z"}, "ends_at"),
        ({"name": {"fr": LONG}}, "name[...]"),
    ],
    "rooms": [
        ({"name": {}}, "name"),
        ({"name": {"fr": " "}}, "name[...]"),
        ({"name": {"FRENCH": "x"}}, "name"),
        ({"name": {"fr": "a\x00b"}}, "name[...]"),
        ({"name": {"fr": LONG}}, "name[...]"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 2**40}, "capacity"),
        ({"capacity": "40"}, "capacity"),
        ({"position": -1}, "position"),
        ({"position": 2**31}, "position"),
        ({"floor": "a\x00"}, "floor"),
    ],
    "tracks": [
        ({"color": "red"}, "color"),
        ({"color": "#12345g"}, "color"),
        ({"color": "#123456\n"}, "color"),
        ({"name": None}, "name"),
    ],
    "kinds": [({"name": "Keynote"}, "name"), ({"position": 1.5}, "position")],
    "speakers": [
        ({"photo_url": "javascript:alert(1)"}, "photo_url"),
        ({"photo_url": "https://"}, "photo_url"),
        ({"photo_url": "https://example.org/" + "a" * 2000}, "photo_url"),
        ({"links": EVIL}, "links[0].url"),
        ({"links": [{"url": "https://example.org", "kind": "virus"}]}, "links[0].kind"),
        ({"links": [{"url": "https://example.org"}] * 21}, "links"),
        ({"bio": {"fr": "x" * 20_001}}, "bio[...]"),
    ],
    "sessions": [
        ({"starts_at": NOON, "ends_at": MORNING}, "ends_at"),
        ({"starts_at": NOON, "ends_at": NOON}, "ends_at"),
        ({"starts_at": "9999-12-31T23:59:59-12:00", "ends_at": "9999-12-31T23:59:59-13:00"}, "starts_at"),
        ({"starts_at": "1969-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "yesterday"}, "starts_at"),
        ({"starts_at": "2026-12-25T09:00:00"}, "starts_at"),
        ({"title": {"fr": LONG}}, "title[...]"),
        ({"title": {}}, "title"),
        ({"speaker_ids": [NOBODY] * 51}, "speaker_ids"),
        ({"speaker_ids": [NOBODY, NOBODY]}, "speaker_ids"),
        ({"speaker_ids": ["somebody"]}, "speaker_ids[0]"),
        ({"roles": {NOBODY: "moderator"}}, "roles"),
        ({"roles": {NOBODY: "Moderator!"}}, "roles[...]"),
        ({"room_id": "Room 1"}, "room_id"),
        ({"status": "postponed"}, "status"),
        ({"languages": ["french"]}, "languages[0]"),
        ({"languages": ["fr"] * 11}, "languages"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://exa\x00mple.org"}, "url"),
        ({"logo_url": "data:text/html,x"}, "logo_url"),
        ({"links": EVIL}, "links[0].url"),
        ({"license": "a\x00"}, "license"),
        ({"license": "x" * 301}, "license"),
        ({"number": 0}, "number"),
        ({"service": "true"}, "service"),
    ],
}
UNKNOWN = [
    ({"room_id": NOBODY}, "schedule.unknown_room"),
    ({"track_id": NOBODY}, "schedule.unknown_track"),
    ({"kind_id": NOBODY}, "schedule.unknown_kind"),
    ({"speaker_ids": [NOBODY]}, "schedule.unknown_speaker"),
]


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_wrong_is_refused_where_it_is_wrong(office: Office, noun: str) -> None:
    """At once and in the draft, of a new thing and of one that is there."""
    thing = await office.add(noun)
    before = await office.programme()
    wrong = [*BAD[noun], *((fields, None) for fields in BAD_EVERYWHERE)]
    for fields, field in wrong:
        for path in (noun, f"draft/{noun}"):
            for method, target, body in (
                ("POST", f"/{path}", NEW[noun] | fields),
                ("PATCH", f"/{path}/{thing['id']}", fields),
            ):
                answer = said(await office.ask(method, target, body))
                assert answer[:2] == (422, "request.invalid"), (method, target, fields)
                assert field is None or answer[2] == field, (method, target, fields)
    for body in (b"", b"[]", b"{", b"\xff", b'{"name": "\\ud800"}', b"[" * 100_000):
        headers = {"Authorization": f"Bearer {office.token}"}
        response = await office.api.post(f"/{noun}", content=body, headers=headers)
        assert response.status_code in (400, 422), body[:20]
    assert await office.programme() == before
    assert (await office.draft())["changes"] == []


async def test_what_a_session_names_must_be_there(office: Office) -> None:
    thing = await office.add("sessions")
    before = await office.programme()
    for fields, code in UNKNOWN:
        for path in ("sessions", "draft/sessions"):
            assert await office.refused("POST", f"/{path}", NEW["sessions"] | fields) == (422, code)
            assert await office.refused("PATCH", f"/{path}/{thing['id']}", fields) == (422, code)
    assert await office.programme() == before
    assert (await office.draft())["changes"] == []


async def test_who_may(office: Office, stranger: Demo) -> None:
    """Only this event's organizers; and nothing of one event is reachable through another."""
    things = {noun: await office.add(noun) for noun in NOUNS}
    before = await office.programme()
    tokens = [office.demo.device(), office.demo.attendees[0]["token"], office.demo.file.exhibitors[0].token]
    for noun, thing in things.items():
        path = f"/{noun}/{thing['id']}"
        asked = [("POST", f"/{noun}", NEW[noun]), ("PATCH", path, {}), ("DELETE", path, None)]
        asked += [(method, f"/draft{where}", body) for method, where, body in asked]
        for method, where, body in [*asked, ("GET", "/draft", None), ("POST", "/draft/release", None)]:
            assert (await office.api.request(method, where, json=body)).status_code == 401
            for token in tokens:
                assert await office.refused(method, where, body, token=token) == (403, "auth.forbidden")
            foreign = await office.refused(method, where, body, token=stranger.file.organizer_token)
            assert foreign[0] in (401, 403, 404)
    assert await office.programme() == before

    there = Office(
        httpx.AsyncClient(base_url=str(office.api.base_url).replace("digital-now", stranger.file.event)), stranger
    )
    async with there.api:
        was = await there.programme()
        for noun, thing in things.items():
            for path in (f"/{noun}/{thing['id']}", f"/draft/{noun}/{thing['id']}"):
                for method, body in (("PATCH", {}), ("DELETE", None)):
                    assert (await there.refused(method, path, body))[0] == 404
            assert (await there.refused("GET", f"/{noun}/{thing['id']}"))[0] == 404
        ours = {"room_id": things["rooms"]["id"]}
        assert await there.refused("POST", "/sessions", NEW["sessions"] | ours) == (422, "schedule.unknown_room")
        assert await there.programme() == was


async def test_whoever_leaves_a_session_has_no_role_there(office: Office) -> None:
    one, two = await office.add("speakers"), await office.add("speakers")
    roles = {one["id"]: "moderator", two["id"]: "speaker"}
    talk = await office.add("sessions", speaker_ids=[one["id"], two["id"]], roles=roles)
    assert talk["roles"] == {one["id"]: "moderator"}, "a speaker is simply that"
    left = await office.change("sessions", talk, speaker_ids=[two["id"]])
    assert left["roles"] == {}
