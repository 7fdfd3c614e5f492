"""The draft: what an organizer prepares is nobody's business until it is released, and then it is one version."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from server.db import Database
from server.schedule import draft_actions, history_queries, queries
from server.schedule.draft_merging import merge_draft
from server.schedule.rows import DraftRow, Edit, RoomRow, SessionRow, State, stored
from server.schedule.types import EVENTS
from tests.conftest import Demo
from tests.phones import said
from tests.schedule.applying import Document, apply_all
from tests.schedule.office import LATER, NAME, NEW, NOON, NOUNS, Office
from tests.schedule.organizers import read_events
from tests.waiting import until_answered

DISAGREES, DANGLES, NOTHING = "schedule.draft_disagrees", "schedule.draft_dangles", "schedule.nothing_drafted"
WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


@pytest.fixture
def office(api: httpx.AsyncClient, demo: Demo) -> Office:
    return Office(api, demo)


def shown(programme: Document, noun: str, thing: Document) -> Document | None:
    return next((one for one in programme[noun] if one["id"] == thing["id"]), None)


async def test_nobody_hears_of_a_draft_before_it_is_released(office: Office) -> None:
    talk = await office.add("sessions", title={"en": "Sardines"})
    before = await office.programme()
    drafted = {noun: await office.add(f"draft/{noun}") for noun in NOUNS if noun != "days"}
    await office.change("draft/sessions", talk, room_id=drafted["rooms"]["id"], title={"en": "Anchovies"})
    await office.change("draft/sessions", talk, speaker_ids=[drafted["speakers"]["id"]])
    await office.remove("draft/sessions", drafted["sessions"])

    assert await office.programme() == before
    assert await office.heard_since(before) == []
    assert (await office.api.get(f"/rooms/{drafted['rooms']['id']}")).status_code == 404
    assert (await office.api.get(f"/sessions/{talk['id']}?lang=en")).json()["title"] == "Sardines"
    assert len((await office.fine("GET", "/schedule/versions"))["versions"]) == before["version"]

    draft = await office.draft()
    assert (draft["disagreements"], draft["clashes"], draft["dangling"]) == ([], [], [])
    changes = {change["id"]: change for change in draft["changes"]}
    assert changes.keys() == {talk["id"], *(drafted[noun]["id"] for noun in ("rooms", "tracks", "kinds", "speakers"))}
    change = changes[talk["id"]]
    assert change["kinds"] == ["moved", "speakers", "renamed"]
    assert change["changed"]["title"] == {"old": {"en": "Sardines"}, "new": {"en": "Anchovies"}}
    assert change["session"]["room_id"] == drafted["rooms"]["id"]
    assert "Anchovies" in change["sentence"]["en"]
    assert changes[drafted["rooms"]["id"]]["room"] == drafted["rooms"]


async def test_a_release_is_one_version(office: Office) -> None:
    """Each change one event, all of the same version, and then one that sums them up."""
    talk, old = await office.add("sessions"), await office.add("rooms")
    before = await office.programme()
    room, who = await office.add("draft/rooms"), await office.add("draft/speakers")
    await office.change("draft/sessions", talk, room_id=room["id"], speaker_ids=[who["id"]])
    added = await office.add("draft/sessions", starts_at=NOON, ends_at=LATER, room_id=room["id"])
    await office.remove("draft/rooms", old)
    preview = await office.draft()

    made = await office.release(name="Version 2", note="Rooms were shuffled")
    assert made == made | {"version": before["version"] + 1, "origin": "release", "name": "Version 2", "changes": 5}
    events = await read_events(office.api, before)
    kinds = [event["kind"] for event in events]
    assert kinds[-2:] == ["room.removed", "schedule.released"]
    assert sorted(kinds[:2]) == ["room.added", "speaker.added"]
    assert sorted(kinds[2:4]) == ["session.added", "session.changed"]
    assert {event["data"]["version"] for event in events} == {made["version"]}
    assert events[-1]["data"] == events[-1]["data"] | {"changes": 5, "name": "Version 2", "note": "Rooms were shuffled"}
    for event in events:
        msgspec.convert(event["data"], EVENTS[event["kind"]])
    after = await office.programme()
    assert apply_all(before, events) == after
    assert shown(after, "sessions", added) is not None
    assert (await office.fine("GET", "/schedule/versions?limit=1"))["versions"] == [made]
    log = await office.fine("GET", f"/schedule/versions/{made['version']}?lang=*")
    assert log["changes"] == preview["changes"], "the preview said what would happen"

    empty = {"changes": [], "disagreements": [], "clashes": [], "dangling": []}
    assert await office.draft() == empty
    assert await office.refused("POST", "/draft/release") == (409, NOTHING)


async def test_only_what_the_draft_changed_changes(office: Office) -> None:
    """Of one session the title was drafted, and its room changed live meanwhile; of another nothing was drafted."""
    talk, other = await office.add("sessions"), await office.add("sessions")
    room = await office.add("rooms")
    await office.change("draft/sessions", talk, title={"en": "Drafted"})
    await office.change("sessions", talk, room_id=room["id"], abstract={"en": "Live"})
    await office.change("sessions", other, title={"en": "Other"})
    assert [change["changed"].keys() for change in (await office.draft())["changes"]] == [{"title"}]
    await office.release()
    after = await office.fine("GET", f"/sessions/{talk['id']}?lang=*")
    assert (after["title"], after["abstract"], after["room_id"]) == ({"en": "Drafted"}, {"en": "Live"}, room["id"])
    assert (await office.fine("GET", f"/sessions/{other['id']}?lang=*"))["title"] == {"en": "Other"}


async def test_the_same_wish_is_no_disagreement(office: Office) -> None:
    talk, room = await office.add("sessions"), await office.add("rooms")
    for path in ("draft/", ""):
        await office.change(f"{path}sessions", talk, title={"en": "Same"})
        await office.remove(f"{path}rooms", room)
    draft = await office.draft()
    assert (draft["changes"], draft["disagreements"]) == ([], [])
    assert await office.refused("POST", "/draft/release") == (409, NOTHING)


async def test_where_both_want_something_else_somebody_decides(office: Office) -> None:
    talk = await office.add("sessions", title={"en": "Before"})
    await office.change("draft/sessions", talk, title={"en": "Drafted"}, abstract={"en": "Drafted"})
    await office.change("sessions", talk, title={"en": "Live"})
    (disagreement,) = (await office.draft())["disagreements"]
    assert disagreement == {
        "subject": "session",
        "id": talk["id"],
        "title": {"en": "Live"},
        "field": "title",
        "base": {"en": "Before"},
        "live": {"en": "Live"},
        "draft": {"en": "Drafted"},
    }
    before = await office.programme()
    assert await office.refused("POST", "/draft/release") == (409, DISAGREES)
    assert await office.programme() == before
    await office.release(force=True)
    after = await office.fine("GET", f"/sessions/{talk['id']}?lang=*")
    assert (after["title"], after["abstract"]) == ({"en": "Drafted"}, {"en": "Drafted"})


async def test_taken_away_here_and_changed_there(office: Office) -> None:
    """In both directions; who forces the draft has its way."""
    kept, dropped = await office.add("rooms"), await office.add("rooms")
    await office.change("draft/rooms", kept, floor="drafted")
    await office.remove("draft/rooms", dropped)
    await office.remove("rooms", kept)
    await office.change("rooms", dropped, floor="live")
    fields = {(one["id"], one["field"]) for one in (await office.draft())["disagreements"]}
    assert fields == {(kept["id"], "*"), (dropped["id"], "*")}
    assert await office.refused("POST", "/draft/release") == (409, DISAGREES)
    await office.release(force=True)
    after = await office.programme()
    assert shown(after, "rooms", kept) == kept | {"floor": "drafted"}
    assert shown(after, "rooms", dropped) is None


@pytest.mark.parametrize("drafts_the_room", [False, True])
async def test_what_follows_from_a_move_is_no_disagreement(office: Office, *, drafts_the_room: bool) -> None:
    """One gives the session another room, the other a later start: nobody has said that it is `moved`, or `delayed`."""
    talk, room = await office.add("sessions"), await office.add("rooms")
    place, time = {"room_id": room["id"]}, {"starts_at": NOON}
    await office.change("draft/sessions", talk, **(place if drafts_the_room else time))
    await office.change("sessions", talk, **(time if drafts_the_room else place))
    assert (await office.draft())["disagreements"] == []
    await office.release()
    after = await office.fine("GET", f"/sessions/{talk['id']}")
    assert (after["room_id"], after["starts_at"], after["status"]) == (room["id"], NOON, "moved")


@pytest.mark.parametrize("said_in", ["draft/sessions", "sessions"])
async def test_a_status_that_somebody_asked_for_is_one(office: Office, said_in: str) -> None:
    talk, room = await office.add("sessions"), await office.add("rooms")
    for path in ("draft/sessions", "sessions"):
        await office.change(path, talk, **({"status": "delayed"} if path == said_in else {"room_id": room["id"]}))
    assert [one["field"] for one in (await office.draft())["disagreements"]] == ["status"]
    assert await office.refused("POST", "/draft/release") == (409, DISAGREES)


async def test_times_that_do_not_go_together_are_a_disagreement(office: Office) -> None:
    """The draft begins later, the session was shortened meanwhile: no field was changed by both, and yet."""
    talk = await office.add("sessions")
    await office.change("draft/sessions", talk, starts_at="2026-12-25T09:40:00Z", ends_at=NOON)
    await office.change("sessions", talk, ends_at="2026-12-25T09:30:00Z")
    assert {one["field"] for one in (await office.draft())["disagreements"]} == {"starts_at", "ends_at"}
    assert await office.refused("POST", "/draft/release") == (409, DISAGREES)
    await office.release(force=True)
    after = await office.fine("GET", f"/sessions/{talk['id']}")
    assert (after["starts_at"], after["ends_at"]) == ("2026-12-25T09:40:00Z", NOON)


async def test_a_draft_that_names_what_is_gone(office: Office) -> None:
    room, who, talk = await office.add("rooms"), await office.add("speakers"), await office.add("sessions")
    await office.change("draft/sessions", talk, room_id=room["id"], speaker_ids=[who["id"]])
    await office.remove("rooms", room)
    await office.remove("speakers", who)
    draft = await office.draft()
    assert draft["dangling"] == [
        {"session_id": talk["id"], "title": NAME, "field": "room_id", "id": room["id"]},
        {"session_id": talk["id"], "title": NAME, "field": "speaker_ids", "id": who["id"]},
    ]
    assert NAME["en"] in draft["changes"][0]["sentence"]["en"], "as it was last called"
    before = await office.programme()
    for body in ({}, {"force": True}):
        assert await office.refused("POST", "/draft/release", body) == (409, DANGLES)
    assert await office.programme() == before
    await office.change("draft/sessions", talk, room_id=None, speaker_ids=[], title={"en": "Alone"})
    assert (await office.draft())["dangling"] == []
    await office.release()


async def test_a_draft_that_takes_away_what_a_session_names(office: Office) -> None:
    room = await office.add("rooms")
    talk = await office.add("sessions", room_id=room["id"])
    await office.remove("draft/rooms", room)
    assert [one["id"] for one in (await office.draft())["dangling"]] == [room["id"]]
    assert await office.refused("POST", "/draft/release") == (409, DANGLES)
    await office.remove("draft/sessions", talk)
    before = await office.programme()
    await office.release()
    kinds = [kind for kind, _ in await office.heard_since(before)]
    assert kinds == ["session.removed", "room.removed", "schedule.released"], "nobody hears of a room that is gone"


async def test_what_was_only_drafted_leaves_nothing(office: Office) -> None:
    """A session in a drafted room, and the room is taken out of the draft again."""
    room = await office.add("draft/rooms")
    talk = await office.add("draft/sessions", room_id=room["id"])
    await office.remove("draft/rooms", room)
    draft = await office.draft()
    assert [change["id"] for change in draft["changes"]] == [talk["id"]]
    assert [one["id"] for one in draft["dangling"]] == [room["id"]]
    await office.remove("draft/sessions", talk)
    assert (await office.draft())["changes"] == []
    assert await office.refused("PATCH", f"/draft/rooms/{room['id']}", {}) == (404, "schedule.no_such_room")


async def test_forgotten_and_discarded(office: Office) -> None:
    one, two = await office.add("rooms"), await office.add("rooms")
    for room in (one, two):
        await office.change("draft/rooms", room, floor="9")
    await office.fine("DELETE", f"/draft/edits/{one['id']}", None, 204)
    assert await office.refused("DELETE", f"/draft/edits/{one['id']}") == (404, "schedule.not_in_draft")
    assert [change["id"] for change in (await office.draft())["changes"]] == [two["id"]]
    for _ in range(2):  # none is no error
        await office.fine("DELETE", "/draft", None, 204)
    assert (await office.draft())["changes"] == []
    assert await office.refused("POST", "/draft/release") == (409, NOTHING)


async def forget_during_a_release(office: Office, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft is to leave a room alone while it is being released; fails where both are told that they had their way."""
    has_read, goes_on = asyncio.Event(), asyncio.Event()
    list_draft = history_queries.list_draft

    async def read_and_wait(tx: Any, event_id: UUID) -> list[DraftRow]:
        found = await list_draft(tx, event_id)
        has_read.set()
        await goes_on.wait()
        return found

    async def whereabouts() -> str:
        async with db.read() as connection:
            waits = await connection.fetchval(WAITING)
        return "settled" if waits or forgetting.done() else "under way"

    room = await office.add("rooms")
    await office.change("draft/rooms", room, floor="9")
    with monkeypatch.context() as slow:
        slow.setattr(history_queries, "list_draft", read_and_wait)
        releasing = asyncio.create_task(office.ask("POST", "/draft/release"))
        await has_read.wait()
        forgetting = asyncio.create_task(office.ask("DELETE", f"/draft/edits/{room['id']}"))
        try:
            await until_answered(whereabouts, "settled")
        finally:
            goes_on.set()
        assert (await releasing).status_code == 201
        assert (await forgetting).status_code == 404, "nothing of it was left"


async def test_what_is_forgotten_is_not_released(office: Office, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await forget_during_a_release(office, db, monkeypatch)


async def test_forgetting_without_the_lock_is_caught(
    office: Office, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_version = queries.lock_version

    async def lock_for_release_alone(tx: Any, event_id: UUID) -> Any:
        return await lock_version(tx, event_id) if locked.pop() else None

    locked = [
        False,
        True,
        True,
        True,
    ]  # from the last one: the room, its draft and the release lock, who forgets does not
    monkeypatch.setattr(queries, "lock_version", lock_for_release_alone)
    with pytest.raises(AssertionError):
        await forget_during_a_release(office, db, monkeypatch)


async def test_a_thing_that_the_draft_has_taken_away_is_gone_in_it(office: Office) -> None:
    room = await office.add("rooms")
    await office.remove("draft/rooms", room)
    assert await office.refused("PATCH", f"/draft/rooms/{room['id']}", {}) == (404, "schedule.no_such_room")
    session = NEW["sessions"] | {"room_id": room["id"]}
    assert await office.refused("POST", "/draft/sessions", session) == (422, "schedule.unknown_room")
    await office.add("sessions", room_id=room["id"])


async def test_a_draft_names_whom_it_adds_and_not_whom_it_takes_away(office: Office) -> None:
    added, there, gone = [await office.add(noun) for noun in ("draft/speakers", "speakers", "speakers")]
    await office.remove("draft/speakers", gone)
    session = await office.add("draft/sessions", speaker_ids=[added["id"], there["id"]])
    named = {"speaker_ids": [there["id"], gone["id"]]}
    assert await office.refused("PATCH", f"/draft/sessions/{session['id']}", named) == (422, "schedule.unknown_speaker")
    assert (await office.draft())["dangling"] == []


async def test_changed_and_changed_back_is_nothing(office: Office) -> None:
    room = await office.add("rooms")
    await office.change("draft/rooms", room, floor="9")
    await office.change("draft/rooms", room, floor=room["floor"])
    assert (await office.draft())["changes"] == []
    assert await office.refused("POST", "/draft/release") == (409, NOTHING)


async def test_a_release_that_is_refused_leaves_the_draft(office: Office) -> None:
    """Two sessions in one room, a day that was made meanwhile, a number that was taken meanwhile."""
    room = (await office.add("rooms"))["id"]
    await office.add("draft/sessions", room_id=room, number=777)
    await office.add("draft/days")
    other = await office.add("sessions", room_id=room)
    day = await office.add("days")
    before = await office.programme()
    assert await office.refused("POST", "/draft/release") == (409, "schedule.room_taken")
    await office.change("sessions", other, room_id=None, number=777)
    assert await office.refused("POST", "/draft/release") == (409, "schedule.day_is_there")
    await office.remove("days", day)
    assert await office.refused("POST", "/draft/release") == (409, "schedule.number_taken")
    await office.change("sessions", other, number=778)
    assert len((await office.draft())["changes"]) == 2
    made = await office.release()
    assert made["version"] == before["version"] + 4


async def test_new_things_of_a_draft_come_one_behind_the_other(office: Office) -> None:
    for noun in ("rooms", "tracks", "kinds"):
        one, two = await office.add(f"draft/{noun}"), await office.add(f"draft/{noun}")
        assert two["position"] == one["position"] + 1
        last = (await office.programme())[noun][-1]
        assert one["position"] == last["position"] + 1


async def test_bad_names_of_versions(office: Office) -> None:
    await office.add("draft/rooms")
    for body in ({"name": "x" * 101}, {"note": "a\x00"}, {"force": "yes"}, {"other": 1}):
        assert said(await office.ask("POST", "/draft/release", body))[:2] == (422, "request.invalid")
    await office.fine("POST", "/draft/release", None, 201)


async def release_over_live(office: Office) -> None:
    talk = await office.add("sessions")
    await office.change("draft/sessions", talk, title={"en": "Drafted"})
    await office.change("sessions", talk, abstract={"en": "Live"})
    await office.release()
    after = await office.fine("GET", f"/sessions/{talk['id']}?lang=*")
    assert (after["title"], after["abstract"]) == ({"en": "Drafted"}, {"en": "Live"})


async def test_a_release_that_writes_the_draft_s_rows_is_caught(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_all(draft: list[DraftRow], state: State) -> tuple[list[Edit], list[Any]]:
        edits, _ = merge_draft(draft, state)
        wanted = {one.id: msgspec.convert(one.state, SessionRow) for one in draft}
        return [msgspec.structs.replace(one, after=wanted[one.id]) for one in edits], []

    await release_over_live(office)
    monkeypatch.setattr(draft_actions, "merge_draft", take_all)
    with pytest.raises(AssertionError):
        await release_over_live(office)


def test_merging_is_the_same_for_every_subject() -> None:
    """By the rows: three sides, each field by itself."""
    base = RoomRow(UUID(int=1), "k", {"en": "a"}, position=1)
    live = msgspec.structs.replace(base, capacity=10, floor="1")
    wanted = msgspec.structs.replace(base, name={"en": "b"}, floor="2")
    draft = [DraftRow("room", base.room_id, stored(base), stored(wanted), 1)]
    edits, fields = merge_draft(draft, State(room={base.room_id: live}))
    assert [edit.after for edit in edits] == [msgspec.structs.replace(live, name={"en": "b"}, floor="2")]
    assert [(field.name, field.base, field.live, field.draft) for field in fields] == [("floor", None, "1", "2")]
