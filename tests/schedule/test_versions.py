"""What changed between two versions: applied to the older programme it makes the newer one, from every version to every other."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from server.db import Database
from server.event.queries import get_event_by_slug
from server.schedule import history_queries, storing
from server.schedule.types import Changes
from tests.conftest import Demo
from tests.schedule.applying import Document, _brief, _in_order
from tests.schedule.office import NAME, NOBODY, Office
from tests.schedule.organizers import Organizer, read_programme
from tests.schedule.programmes import Files, bring
from tests.schedule.told import plain

STEPS = 22


@pytest.fixture
def office(api: httpx.AsyncClient, demo: Demo) -> Office:
    return Office(api, demo)


def with_changes(document: Document, changes: list[Document]) -> Document:
    """The programme after these changes, as any client makes it: each thing as it is now instead of what it was."""
    after = dict(document)
    for change in changes:
        noun, thing = f"{change['subject']}s", change[change["subject"]]
        others = [one for one in after[noun] if one["id"] not in (None, change["id"])]
        if noun == "sessions" and thing is not None:
            thing = _brief(thing)
        after[noun] = others if thing is None else [*others, thing]
    return {**after, **_in_order(after)}


def content(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in ("version", "updated_at", "feed")}


async def changes_between(api: httpx.AsyncClient, since: int, until: int | None = None, lang: str = "*") -> Document:
    query: dict[str, Any] = {"since": since, "lang": lang} | ({} if until is None else {"until": until})
    answer = await api.get("/schedule/changes", params=query)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    assert found["since"] == since
    return found


async def live_a_while(api: httpx.AsyncClient, db: Database, demo: Demo, seed: int) -> dict[int, Document]:
    """Edits, releases and imports; returns the programme at each version."""
    async with db.read() as connection:
        event = await get_event_by_slug(connection, "digital-now")
    assert event is not None
    now = await read_programme(api)
    readings, organizer, files = {now["version"]: now}, Organizer(api, demo, now, seed), Files(seed)
    for step in range(STEPS):
        if step % 4 == 3:
            await bring(db, event, files.next())
        else:
            await organizer.change_something()
        api_knows = await read_programme_anew(api)
        readings[api_knows["version"]] = api_knows
    assert len(readings) > STEPS // 2
    return readings


async def read_programme_anew(api: httpx.AsyncClient) -> Document:
    """As the database has it: what was imported beside the API is heard of a moment later."""
    newest = (await api.get("/schedule/versions", params={"limit": 1})).json()["versions"][0]["version"]
    while (programme := await read_programme(api))["version"] < newest:
        pass
    return programme


async def compare_all(api: httpx.AsyncClient, readings: dict[int, Document]) -> None:
    """From each version to each later one. Fails where the changes are not exactly the difference."""
    for since, old in readings.items():
        for until, new in readings.items():
            if since > until:
                continue
            found = await changes_between(api, since, until)
            assert found["version"] == until
            assert content(with_changes(old, found["changes"])) == content(new), (since, until)
            if since == until:
                assert found["changes"] == []
    newest = max(readings)
    assert (await changes_between(api, min(readings)))["version"] == newest
    nothing = {name: [] for name in ("days", "rooms", "tracks", "kinds", "speakers", "sessions")}
    whole = with_changes(readings[newest] | nothing, (await changes_between(api, 0))["changes"])
    assert content(whole) == content(readings[newest]), "0 holds nothing"


@pytest.mark.parametrize("seed", range(2))
async def test_from_every_version_to_every_other(api: httpx.AsyncClient, db: Database, demo: Demo, seed: int) -> None:
    await compare_all(api, await live_a_while(api, db, demo, seed))


async def test_a_history_without_what_is_gone_is_caught(
    api: httpx.AsyncClient, db: Database, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = history_queries.insert_history

    async def insert_what_is_there(tx: Any, event_id: Any, version: int, edits: Any) -> None:
        await insert(tx, event_id, version, [one for one in edits if one.after is not None])

    monkeypatch.setattr(storing.history_queries, "insert_history", insert_what_is_there)
    with pytest.raises(AssertionError):
        await compare_all(api, await live_a_while(api, db, demo, seed=0))


async def test_changes_that_only_know_the_last_step_are_caught(
    api: httpx.AsyncClient, db: Database, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings, touched = await live_a_while(api, db, demo, seed=0), history_queries.list_touched

    async def list_the_last(tx: Any, event_id: Any, *, since: int, until: int) -> Any:
        return await touched(tx, event_id, since=max(since, until - 1), until=until)

    monkeypatch.setattr(history_queries, "list_touched", list_the_last)
    with pytest.raises(AssertionError):
        await compare_all(api, readings)


async def test_what_was_undone_is_not_in_it(office: Office) -> None:
    talk = await office.add("sessions")
    since = (await office.programme())["version"]
    await office.change("sessions", talk, title={"en": "Changed"}, status="scheduled")
    await office.change("sessions", talk, title=NAME)
    room = await office.add("rooms")
    await office.remove("rooms", room)
    found = await changes_between(office.api, since)
    assert (found["version"], found["changes"]) == (since + 4, [])
    (change,) = (await changes_between(office.api, since, since + 1))["changes"]
    assert change["changed"]["title"] == {"old": NAME, "new": {"en": "Changed"}}


async def test_a_version_that_is_not_there(office: Office) -> None:
    newest = (await office.programme())["version"]
    for path in (
        f"/schedule/changes?since={newest + 1}",
        f"/schedule/changes?since=0&until={newest + 1}",
        f"/schedule/changes?since={newest}&until={newest - 1}",
        f"/schedule/changes?since={2**62}",
        "/schedule/versions/0",
        f"/schedule/versions/{newest + 1}",
        f"/schedule/versions/{2**70}",
    ):
        assert await office.refused("GET", path) == (404, "schedule.unknown_version"), path
    for path in ("/schedule/changes?since=-1", "/schedule/changes?since=x", f"/schedule/changes?since={2**70}"):
        assert (await office.refused("GET", path))[0] in (400, 422), path
    assert (await office.ask("GET", "/schedule/versions/x")).status_code in (404, 422)


async def test_the_versions_by_pages(office: Office) -> None:
    for _ in range(4):
        await office.add("kinds")
    await office.add("draft/kinds")
    await office.release(name="2.0", note="Everything")
    whole = (await office.fine("GET", "/schedule/versions"))["versions"]
    assert [one["version"] for one in whole] == list(range(len(whole), 0, -1))
    assert (whole[0]["name"], whole[0]["note"], whole[0]["origin"]) == ("2.0", "Everything", "release")
    assert {one["origin"] for one in whole[1:-1]} == {"edit"}
    assert (whole[-1]["origin"], whole[-1]["changes"] > 50) == ("import", True)
    read: list[Document] = []
    cursor = None
    while True:
        page = await office.fine("GET", f"/schedule/versions?limit=2{f'&cursor={cursor}' if cursor else ''}")
        read += page["versions"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert read == whole
    assert (await office.refused("GET", "/schedule/versions?cursor=x"))[0] == 422


async def log_of(office: Office, lang: str) -> list[Document]:
    newest = (await office.programme())["version"]
    found: list[Document] = (await office.fine("GET", f"/schedule/versions/{newest}?lang={lang}"))["changes"]
    return found


TITLE = {"fr": "Sardines", "ar": "سردين", "en": "Sardines"}
STEPS_OF_A_TALK: list[tuple[dict[str, Any], str]] = [
    ({"room_id": "room"}, "moved"),
    ({"starts_at": "2026-12-25T09:30:00Z"}, "delayed"),
    ({"title": {"fr": "Thon", "ar": "تونة", "en": "Tuna"}}, "renamed"),
    ({"speaker_ids": ["speaker"]}, "speakers"),
    ({"status": "cancelled"}, "cancelled"),
]


def log() -> dict[str, list[str]]:
    """Times as the event's zone has them, which a decree may change."""
    was, later = (
        datetime.fromisoformat(f"2026-12-25T09:{minute}:00Z").astimezone(ZoneInfo("Africa/Casablanca"))
        for minute in ("00", "30")
    )
    return {
        "fr": [
            "La session «~[Sardines]~» a désormais une salle ([Atlas]).",
            f"La session «~[Sardines]~» commence désormais à {later.hour}~h~30 au lieu de {was.hour}~h.",
            "La session «~[Sardines]~» s’intitule désormais «~[Thon]~».",
            "La session «~[Thon]~» accueille [Nom].",
            "La session «~[Thon]~» est annulée.",
        ],
        "ar": [
            "جلسة «[سردين]» تُعقد في [Atlas].",
            f"جلسة «[سردين]» تبدأ على الساعة {later.hour:02}:30 بدل الساعة {was.hour:02}:00.",
            "جلسة «[سردين]» صار عنوانها «[تونة]».",
            "جلسة «[تونة]» تُعقد بمشاركة [اسم].",
            "أُلغيت جلسة «[تونة]».",
        ],
        "en": [
            "“[Sardines]” takes place in [Atlas].",
            f"“[Sardines]” now starts at {later.hour:02}:30 instead of {was.hour:02}:00.",
            "“[Sardines]” is now called “[Tuna]”.",
            "“[Tuna]” has [Name] as its speaker.",
            "“[Tuna]” is cancelled.",
        ],
    }


async def test_a_change_log_that_people_read(office: Office) -> None:
    """New, moved, delayed, renamed, with another speaker, cancelled: each in three languages."""
    room, who = await office.add("rooms", name={"en": "Atlas"}), await office.add("speakers")
    talk = await office.add("sessions", title=TITLE)
    for lang in ("fr", "ar", "en"):
        (new,) = await log_of(office, lang)
        assert (new["title"], new["kinds"]) == (TITLE[lang], ["added"])
        assert TITLE[lang] in new["sentence"]
    sentences: dict[str, list[str]] = {"fr": [], "ar": [], "en": []}
    for change, kind in STEPS_OF_A_TALK:
        ids = {"room_id": room["id"], "speaker_ids": [who["id"]]}
        await office.change("sessions", talk, **{name: ids.get(name, value) for name, value in change.items()})
        for lang, heard in sentences.items():
            (said,) = await log_of(office, lang)
            assert said["kinds"] == [kind]
            heard.append(plain(said["sentence"]))
    assert sentences == log()


async def test_what_changed_is_told_in_the_reader_s_language(office: Office) -> None:
    who = await office.add("speakers", tagline=NAME)
    links = [{"url": "https://example.org/a", "title": NAME, "kind": "link"}]
    await office.change("speakers", who, tagline={"fr": "Autre", "en": "Other"}, links=links, bio={})
    for lang, old, new in (("fr", "Nom", "Autre"), ("en", "Name", "Other")):
        (change,) = await log_of(office, lang)
        assert change["changed"]["tagline"] == {"old": old, "new": new}
        assert change["changed"]["bio"] == {"old": old, "new": ""}
        assert change["changed"]["links"]["new"] == [{"url": "https://example.org/a", "title": old, "kind": "link"}]
        assert change["speaker"]["tagline"] == new
        assert change["title"] == old
    msgspec.convert(await changes_between(office.api, 0), Changes)


async def test_what_is_gone_is_still_called_by_its_name(office: Office) -> None:
    """A change log is read long after: the room it names was renamed since, and removed."""
    room = await office.add("rooms", name={"en": "Atlas"})
    talk = await office.add("sessions")
    await office.change("sessions", talk, room_id=room["id"])
    version = (await office.programme())["version"]
    path = f"/schedule/versions/{version}?lang=en"
    before = await office.fine("GET", path)
    assert "Atlas" in before["changes"][0]["sentence"]
    await office.change("rooms", room, name={"en": "Rif"})
    await office.change("sessions", talk, room_id=None)
    await office.remove("rooms", room)
    assert await office.fine("GET", path) == before
    assert await office.refused("GET", f"/sessions/{NOBODY}") == (404, "schedule.unknown_session")
