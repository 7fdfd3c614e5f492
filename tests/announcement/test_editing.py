"""What is changed, withdrawn or expires is told to those who have heard of it, and to nobody else."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest

from server.announcement import actions, queries
from server.announcement.actions import edit_announcement, take_due_step, withdraw_announcement
from server.announcement.errors import AlreadyPublished
from server.announcement.types import ChangeAnnouncement
from server.auth import hash_token, new_token
from server.errors import AppError
from server.event.queries import get_event, insert_event, insert_organizer
from server.feed import emit
from server.ids import new_id
from tests.announcement.speaking import TITLE, Speaker, Table, later
from tests.phones import said
from tests.waiting import until_answered


async def test_an_edit_is_told_whole(organizer: Speaker) -> None:
    made = await organizer.announce(audience="staff", expires_at=later(hours=1))
    edited = await organizer.edit(
        made["id"], title={"fr": "Corrigé"}, urgent=True, body={"fr": "Salle C"}, expires_at=None
    )
    assert {name for name in edited if edited[name] != made[name]} == {
        "title", "urgent", "body", "expires_at", "edited_at",
    }  # fmt: skip
    first, second = await organizer.events("announcements:staff")
    assert (second["kind"], second["seq"]) == ("announcement.edited", first["seq"] + 1)
    assert second["data"] == {name: value for name, value in edited.items() if name != "seq"}
    assert edited["edited_at"] >= edited["published_at"]
    assert (await organizer.page(lang="*", audience="staff"))["announcements"] == [second["data"]]


async def test_a_change_that_changes_nothing_is_told_to_nobody(organizer: Speaker) -> None:
    body = {"title": TITLE, "body": {}, "urgent": False, "audience": None, "expires_at": later(hours=1)}
    made = await organizer.announce(**body)
    scheduled = await organizer.announce(publish_at=later(hours=1))
    for changes in (
        {},
        body,
        {"title": dict(reversed(TITLE.items()))},
        {"publish_at": made["publish_at"]},
        {"publish_at": None},
    ):
        assert await organizer.edit(made["id"], **changes) == made
    assert await organizer.edit(scheduled["id"], publish_at=scheduled["publish_at"], audience=None) == scheduled
    assert await organizer.heard() == [("published", made["id"])]


async def test_while_it_is_scheduled_all_of_it_may_change(organizer: Speaker, table: Table) -> None:
    made = await organizer.announce(publish_at=later(hours=1))
    changed = await organizer.edit(
        made["id"], title={"fr": "Autre"}, audience="staff", publish_at=later(minutes=90), expires_at=later(hours=3)
    )
    assert (changed["status"], changed["audience"], changed["edited_at"], changed["seq"]) == (
        "scheduled",
        "staff",
        None,
        None,
    )
    await table.let_time_pass(3700)
    assert await organizer.heard("announcements:staff") == []
    await table.let_time_pass(3700)
    await until_answered(lambda: organizer.heard("announcements:staff"), [("published", made["id"])])
    (event,) = await organizer.events("announcements:staff")
    assert (event["data"]["title"], event["data"]["edited_at"]) == ({"fr": "Autre"}, None)
    assert await organizer.heard() == []


@pytest.mark.parametrize("at", [None, "2020-01-01T00:00:00Z"])
async def test_what_was_for_later_can_be_sent_now(organizer: Speaker, at: str | None) -> None:
    made = await organizer.announce(publish_at=later(hours=1))
    changed = await organizer.edit(made["id"], publish_at=at, title={"fr": "Maintenant"})
    assert (changed["status"], changed["seq"], changed["title"]) == ("published", 1, {"fr": "Maintenant"})
    assert await organizer.heard() == [("published", made["id"])]
    assert (await organizer.edit(made["id"], publish_at=None))["seq"] == 1, "again: it is so already"
    assert len(await organizer.events()) == 1


async def test_what_has_gone_out_keeps_its_audience_and_its_time(organizer: Speaker) -> None:
    made = await organizer.announce()
    for changes in ({"audience": "staff"}, {"publish_at": later(hours=1)}, {"audience": "nobody"}):
        response = await organizer.ask("PATCH", f"/announcements/{made['id']}", {**changes, "urgent": True})
        assert said(response)[:2] == (409, "announcement.published"), changes
    assert await organizer.heard() == [("published", made["id"])]


async def test_a_past_end_is_no_edit(organizer: Speaker) -> None:
    made = await organizer.announce()
    response = await organizer.ask("PATCH", f"/announcements/{made['id']}", {"expires_at": later(seconds=-1)})
    assert said(response) == (422, "request.invalid", "expires_at")
    assert "withdraw it" in response.json()["detail"]
    scheduled = await organizer.announce(publish_at=later(hours=1), expires_at=later(hours=2))
    for changes in (
        {"expires_at": later(minutes=59)},
        {"publish_at": later(hours=3)},
        {"expires_at": later(seconds=-5), "publish_at": None},
    ):
        response = await organizer.ask("PATCH", f"/announcements/{scheduled['id']}", changes)
        assert said(response) == (422, "request.invalid", "expires_at"), changes
    assert await organizer.heard() == [("published", made["id"])]


async def test_an_unknown_audience_is_refused_in_an_edit_too(organizer: Speaker) -> None:
    made = await organizer.announce(publish_at=later(hours=1))
    for audience in ("everyone", f"track:{uuid.uuid4()}", "ticket:nothing"):
        response = await organizer.ask("PATCH", f"/announcements/{made['id']}", {"audience": audience})
        assert said(response)[:2] == (422, "announcement.unknown_audience")


async def test_withdrawn(organizer: Speaker) -> None:
    made = await organizer.announce(audience="exhibitors")
    for _ in range(3):
        await organizer.withdraw(made["id"])
    _, event, *more = await organizer.events("announcements:exhibitors")
    assert (event["kind"], event["data"], more) == ("announcement.withdrawn", {"id": made["id"]}, [])
    assert await organizer.listed(audience="exhibitors") == []
    found = (await organizer.ask("GET", f"/announcements/{made['id']}")).json()
    assert (found["status"], found["ended_at"] >= found["published_at"]) == ("withdrawn", True)
    response = await organizer.ask("PATCH", f"/announcements/{made['id']}", {"urgent": True})
    assert said(response)[:2] == (409, "announcement.ended")


async def test_withdrawn_before_anybody_heard_of_it(organizer: Speaker, table: Table) -> None:
    made = await organizer.announce(publish_at=later(hours=1), expires_at=later(minutes=90))
    for _ in range(2):
        await organizer.withdraw(made["id"])
    await table.let_time_pass()
    assert await take_due_step(table.db, table.event_id, uuid.UUID(made["id"])) is False
    assert await organizer.heard() == []
    assert await organizer.listed(status="withdrawn") == [made["id"]]


async def test_expired(organizer: Speaker, table: Table) -> None:
    made = await organizer.announce(expires_at=later(hours=1))
    await table.let_time_pass()
    await until_answered(organizer.heard, [("published", made["id"]), ("expired", made["id"])])
    await organizer.withdraw(made["id"])
    response = await organizer.ask("PATCH", f"/announcements/{made['id']}", {"expires_at": None})
    assert said(response)[:2] == (409, "announcement.ended")
    assert await organizer.listed(status="expired") == [made["id"]]
    assert len(await organizer.events()) == 2


async def test_a_later_end_is_what_counts(organizer: Speaker, table: Table) -> None:
    made = await organizer.announce(expires_at=later(hours=1))
    await organizer.edit(made["id"], expires_at=later(hours=3))
    await table.let_time_pass()
    assert await take_due_step(table.db, table.event_id, uuid.UUID(made["id"])) is False
    assert await organizer.listed() == [made["id"]]


async def test_nobody_reaches_another_event_s(organizer: Speaker, table: Table) -> None:
    token, other_id = new_token("organizer"), new_id()
    async with table.db.tx() as tx:
        event = await get_event(tx, table.event_id)
        assert event is not None
        await insert_event(tx, msgspec.structs.replace(event, event_id=other_id, slug="elsewhere"))
        await insert_organizer(tx, other_id, organizer_id=new_id(), name="Other", token_hash=hash_token(token))
    made = await organizer.announce()
    other = Speaker(organizer.api, token)
    base = str(organizer.api.base_url).replace("digital-now", "elsewhere")
    for identifier in (made["id"], str(uuid.uuid4())):
        place = f"{base}announcements/{identifier}"
        for method, body in (("GET", None), ("PATCH", {"urgent": True}), ("DELETE", None)):
            assert said(await other.ask(method, place, body))[:2] == (404, "announcement.unknown")
    same = await other.ask("POST", f"{base}announcements", {"id": made["id"], "title": {"fr": "Autre"}})
    assert (same.status_code, same.json()["seq"]) == (201, 1), "an id is the event's own"
    assert await organizer.heard() == [("published", made["id"])]


class Pause:
    """Holds whoever emits first until it is let go, its transaction open."""

    def __init__(self) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def emit(self, *arguments: Any, **more: Any) -> Any:
        emitted = await emit(*arguments, **more)
        if not self.reached.is_set():
            self.reached.set()
            await self.go_on.wait()
        return emitted


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Pause:
    paused = Pause()
    monkeypatch.setattr(actions, "emit", paused.emit)
    return paused


WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%FROM announcement%FOR UPDATE%'
"""


async def second_waits(table: Table) -> None:
    async with table.db.read() as connection:
        await until_answered(lambda: connection.fetchval(WAITING), 1)


async def test_an_edit_that_comes_while_it_goes_out(table: Table, pause: Pause) -> None:
    """It waits, and is an edit of what has been told."""
    (one,) = await table.schedule(1)
    await table.let_time_pass()
    publishing = asyncio.create_task(take_due_step(table.db, table.event_id, one))
    await pause.reached.wait()
    editing = asyncio.create_task(
        edit_announcement(table.db, table.event_id, one, ChangeAnnouncement(title={"fr": "Corrigé"}))
    )
    moving = asyncio.create_task(edit_announcement(table.db, table.event_id, one, ChangeAnnouncement(audience="staff")))
    async with table.db.read() as connection:
        await until_answered(lambda: connection.fetchval(WAITING), 2)
    pause.go_on.set()
    assert await publishing
    edited = await editing
    with pytest.raises(AlreadyPublished):
        await moving
    assert [kind for _, kind, _ in await table.told()] == ["published", "edited"]
    assert edited.edited_at is not None
    assert edited.published_at is not None
    assert edited.edited_at >= edited.published_at


async def test_its_moment_comes_while_it_is_edited(table: Table, pause: Pause) -> None:
    """The clock leaves it to whoever holds it; here that is an edit which sends it now."""
    (one,) = await table.schedule(1)
    editing = asyncio.create_task(
        edit_announcement(table.db, table.event_id, one, ChangeAnnouncement(publish_at=None, title={"fr": "Corrigé"}))
    )
    await pause.reached.wait()
    assert await take_due_step(table.db, table.event_id, one) is False
    pause.go_on.set()
    assert (await editing).status == "published"
    assert await take_due_step(table.db, table.event_id, one) is False
    (event,) = await table.log()
    assert msgspec.json.decode(event.data)["title"] == {"fr": "Corrigé"}


async def test_withdrawn_while_it_goes_out(table: Table, pause: Pause) -> None:
    """Who has heard of it hears that it is withdrawn."""
    (one,) = await table.schedule(1)
    await table.let_time_pass()
    publishing = asyncio.create_task(take_due_step(table.db, table.event_id, one))
    await pause.reached.wait()
    withdrawing = asyncio.create_task(withdraw_announcement(table.db, table.event_id, one))
    await second_waits(table)
    pause.go_on.set()
    await asyncio.gather(publishing, withdrawing)
    assert await table.told() == [(1, "published", one), (2, "withdrawn", one)]


async def race(table: Table, one: uuid.UUID, choice: int) -> None:
    steps = (
        lambda: take_due_step(table.db, table.event_id, one),
        lambda: withdraw_announcement(table.db, table.event_id, one),
        lambda: edit_announcement(table.db, table.event_id, one, ChangeAnnouncement(urgent=True)),
    )
    try:
        await steps[choice]()
    except AppError as error:
        assert error.code == "announcement.ended"  # noqa: PT017 - only some of them fail


def is_a_life(kinds: list[str]) -> bool:
    """Whether that may be what was told of one announcement: published first and once, nothing after its end."""
    if not kinds:
        return True
    first, *rest = kinds
    middle, last = rest[:-1], rest[-1:]
    return first == "published" and set(middle) <= {"edited"} and set(last) <= {"edited", "withdrawn", "expired"}


async def test_whatever_comes_together_is_a_life(table: Table) -> None:
    """Publishing, editing and withdrawing the same ones at the same time, over and over."""
    everything = await table.schedule(20)
    await table.let_time_pass()
    await asyncio.gather(*(race(table, one, (n + k) % 3) for n, one in enumerate(everything) for k in (0, 1, 2, 0)))
    told = await table.told()
    assert [seq for seq, _, _ in told] == list(range(1, len(told) + 1))
    statuses = await table.statuses()
    for one in everything:
        kinds = [kind for _, kind, each in told if each == one]
        assert is_a_life(kinds), kinds
        assert statuses[one] == "withdrawn"
        assert not kinds or kinds[-1] == "withdrawn"


async def test_without_the_lock_a_life_goes_wrong_and_is_seen(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: an edit that has read the row before it was withdrawn tells it to everybody after that."""
    monkeypatch.setattr(queries, "LOCK_ANNOUNCEMENT", queries.LOCK_ANNOUNCEMENT.replace("FOR UPDATE", ""))
    (one,) = await table.schedule(1, in_seconds=-1)
    barrier = asyncio.Barrier(2)
    lock = queries.lock_announcement

    async def both_read(*arguments: Any) -> Any:
        found = await lock(*arguments)
        await barrier.wait()
        return found

    monkeypatch.setattr(queries, "lock_announcement", both_read)
    await asyncio.gather(race(table, one, 1), race(table, one, 1))
    kinds = [kind for _, kind, _ in await table.told()]
    assert kinds == ["published", "withdrawn", "withdrawn"]
    assert not is_a_life(kinds)
