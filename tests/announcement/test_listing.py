"""Who reads which announcements, filtered, page by page, in their language."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from server.announcement import listing
from tests.announcement.speaking import TITLE, Json, Speaker, Table, later
from tests.conftest import Demo
from tests.phones import said
from tests.waiting import until_answered


@pytest.fixture
async def readers(api: httpx.AsyncClient, demo: Demo, table: Table) -> dict[str, Speaker]:
    """One of each kind; the speaker holds a VIP's ticket, one attendee was cancelled."""
    visitor, *_ = [line for line in demo.attendees if line["ticket"] == "visitor"]
    vip, cancelled = [line for line in demo.attendees if line["ticket"] == "vip"][:2]
    async with table.db.read() as connection:
        await connection.execute(
            "UPDATE attendee SET speaker_id = (SELECT speaker_id FROM speaker LIMIT 1) WHERE attendee_id = $1",
            UUID(vip["id"]),
        )
        await connection.execute(
            "UPDATE attendee SET cancelled_at = now() WHERE attendee_id = $1", UUID(cancelled["id"])
        )
    tokens = {
        "nobody": "",
        "visitor": visitor["token"],
        "speaker": vip["token"],
        "cancelled": cancelled["token"],
        "device": demo.device(),
        "exhibitor": demo.file.exhibitors[0].token,
        "organizer": demo.file.organizer_token,
    }
    return {name: Speaker(api, token) for name, token in tokens.items()}


HEARS = {
    "nobody": {"everybody"},
    "cancelled": {"everybody"},
    "visitor": {"everybody", "attendees", "track", "ticket:visitor"},
    "speaker": {"everybody", "attendees", "speakers", "track", "ticket:vip"},
    "device": {"everybody", "staff"},
    "exhibitor": {"everybody", "exhibitors", "track"},
    "organizer": {
        "everybody", "attendees", "exhibitors", "speakers", "staff", "track", "ticket:visitor", "ticket:vip",
    },
}  # fmt: skip


async def test_everybody_reads_what_is_for_them(readers: dict[str, Speaker], api: httpx.AsyncClient) -> None:
    organizer = readers["organizer"]
    tracks = [track["id"] for track in (await api.get("/schedule")).json()["tracks"]]
    named = {name: name for name in HEARS["organizer"]} | {"everybody": None, "track": f"track:{tracks[0]}"}
    made = {name: (await organizer.announce(audience=audience))["id"] for name, audience in named.items()}
    for who, reader in readers.items():
        page = await reader.page()
        assert {one["id"] for one in page["announcements"]} == {made[name] for name in HEARS[who]}, who
        heard = {position["channel"].partition(":")[2] or "everybody" for position in page["feed"]}
        assert {"track" if name.startswith("track:") else name for name in heard} >= HEARS[who], who
        assert {position["channel"] for position in page["feed"]} <= set(await channels_read(reader, page)), who
        for name, identifier in made.items():
            response = await reader.ask("GET", f"/announcements/{identifier}")
            assert response.status_code == (200 if name in HEARS[who] else 404), (who, name)
            response = await reader.ask("GET", "/announcements", None, audience=named[name] or "everybody")
            wanted = 200 if name in HEARS[who] else 401 if who == "nobody" else 403
            assert response.status_code == wanted, (who, name)
            if wanted == 200:
                assert [one["id"] for one in response.json()["announcements"]] == [identifier]
                assert len(response.json()["feed"]) == 1


async def channels_read(reader: Speaker, page: Json) -> list[str]:
    """Those positions of a page from which the feed lets this reader go on."""
    found = []
    for position in page["feed"]:
        response = await reader.ask(
            "GET", f"/feed/{position['channel']}", None, epoch=position["epoch"], after=position["seq"]
        )
        if response.status_code == 200 and response.json()["events"] == []:
            found.append(position["channel"])
    return found


async def test_an_audience_that_is_not_there(readers: dict[str, Speaker]) -> None:
    for reader in readers.values():
        for audience in (
            "nobody",
            "",
            "track:x",
            "track:00000000-0000-7000-8000-000000000000",
            "ticket:x",
            "\x00",
            "é",
        ):
            response = await reader.ask("GET", "/announcements", None, audience=audience)
            assert said(response)[:2] == (422, "announcement.unknown_audience"), audience


async def test_a_token_that_is_worth_nothing_is_not_taken_for_none(readers: dict[str, Speaker]) -> None:
    made = await readers["organizer"].announce()
    for path in ("/announcements", f"/announcements/{made['id']}"):
        response = await readers["nobody"].api.get(path, headers={"Authorization": "Bearer dn_att_x"})
        assert said(response)[:2] == (401, "auth.required")


async def make_one_of_each(organizer: Speaker, table: Table) -> dict[str, str]:
    expired = await organizer.announce(expires_at=later(minutes=30))
    withdrawn = await organizer.announce()
    await organizer.withdraw(withdrawn["id"])
    await table.let_time_pass(3600)
    await until_answered(lambda: organizer.listed(status="expired"), [expired["id"]])
    published = await organizer.announce(urgent=True)
    scheduled = await organizer.announce(publish_at=later(hours=1))
    return {
        "expired": expired["id"],
        "withdrawn": withdrawn["id"],
        "published": published["id"],
        "scheduled": scheduled["id"],
    }


async def test_only_organizers_see_what_is_not_published(readers: dict[str, Speaker], table: Table) -> None:
    organizer = readers["organizer"]
    made = await make_one_of_each(organizer, table)
    assert await organizer.listed() == [made["published"]]
    for status, identifier in made.items():
        assert await organizer.listed(status=status) == [identifier]
        (one,) = (await organizer.page(status=status))["announcements"]
        assert one == (await organizer.ask("GET", f"/announcements/{identifier}")).json()
        assert one["status"] == status
    everything = await organizer.listed(status="all")
    assert everything[:2] == [made["scheduled"], made["published"]]
    assert sorted(everything) == sorted(made.values())
    for who, reader in readers.items():
        if who == "organizer":
            continue
        assert await reader.listed(status="published") == [made["published"]]
        for status in ("scheduled", "expired", "withdrawn", "all"):
            response = await reader.ask("GET", "/announcements", None, status=status)
            assert response.status_code == (401 if who == "nobody" else 403), (who, status)
        for status, identifier in made.items():
            response = await reader.ask("GET", f"/announcements/{identifier}")
            assert response.status_code == (200 if status == "published" else 404)


async def test_filters_together(organizer: Speaker) -> None:
    made = {
        (audience, urgent, status): (
            await organizer.announce(
                audience=audience, urgent=urgent, publish_at=later(hours=1) if status == "scheduled" else None
            )
        )["id"]
        for audience in (None, "staff")
        for urgent in (True, False)
        for status in ("published", "scheduled")
    }
    for audience in (None, "everybody", "staff"):
        for urgent in (None, True, False):
            for status in ("published", "scheduled", "all"):
                asked = {"audience": audience, "urgent": urgent, "status": status}
                query = {name: str(value).lower() for name, value in asked.items() if value is not None}
                wanted = {
                    identifier
                    for (whom, marked, state), identifier in made.items()
                    if audience in (None, whom or "everybody") and urgent in (None, marked) and status in ("all", state)
                }
                assert set(await organizer.listed(**query)) == wanted, query


async def test_newest_first_by_when_it_went_out(organizer: Speaker, table: Table) -> None:
    planned_first = await organizer.announce(publish_at=later(minutes=10))
    at_once = await organizer.announce()
    await table.let_time_pass(3600)
    await until_answered(lambda: organizer.listed(), [planned_first["id"], at_once["id"]])


async def pages(reader: Speaker, limit: int, **query: Any) -> list[Json]:
    found = [await reader.page(limit=limit, **query)]
    while cursor := found[-1]["next_cursor"]:
        found.append(await reader.page(limit=limit, cursor=cursor, **query))
    return found


async def test_pages_together_are_the_whole(organizer: Speaker) -> None:
    draw = random.Random(3)
    since = (await organizer.page())["as_of"]
    for number in range(13):
        made = await organizer.announce(
            audience=draw.choice((None, "staff", "ticket:vip")),
            urgent=draw.random() < 0.5,
            publish_at=later(hours=number) if draw.random() < 0.3 else None,
        )
        if draw.random() < 0.3:
            await organizer.withdraw(made["id"])
    for query in (
        {"status": "all"},
        {"status": "all", "since": since},
        {"since": since},
        {"status": "all", "urgent": "true"},
    ):
        (whole,) = await pages(organizer, 500, **query)
        count = len(whole["announcements"]) + len(whole["gone"])
        for limit in (1, 2, 5, count - 1, count):
            found = await pages(organizer, limit, **query)
            assert [one for page in found for one in page["announcements"]] == whole["announcements"], (query, limit)
            assert [one for page in found for one in page["gone"]] == whole["gone"], (query, limit)
            assert all(len(page["announcements"]) + len(page["gone"]) <= limit for page in found)


async def test_a_cursor_belongs_to_its_list(organizer: Speaker) -> None:
    since = (await organizer.page())["as_of"]
    for _ in range(3):
        await organizer.announce()
    newest = (await organizer.page(limit=1))["next_cursor"]
    changed = (await organizer.page(limit=1, since=since))["next_cursor"]
    far = listing.encode_cursor("newest", "9999-12-31T23:59:59-14:00", str(UUID(int=0)))
    naive = listing.encode_cursor("newest", "2026-12-31T23:59:59", str(UUID(int=0)))
    for query in (
        {"cursor": changed},
        {"cursor": newest, "since": since},
        {"cursor": far},
        {"cursor": naive},
        {"cursor": "x"},
    ):
        response = await organizer.ask("GET", "/announcements", None, **query)
        assert said(response) == (422, "request.invalid", "cursor"), query


async def test_since_tells_what_came_changed_and_went(organizer: Speaker, api: httpx.AsyncClient, table: Table) -> None:
    """As a phone without a feed asks, that was off in between."""
    phone = Speaker(api, "")
    kept, edited, taken, running_out = [
        (await organizer.announce(expires_at=later(minutes=30) if number == 3 else None))["id"] for number in range(4)
    ]
    moment = await now(table)  # exactly, where `as_of` would repeat a little
    never = await organizer.announce(publish_at=later(hours=9))
    await organizer.withdraw(never["id"])
    await organizer.edit(edited, urgent=True)
    await organizer.withdraw(taken)
    new = await organizer.announce()
    await organizer.announce(audience="staff")
    await table.let_time_pass(3600)
    await until_answered(lambda: organizer.listed(status="expired"), [running_out])
    page = await phone.page(since=moment)
    assert [one["id"] for one in page["announcements"]] == [edited, new["id"]]
    assert page["gone"] == [taken, running_out], "not those it never heard of"
    assert kept not in page["gone"]
    assert datetime.fromisoformat(page["as_of"]) < datetime.fromisoformat(moment), "some seconds are told twice"
    assert (await phone.page(since=await now(table)))["announcements"] == []
    everything = await organizer.page(since=moment, status="all")
    assert (len(everything["announcements"]), everything["gone"]) == (6, []), "nothing is ever gone from `all`"
    urgent = await phone.page(since=moment, urgent="false")
    assert edited in urgent["gone"], "it no longer fits"


async def test_what_has_moved_to_another_audience_is_gone_from_the_one_it_had(organizer: Speaker, table: Table) -> None:
    """An organizer's screen that shows one audience drops it, as it drops what is no longer urgent."""
    stays, moves = [(await organizer.announce(audience="staff", publish_at=later(hours=9)))["id"] for _ in range(2)]
    moment = await now(table)
    await organizer.edit(moves, audience="speakers")
    await organizer.edit(stays, urgent=True)
    asked = {"since": moment, "status": "scheduled"}
    page = await organizer.page(audience="staff", **asked)
    assert ([one["id"] for one in page["announcements"]], page["gone"]) == ([stays], [moves])
    page = await organizer.page(audience="speakers", **asked)
    assert ([one["id"] for one in page["announcements"]], page["gone"]) == ([moves], [stays])
    page = await organizer.page(**asked)
    assert ([one["id"] for one in page["announcements"]], page["gone"]) == ([moves, stays], [])


async def now(table: Table) -> str:
    async with table.db.read() as connection:
        moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return moment.isoformat()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "yesterday"),
        ("since", "2026-12-18T09:00:00"),
        ("since", "0001-01-01T00:00:00Z"),
        ("since", "9999-12-31T23:59:59-14:00"),
        ("status", "drafts"),
        ("status", ""),
        ("urgent", "perhaps"),
        ("limit", "0"),
        ("limit", "501"),
        ("audience", "x" * 201),
    ],
)
async def test_junk_is_refused(organizer: Speaker, name: str, value: str) -> None:
    response = await organizer.ask("GET", "/announcements", None, **{name: value})
    assert said(response) == (422, "request.invalid", name)


async def test_an_id_that_is_none(organizer: Speaker) -> None:
    for identifier in ("x", "0", "00000000-0000-7000-8000-00000000000g"):
        assert (await organizer.ask("GET", f"/announcements/{identifier}")).status_code == 404


async def test_everybody_reads_their_language(organizer: Speaker, api: httpx.AsyncClient) -> None:
    made = await organizer.announce(body={"en": "Room B"})
    for language, title, body in (
        ("fr", TITLE["fr"], "Room B"),
        ("ar", TITLE["ar"], "Room B"),
        ("*", TITLE, {"en": "Room B"}),
    ):
        (one,) = (await organizer.page(lang=language))["announcements"]
        assert (one["title"], one["body"]) == (title, body)
        assert (await organizer.ask("GET", f"/announcements/{made['id']}", None, lang=language)).json() == one
    spoken = await api.get("/announcements", headers={"Accept-Language": "ar"})
    assert spoken.json()["announcements"][0]["title"] == TITLE["ar"]


async def test_it_is_listed_until_it_is_told_that_it_expired(organizer: Speaker, table: Table) -> None:
    """A list and the events after it agree, whatever the time of day: phones go by `expires_at` themselves."""
    made = await organizer.announce(expires_at=later(hours=1))
    await table.let_time_pass()
    await until_answered(organizer.listed, [])
    _, expired = await organizer.events()
    assert expired["data"]["id"] == made["id"]
    assert datetime.fromisoformat(expired["at"]) - datetime.fromisoformat(made["expires_at"]) < timedelta(hours=1)
