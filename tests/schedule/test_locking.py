"""`If-Match`: of two organizers who have read the same, the second learns of the first instead of overwriting the change."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from server.schedule import actions, draft_actions
from tests.conftest import Demo
from tests.schedule.office import NOUNS, Office

AT_ONCE = 8
STALE = (412, "schedule.changed_meanwhile")


@pytest.fixture
def office(api: httpx.AsyncClient, demo: Demo) -> Office:
    return Office(api, demo)


def words(number: int, noun: str) -> dict[str, Any]:
    return {"title" if noun == "sessions" else "name": {"en": f"Organizer {number}"}}


async def who_wins(office: Office, noun: str) -> None:
    """Several organizers change what all of them have just read. Exactly one does; fails otherwise."""
    thing = await office.add(noun)
    path = f"/{noun}/{thing['id']}"
    etag = (await office.ask("GET", path)).headers["etag"]
    before = await office.programme()
    answers = await asyncio.gather(
        *(office.ask("PATCH", path, words(number, noun), if_match=etag) for number in range(AT_ONCE))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * (AT_ONCE - 1)]
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    assert (await office.ask("GET", f"{path}?lang=*")).json() == winner.json()
    assert (await office.programme())["version"] == before["version"] + 1
    assert len(await office.heard_since(before)) == 1


@pytest.mark.parametrize("noun", NOUNS)
async def test_of_several_at_once_one_wins(office: Office, noun: str) -> None:
    await who_wins(office, noun)


async def test_a_change_that_looks_before_it_locks_is_caught(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """All look, then all write."""
    everybody, get = asyncio.Barrier(AT_ONCE), actions._get

    async def lock_nothing(*_arguments: Any) -> None:
        return None

    async def get_together(*arguments: Any) -> Any:
        found = await get(*arguments)
        await asyncio.wait_for(everybody.wait(), 20)
        return found

    thing = await office.add("rooms")
    monkeypatch.setattr(actions, "_get", get_together)
    monkeypatch.setattr(actions.queries, "lock_version", lock_nothing)
    monkeypatch.setattr(office, "add", lambda _noun: asyncio.sleep(0, thing))
    monkeypatch.setitem(globals(), "AT_ONCE", 3)  # as many as the API has connections at least
    everybody = asyncio.Barrier(3)
    with pytest.raises(AssertionError, match="412"):
        await who_wins(office, "rooms")


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_was_changed_meanwhile_is_not_overwritten(office: Office, noun: str) -> None:
    thing = await office.add(noun)
    path = f"/{noun}/{thing['id']}"
    read = (await office.ask("GET", path)).headers["etag"]
    changed = await office.ask("PATCH", path, words(1, noun), if_match=read)
    assert changed.status_code == 200
    assert await office.refused("PATCH", path, words(2, noun), if_match=read) == STALE
    assert await office.refused("DELETE", path, if_match=read) == STALE
    assert (await office.ask("GET", f"{path}?lang=*")).json() == changed.json()
    for harmless in ("*", None, changed.headers["etag"]):
        assert (await office.ask("PATCH", path, words(1, noun), if_match=harmless)).status_code == 200
    assert (await office.ask("DELETE", path, if_match=changed.headers["etag"])).status_code == 204


async def test_the_etag_of_any_language_will_do(office: Office) -> None:
    thing = await office.add("rooms")
    for lang in ("fr", "ar", "en", "*"):
        etag = (await office.ask("GET", f"/rooms/{thing['id']}?lang={lang}")).headers["etag"]
        changed = await office.ask("PATCH", f"/rooms/{thing['id']}", {"name": {"en": lang}}, if_match=etag)
        assert changed.status_code == 200
        assert changed.headers["etag"] != etag


@pytest.mark.parametrize(
    "junk", ["", "x", '"x"', 'W/"1"', '"1", "2"', '"-1"', '"1' + "0" * 40 + '"', '"1.' + "f" * 99 + '"']
)
async def test_what_is_no_etag_of_ours_is_refused(office: Office, junk: str) -> None:
    thing = await office.add("rooms")
    assert await office.refused("PATCH", f"/rooms/{thing['id']}", {}, if_match=junk) == (422, "request.invalid")


async def test_a_change_elsewhere_is_no_change_of_it(office: Office) -> None:
    one, other = await office.add("rooms"), await office.add("rooms")
    etag = (await office.ask("GET", f"/rooms/{one['id']}")).headers["etag"]
    await office.change("rooms", other, name={"en": "Other"})
    assert (await office.ask("PATCH", f"/rooms/{one['id']}", {"floor": "1"}, if_match=etag)).status_code == 200


async def draft_at_once(office: Office) -> None:
    """Several organizers change in the draft what all of them have just seen there. Exactly one does; fails otherwise."""
    thing = await office.add("rooms")
    path = f"/draft/rooms/{thing['id']}"
    first = await office.ask("PATCH", path, {"floor": "0"}, if_match='"0"')
    assert first.status_code == 200, "0 is what the draft has not touched"
    assert await office.refused("PATCH", path, {"floor": "1"}, if_match='"0"') == STALE
    answers = await asyncio.gather(
        *(office.ask("PATCH", path, words(n, "rooms"), if_match=first.headers["etag"]) for n in range(AT_ONCE))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * (AT_ONCE - 1)]
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    assert await office.refused("DELETE", path, if_match=first.headers["etag"]) == STALE
    assert (await office.ask("DELETE", path, if_match=winner.headers["etag"])).status_code == 204


async def test_the_draft_has_revisions_of_its_own(office: Office) -> None:
    await draft_at_once(office)


async def test_a_draft_that_does_not_look_at_revisions_is_caught(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = draft_actions._there

    async def not_expecting(tx: Any, event_id: Any, subject: Any, thing_id: Any, _expected: Any) -> Any:
        return await there(tx, event_id, subject, thing_id, None)

    monkeypatch.setattr(draft_actions, "_there", not_expecting)
    with pytest.raises(AssertionError):
        await draft_at_once(office)


async def test_of_several_releases_at_once_one_releases(office: Office) -> None:
    before = await office.programme()
    await office.add("draft/rooms")
    answers = await asyncio.gather(*(office.ask("POST", "/draft/release") for _ in range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * (AT_ONCE - 1)]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"schedule.nothing_drafted"}
    assert [kind for kind, _ in await office.heard_since(before)] == ["room.added", "schedule.released"]


async def test_edits_of_a_draft_that_is_being_released_are_in_it_or_in_the_next(office: Office) -> None:
    """None is lost: whatever was answered is released, or still drafted."""
    thing = await office.add("rooms")
    await office.change("draft/rooms", thing, floor="first")
    kinds = [await office.add("kinds") for _ in range(AT_ONCE)]
    await asyncio.gather(
        office.release(), *(office.change("draft/kinds", kind, name={"en": "Drafted"}) for kind in kinds)
    )
    still = {change["id"] for change in (await office.draft())["changes"]}
    shown = {one["id"] for one in (await office.programme())["kinds"] if one["name"] == {"en": "Drafted"}}
    assert still | shown == {kind["id"] for kind in kinds}
    assert not still & shown
