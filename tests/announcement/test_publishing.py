"""Announcing: at once or later, to everybody or an audience, and once however often it is sent."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from server.announcement import actions, queries
from server.announcement.policy import content_of
from server.announcement.types import EVENTS, PublishAnnouncement
from tests.announcement.speaking import TITLE, Json, Speaker, Table, later
from tests.conftest import Demo
from tests.phones import said
from tests.waiting import until_answered


async def test_at_once(organizer: Speaker) -> None:
    made = await organizer.announce(body={"fr": "Salle B"}, urgent=True)
    assert (made["status"], made["seq"], made["audience"], made["urgent"]) == ("published", 1, None, True)
    assert made["publish_at"] <= made["published_at"]
    assert (made["edited_at"], made["ended_at"], made["expires_at"]) == (None, None, None)
    (event,) = await organizer.events()
    assert (event["kind"], event["seq"]) == ("announcement.published", 1)
    assert event["data"] == {name: value for name, value in made.items() if name != "seq"}
    assert (await organizer.page(lang="*"))["announcements"] == [event["data"]]


@pytest.mark.parametrize("publish_at", [None, "1970-01-01T00:00:00Z", "2020-06-01T12:00:00+01:00"])
async def test_a_past_time_is_now(organizer: Speaker, publish_at: str | None) -> None:
    made = await organizer.announce(publish_at=publish_at)
    assert (made["status"], made["seq"]) == ("published", 1)
    assert datetime.fromisoformat(made["publish_at"]).year >= 2026


async def test_later(organizer: Speaker, table: Table) -> None:
    made = await organizer.announce(publish_at=later(hours=1))
    assert (made["status"], made["seq"], made["published_at"]) == ("scheduled", None, None)
    assert await organizer.heard() == []
    assert await organizer.listed() == []
    await table.let_time_pass()
    await until_answered(organizer.heard, [("published", made["id"])])
    (event,) = await organizer.events()
    assert event["data"]["status"] == "published"
    assert event["data"]["published_at"] > event["data"]["publish_at"]
    assert (await organizer.page(lang="*"))["announcements"] == [event["data"]]


async def test_by_the_time_of_day(organizer: Speaker) -> None:
    made = await organizer.announce(publish_at=later(seconds=0.5), expires_at=later(seconds=2))
    await until_answered(organizer.heard, [("published", made["id"]), ("expired", made["id"])])
    published, expired = await organizer.events()
    assert published["at"] >= made["publish_at"]
    assert expired["at"] >= made["expires_at"]
    assert expired["data"] == {"id": made["id"]}
    assert await organizer.listed() == []


async def test_it_must_not_expire_before_it_goes_out(organizer: Speaker) -> None:
    for times in (
        {"expires_at": later(seconds=-1)},
        {"expires_at": later(hours=1), "publish_at": later(hours=1, seconds=1)},
        {"expires_at": (moment := later(hours=1)), "publish_at": moment},
    ):
        response = await organizer.ask("POST", "/announcements", {"title": TITLE, **times})
        assert said(response) == (422, "request.invalid", "expires_at"), times
        assert "before it is published" in response.json()["detail"]
    assert await organizer.heard() == []
    assert await organizer.listed(status="all") == []


async def test_each_audience_has_its_channel(api: httpx.AsyncClient, organizer: Speaker) -> None:
    track = (await api.get("/schedule")).json()["tracks"][0]["id"]
    for audience in ("attendees", "exhibitors", "speakers", "staff", f"track:{track}", "ticket:vip"):
        made = await organizer.announce(audience=audience)
        assert (made["audience"], made["seq"]) == (audience, 1)
        assert await organizer.heard(f"announcements:{audience}") == [("published", made["id"])]
    assert await organizer.heard() == [], "not everybody's business"


UNKNOWN = (
    "", "everybody", "Staff", "staff ", "staff\n", "track:", "ticket:", "ticket:nothing", "track:x", "vip", "me",
    f"track:{uuid.uuid4()}", "track:00000000-0000-0000-0000-00000000000g", "staff:staff", "ticket:\u202evip", "x" * 200,
)  # fmt: skip


async def test_an_unknown_audience_hears_nothing(organizer: Speaker, table: Table) -> None:
    for audience in UNKNOWN:
        for more in ({}, {"publish_at": later(hours=1)}):
            response = await organizer.ask("POST", "/announcements", {"title": TITLE, "audience": audience, **more})
            assert said(response)[:2] == (422, "announcement.unknown_audience"), audience
    for audience in ("\x00", "staff\x00", "x" * 201):
        response = await organizer.ask("POST", "/announcements", {"title": TITLE, "audience": audience})
        assert said(response) == (422, "request.invalid", "audience")
    assert await table.statuses() == {}


async def test_a_track_cannot_go_while_somebody_announces_to_it(
    organizer: Speaker, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for in the transaction that needs it: whoever deletes it waits, or it is unknown."""
    async with table.db.read() as connection:
        track = await connection.fetchval("INSERT INTO track (event_id, track_id, key, name, position)"
                                          " SELECT event_id, gen_random_uuid(), 'x', name, 99"
                                          " FROM track LIMIT 1 RETURNING track_id")  # fmt: skip
    insert, deleting = queries.insert_announcement, []

    async def delete() -> str:
        async with table.db.read() as connection:
            done: str = await connection.execute("DELETE FROM track WHERE track_id = $1", track)
            return done

    async def insert_late(*arguments: Any, **more: Any) -> Any:
        deleting.append(asyncio.create_task(delete()))
        async with table.db.read() as connection:  # the deletion waits for us
            await until_answered(lambda: connection.fetchval(WAITING), 1)
        return await insert(*arguments, **more)

    monkeypatch.setattr(queries, "insert_announcement", insert_late)
    made = await organizer.announce(audience=f"track:{track}")
    assert await deleting[0] == "DELETE 1"
    monkeypatch.undo()
    assert await organizer.heard(f"announcements:track:{track}") == [("published", made["id"])]
    response = await organizer.ask("POST", "/announcements", {"title": TITLE, "audience": f"track:{track}"})
    assert said(response)[:2] == (422, "announcement.unknown_audience")


WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE 'DELETE FROM track%'
"""


def sent(**more: Any) -> Json:
    return {"id": str(uuid.uuid4()), "title": TITLE, "body": {"fr": "Salle B", "en": "Room B"}, **more}


async def test_sent_again_it_is_the_same(organizer: Speaker) -> None:
    body = sent(urgent=True, audience="staff")
    first = await organizer.ask("POST", "/announcements", body)
    again = await organizer.ask("POST", "/announcements", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["id"] == body["id"]
    assert await organizer.heard("announcements:staff") == [("published", body["id"])]


async def test_sent_many_times_at_once_it_goes_out_once(organizer: Speaker) -> None:
    body = sent()
    answers = await asyncio.gather(*(organizer.ask("POST", "/announcements", body) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert await organizer.heard() == [("published", body["id"])]


async def test_without_the_key_s_word_it_goes_out_twice_and_is_seen(
    organizer: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: who sends it again gets another id."""
    insert = queries.insert_announcement

    async def insert_anyway(tx: Any, event_id: Any, announcement_id: Any, **more: Any) -> Any:
        return await insert(tx, event_id, uuid.uuid4(), **more)

    monkeypatch.setattr(queries, "insert_announcement", insert_anyway)
    body = sent()
    for _ in range(2):
        await organizer.ask("POST", "/announcements", body)
    assert len(await organizer.heard()) == 2


async def test_with_other_content_it_is_another_one(organizer: Speaker) -> None:
    body = sent(publish_at=later(hours=1), expires_at=later(hours=2))
    assert (await organizer.ask("POST", "/announcements", body)).status_code == 201
    for other in (
        {"title": {"fr": "Autre"}}, {"body": {}}, {"urgent": True}, {"audience": "staff"}, {"audience": "nobody"},
        {"publish_at": None}, {"publish_at": later(hours=1, minutes=5)}, {"expires_at": None},
    ):  # fmt: skip
        response = await organizer.ask("POST", "/announcements", body | other)
        assert said(response)[:2] == (422, "announcement.id_reused"), other
    assert (await organizer.ask("POST", "/announcements", body)).status_code == 200
    assert await organizer.heard() == []


async def test_many_contents_at_once_under_one_id(organizer: Speaker) -> None:
    identifier = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(organizer.ask("POST", "/announcements", sent(id=identifier, urgent=bool(n % 2))) for n in range(8))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] * 3 + [201] + [422] * 4
    assert len(await organizer.events()) == 1


async def test_a_retry_gets_what_has_become_of_it(organizer: Speaker, table: Table) -> None:
    """Edited, withdrawn, expired, its track gone: it is still the one that was sent."""
    body = sent(expires_at=later(hours=1))
    await organizer.ask("POST", "/announcements", body)
    edited = await organizer.edit(body["id"], title={"fr": "Corrigé"})
    again = await organizer.ask("POST", "/announcements", body)
    assert (again.status_code, again.json()) == (200, edited)
    assert again.json()["seq"] == 1
    await table.let_time_pass()
    await until_answered(lambda: status_of(organizer, body["id"]), "expired")
    again = await organizer.ask("POST", "/announcements", body)
    assert (again.status_code, again.json()["status"]) == (200, "expired")


async def test_a_retry_does_not_mind_that_its_audience_is_gone(organizer: Speaker, table: Table) -> None:
    body = sent(audience="ticket:guest")
    async with table.db.read() as connection:
        await connection.execute("INSERT INTO ticket_type SELECT event_id, 'guest', name, 99 FROM event")
        first = await organizer.ask("POST", "/announcements", body)
        await connection.execute("DELETE FROM ticket_type WHERE ticket = 'guest'")
    again = await organizer.ask("POST", "/announcements", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    another = await organizer.ask("POST", "/announcements", sent(audience="ticket:guest"))
    assert said(another)[:2] == (422, "announcement.unknown_audience")


async def status_of(organizer: Speaker, announcement: str) -> str:
    return str((await organizer.ask("GET", f"/announcements/{announcement}")).json()["status"])


def test_content_is_what_is_meant_not_how_it_is_spelt() -> None:
    def content(**fields: Any) -> bytes:
        return content_of(PublishAnnouncement(**{"title": {"fr": "a", "ar": "b"}, **fields}))

    at = datetime(2026, 12, 18, 9, tzinfo=UTC)
    moved = datetime.fromisoformat("2026-12-18T10:00:00+01:00")
    same = {content(), content(title={"ar": "b", "fr": "a"}), content(id=uuid.uuid4()), content(body={}, urgent=False)}
    assert len(same) == 1
    assert content(publish_at=at) == content(publish_at=moved) != content(expires_at=at)
    assert (
        len({content(), content(title={"fr": "a"}), content(title={"fr": "b", "ar": "a"}), content(urgent=True)}) == 4
    )


async def test_only_organizers_announce(api: httpx.AsyncClient, organizer: Speaker, demo: Demo) -> None:
    made = await organizer.announce()
    place = f"/announcements/{made['id']}"
    others = {"": 401, demo.device(): 403, demo.attendees[0]["token"]: 403, demo.file.exhibitors[0].token: 403}
    for token, status in others.items():
        other = Speaker(api, token)
        for method, path, body in (
            ("POST", "/announcements", {"title": TITLE}),
            ("PATCH", place, {"urgent": True}),
            ("DELETE", place, None),
        ):
            assert (await other.ask(method, path, body)).status_code == status
    assert await organizer.heard() == [("published", made["id"])]


JUNK: tuple[tuple[str, Any, str], ...] = (
    ("title", {}, "title"),
    ("title", {"fr": "  "}, "title"),
    ("title", {"fr": "x" * 301}, "title"),
    ("title", {"français": "x"}, "title"),
    ("title", "Bonjour", "title"),
    ("body", {"fr": "x" * 20_001}, "body"),
    ("body", {"fr": "a\x00b"}, "body"),
    ("urgent", "yes", "urgent"),
    ("urgent", 1, "urgent"),
    ("publish_at", "2026-12-18T09:00:00", "publish_at"),
    ("publish_at", "1969-12-31T23:00:00Z", "publish_at"),
    ("publish_at", 5, "publish_at"),
    ("expires_at", "9999-01-01T00:00:00Z", "expires_at"),
    ("id", "1", "id"),
    ("id", 1, "id"),
    ("seq", 1, ""),
    ("status", "published", ""),
)


async def test_junk_is_refused(organizer: Speaker) -> None:
    made = await organizer.announce()
    for name, value, field in JUNK:
        response = await organizer.ask("POST", "/announcements", {"title": TITLE, name: value})
        status, code, told = said(response)
        assert (status, code, told.partition(".")[0].partition("[")[0]) == (422, "request.invalid", field), (
            name,
            value,
        )
        response = await organizer.ask("PATCH", f"/announcements/{made['id']}", {name: value})
        assert response.status_code == 422, (name, value)
    assert len(await organizer.events()) == 1


async def test_an_event_that_cannot_be_told_leaves_nothing(organizer: Speaker, table: Table, monkeypatch: Any) -> None:
    async def emit_badly(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(actions, "emit", emit_badly)
    assert (await organizer.ask("POST", "/announcements", {"title": TITLE})).status_code == 500
    assert await table.statuses() == {}


def test_every_kind_is_described() -> None:
    assert sorted(EVENTS) == [f"announcement.{kind}" for kind in ("edited", "expired", "published", "withdrawn")]
