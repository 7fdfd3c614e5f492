"""A newer file of a programme: it changes what it says otherwise than the file before it, all of it or nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from msgspec import Struct
from msgspec.structs import replace

from server.db import Database
from server.event.types import EventRow
from server.interchange.programme import Day, Programme, Room, Session, Speaker, Track
from server.schedule import actions, commands, draft_actions, queries
from server.schedule.commands import ChangeDay, ChangeRoom, ChangeSession, ChangeSpeaker
from server.schedule.errors import StillInUse
from server.schedule.rows import Row, Subject, id_of
from tests.conftest import Demo
from tests.phones import organizer_of
from tests.schedule.applying import apply_all
from tests.schedule.organizers import Organizer, read_events, read_programme
from tests.schedule.programmes import Files, bring, new_event, said_by, state_of

TEN = datetime(2026, 12, 18, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)

TALK = Session(
    key="talk", number=1, title={"en": "Sardines"}, starts_at=TEN, ends_at=TEN + HOUR, room="atlas", speakers=("salma",)
)
OTHER = Session(key="other", number=2, title={"en": "Tuna"}, starts_at=TEN, ends_at=TEN + HOUR, room="rif")
FILE = Programme(
    title={"en": "Fish"},
    timezone="Africa/Casablanca",
    version="1",
    days=(Day(date="2026-12-18", name={"en": "First"}),),
    rooms=(Room(key="atlas", name={"en": "Atlas"}), Room(key="rif", name={"en": "Rif"})),
    tracks=(Track(key="sea", name={"en": "Sea"}),),
    speakers=(Speaker(key="salma", name={"en": "Salma"}), Speaker(key="karim", name={"en": "Karim"})),
    sessions=(TALK, OTHER),
)

EVERYTHING = """
    SELECT (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM session AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM room AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM speaker AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM session_speaker AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM schedule AS x WHERE version > 0),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM schedule_version AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM schedule_history AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM schedule_source AS x),
           (SELECT jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text) FROM feed_channel AS x),
           (SELECT count(*) FROM feed_event)
"""


@pytest.fixture
async def event(db: Database) -> EventRow:
    """One that has brought `FILE`."""
    event = await new_event(db)
    await bring(db, event, FILE)
    return event


def of(programme: Programme, **changes: Any) -> Programme:
    return replace(programme, **changes)


def with_talk(**changes: Any) -> Programme:
    """The file with another `TALK`."""
    return of(FILE, sessions=(replace(TALK, **changes), OTHER))


async def find(db: Database, event: EventRow, subject: Subject, key: str) -> Any:
    rows = (await state_of(db, event)).of(subject).values()
    return next((row for row in rows if str(getattr(row, "key", None) or getattr(row, "date", "")) == key), None)


async def change(db: Database, event: EventRow, subject: Subject, key: str, change: Struct) -> Row:
    """An organizer's."""
    thing = await find(db, event, subject, key)
    return await actions.change_thing(db, event, subject, id_of(thing), change)


async def everything(db: Database) -> list[Any]:
    async with db.read() as connection:
        return list(await connection.fetchrow(EVERYTHING))


async def kinds_told(db: Database, event: EventRow) -> list[str]:
    async with db.read() as connection:
        rows = await connection.fetch(
            "SELECT kind FROM feed_event WHERE event_id = $1 AND channel = 'schedule' ORDER BY seq", event.event_id
        )
    return [row["kind"] for row in rows]


async def test_the_first_file(db: Database, event: EventRow) -> None:
    kinds = await kinds_told(db, event)
    assert kinds[-3:] == ["session.added", "session.added", "schedule.released"]
    assert sorted(kinds[:-3]) == [
        "day.added",
        "room.added",
        "room.added",
        "speaker.added",
        "speaker.added",
        "track.added",
    ]
    talk = await find(db, event, "session", "talk")
    assert (talk.title, talk.number, talk.revision) == ({"en": "Sardines"}, 1, 1)
    assert talk.room_id == (await find(db, event, "room", "atlas")).room_id


async def test_looking_writes_nothing_and_says_what_would_happen(db: Database, event: EventRow) -> None:
    await change(db, event, "session", "talk", ChangeSession(title={"en": "Changed"}))
    newer = of(with_talk(title={"en": "Whales"}, room="rif"), speakers=FILE.speakers[:1], version="2")
    before = await everything(db)
    looked = await bring(db, event, newer, dry_run=True)
    assert await everything(db) == before
    assert looked.version is None
    done = await bring(db, event, newer, note="from the committee")
    assert done.version == 3
    assert (looked.repairs, looked.overruled) == (done.repairs, done.overruled)
    assert [replace(one, session=None) for one in looked.changes] == [
        replace(one, session=None) for one in done.changes
    ]
    assert await everything(db) != before
    async with db.read() as connection:
        note = await connection.fetchrow(
            "SELECT origin, name, note FROM schedule_version WHERE event_id = $1 AND version = 3", event.event_id
        )
    assert tuple(note) == ("import", "2", "from the committee")


async def test_looking_at_the_first_file_leaves_no_programme(db: Database) -> None:
    event, before = await new_event(db), await everything(db)
    looked = await bring(db, event, FILE, dry_run=True)
    assert len(looked.changes) == 8
    assert await everything(db) == before


async def test_the_same_file_again_is_nothing(db: Database, event: EventRow) -> None:
    told = await kinds_told(db, event)
    again = await bring(db, event, replace(FILE, version="another name"))
    assert (again.version, again.changes, again.repairs, again.overruled) == (None, [], [], [])
    assert await kinds_told(db, event) == told


async def test_a_moment_is_the_same_in_any_zone(db: Database, event: EventRow) -> None:
    """And an organizer's change of it stays, though the file spells it otherwise now."""
    await change(db, event, "session", "talk", ChangeSession(starts_at=TEN + HOUR))
    east = timezone(timedelta(hours=5, minutes=30))
    spelt = with_talk(starts_at=TALK.starts_at.astimezone(east), ends_at=TALK.ends_at.astimezone(east))
    assert (await bring(db, event, spelt)).changes == []
    assert (await find(db, event, "session", "talk")).starts_at == TEN + HOUR


async def test_what_an_organizer_changed_stays(db: Database, event: EventRow) -> None:
    """The file says something new of other fields, and of this one what it always said."""
    await change(db, event, "session", "talk", ChangeSession(title={"en": "Changed"}, speaker_ids=[]))
    await change(db, event, "room", "rif", ChangeRoom(capacity=7))
    await change(db, event, "speaker", "salma", ChangeSpeaker(tagline={"en": "Captain"}))
    newer = of(with_talk(abstract={"en": "New"}), rooms=(FILE.rooms[0], replace(FILE.rooms[1], floor="2")))
    done = await bring(db, event, newer)
    assert done.overruled == []
    talk, rif = await find(db, event, "session", "talk"), await find(db, event, "room", "rif")
    assert (talk.title, talk.abstract, talk.speaker_ids) == ({"en": "Changed"}, {"en": "New"}, [])
    assert (rif.capacity, rif.floor) == (7, "2")
    assert (await find(db, event, "speaker", "salma")).tagline == {"en": "Captain"}


async def test_where_both_changed_it_the_file_s_word_is_taken_and_it_is_said(db: Database, event: EventRow) -> None:
    await change(db, event, "session", "talk", ChangeSession(title={"en": "Changed"}))
    done = await bring(db, event, with_talk(title={"en": "Whales"}, abstract={"en": "New"}))
    assert [(one.where, "`title`" in one.what) for one in done.overruled] == [("Changed", True)]
    assert (await find(db, event, "session", "talk")).title == {"en": "Whales"}


async def test_both_say_the_same(db: Database, event: EventRow) -> None:
    await change(db, event, "session", "talk", ChangeSession(title={"en": "Whales"}))
    done = await bring(db, event, with_talk(title={"en": "Whales"}))
    assert (done.version, done.overruled) == (None, [])


async def test_an_end_that_does_not_go_with_the_beginning(db: Database, event: EventRow) -> None:
    """Moved to the afternoon here, made longer there: the file's times are taken, both of them."""
    await change(db, event, "session", "talk", ChangeSession(starts_at=TEN + 5 * HOUR))
    done = await bring(db, event, with_talk(ends_at=TEN + 2 * HOUR))
    talk = await find(db, event, "session", "talk")
    assert (talk.starts_at, talk.ends_at) == (TEN, TEN + 2 * HOUR)
    assert {one.what.split("`")[1] for one in done.overruled} == {"starts_at", "ends_at"}


async def test_a_session_that_leaves_the_file_is_cancelled_and_comes_back(db: Database, event: EventRow) -> None:
    talk = await find(db, event, "session", "talk")
    gone = await bring(db, event, of(FILE, sessions=(OTHER,)))
    assert [(one.id, one.kinds) for one in gone.changes] == [(talk.session_id, ["cancelled"])]
    assert (await bring(db, event, of(FILE, sessions=(OTHER,)))).changes == []
    back = await bring(db, event, with_talk(room="rif", starts_at=TEN + 2 * HOUR, ends_at=TEN + 3 * HOUR))
    assert [(one.id, one.kinds) for one in back.changes] == [(talk.session_id, ["reinstated", "moved", "delayed"])]
    assert back.overruled == []
    assert (await find(db, event, "session", "talk")).status == "scheduled"


async def test_what_an_organizer_cancelled_stays_cancelled(db: Database, event: EventRow) -> None:
    await change(db, event, "session", "talk", ChangeSession(status="cancelled"))
    await bring(db, event, with_talk(abstract={"en": "New"}, room="rif", starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR))
    assert (await find(db, event, "session", "talk")).status == "cancelled"
    said = await bring(db, event, with_talk(status="cancelled"))
    assert said.overruled == []


async def test_a_status_that_follows_from_a_move_overrules_nobody(db: Database, event: EventRow) -> None:
    await bring(db, event, with_talk(starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR))
    assert (await find(db, event, "session", "talk")).status == "delayed"
    done = await bring(db, event, with_talk(starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR, status="cancelled"))
    assert done.overruled == []
    assert (await find(db, event, "session", "talk")).status == "cancelled"


@pytest.mark.parametrize(
    ("subject", "key"), [("session", "talk"), ("track", "sea"), ("speaker", "karim"), ("day", "2026-12-18")]
)
async def test_what_an_organizer_took_away_stays_away(
    db: Database, event: EventRow, subject: Subject, key: str
) -> None:
    thing = await find(db, event, subject, key)
    await actions.remove_thing(db, event, subject, id_of(thing))
    assert (await bring(db, event, FILE)).changes == []
    changed = await bring(db, event, with_talk(abstract={"en": "New"}))
    assert await find(db, event, subject, key) is None
    assert len(changed.changes) == (0 if subject == "session" else 1)


async def test_a_draft_brings_back_what_the_file_has_made_anew(db: Database, event: EventRow) -> None:
    """The talk was drafted, taken away here, left the file and came back: then both are there, under keys and numbers of their
    own, and the file still knows which is its."""
    drafted = id_of(await find(db, event, "session", "talk"))
    await draft_actions.draft_change(
        db, event, "session", drafted, ChangeSession(title={"en": "Drafted"}, room_id=None)
    )
    await actions.remove_thing(db, event, "session", drafted)
    for file in (of(FILE, sessions=(OTHER,)), FILE):
        await bring(db, event, file)
    anew = await find(db, event, "session", "talk")
    await draft_actions.release(db, event, commands.ReleaseDraft(force=True))
    state = await state_of(db, event)
    assert {state.session[one].title["en"] for one in (drafted, anew.session_id)} == {"Drafted", "Sardines"}
    await bring(db, event, with_talk(title={"en": "Tuna"}))
    state = await state_of(db, event)
    assert (state.session[drafted].title, state.session[anew.session_id].title) == ({"en": "Drafted"}, {"en": "Tuna"})


async def test_a_day_that_an_organizer_moved_is_not_made_again(db: Database, event: EventRow) -> None:
    await change(db, event, "day", "2026-12-18", ChangeDay(date=TEN.date() + timedelta(days=1)))
    assert (await bring(db, event, FILE)).changes == []


async def test_rooms_and_speakers_go_when_nothing_refers_to_them(db: Database, event: EventRow) -> None:
    """A cancelled session still says where it would have been; when it moves or goes, the room goes with the next file."""
    alone = of(FILE, rooms=FILE.rooms[1:], speakers=(), sessions=(OTHER,))
    done = await bring(db, event, alone)
    assert sorted((one.subject, one.kinds[0]) for one in done.changes) == [
        ("session", "cancelled"),
        ("speaker", "removed"),
    ]
    assert await find(db, event, "room", "atlas") is not None
    talk = await find(db, event, "session", "talk")
    await actions.remove_thing(db, event, "session", talk.session_id)
    done = await bring(db, event, alone)
    assert sorted((one.subject, one.kinds[0]) for one in done.changes) == [("room", "removed"), ("speaker", "removed")]
    assert (await bring(db, event, alone)).changes == []


async def test_what_others_hold_on_to_stays(api: httpx.AsyncClient, db: Database, demo: Demo, event_id: UUID) -> None:
    """A room that a check-in list follows, a speaker who is an attendee, a track to which something will be announced."""
    event = replace(await new_event(db), event_id=event_id)
    await bring(db, event, FILE)
    held = {
        key: id_of(await find(db, event, of_, key))
        for of_, key in (("room", "rif"), ("speaker", "karim"), ("track", "sea"))
    }
    organizer = organizer_of(api, demo)
    await organizer.add_list("rif", kind="room", room_id=str(held["rif"]))
    answer = await organizer.ask("PATCH", f"/attendees/{demo.attendees[0]['id']}", {"speaker_id": str(held["karim"])})
    assert answer.status_code == 200
    coming = {"title": {"en": "x"}, "audience": f"track:{held['sea']}", "publish_at": "2050-01-01T00:00:00Z"}
    assert (await organizer.ask("POST", "/announcements", coming)).status_code == 201
    done = await bring(
        db, event, of(FILE, rooms=FILE.rooms[:1], speakers=FILE.speakers[:1], tracks=(), sessions=(TALK,))
    )
    assert [one.kinds for one in done.changes] == [["cancelled"]]


async def test_an_announcement_that_comes_in_between_holds_its_track(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scheduled after the import has looked and before it writes: the import is refused, whole."""
    event = replace(await new_event(db), event_id=event_id)
    await bring(db, event, FILE)
    track = id_of(await find(db, event, "track", "sea"))
    store = actions.store

    async def store_late(*arguments: Any, **more: Any) -> Any:
        coming = {"title": {"en": "x"}, "audience": f"track:{track}", "publish_at": "2050-01-01T00:00:00Z"}
        assert (await organizer_of(api, demo).ask("POST", "/announcements", coming)).status_code == 201
        return await store(*arguments, **more)

    monkeypatch.setattr(actions, "store", store_late)
    with pytest.raises(StillInUse):
        await bring(db, event, of(FILE, tracks=()))
    assert await find(db, event, "track", "sea") is not None


async def test_the_order_of_the_file_is_the_order_shown(db: Database, event: EventRow) -> None:
    await bring(db, event, of(FILE, rooms=(*reversed(FILE.rooms), Room(key="new", name={"en": "New"}))))
    rooms = (await state_of(db, event)).room.values()
    assert [(room.key, room.position) for room in rooms] == [("rif", 0), ("atlas", 1), ("new", 2)]


async def test_an_organizer_s_order_stays_until_the_file_has_another(db: Database, event: EventRow) -> None:
    """Something new at the end is no other order; something new between them is."""

    async def order() -> list[str]:
        rooms = (await state_of(db, event)).room.values()
        return [room.key for room in rooms]

    await change(db, event, "room", "atlas", ChangeRoom(position=9))
    assert await order() == ["rif", "atlas"]
    assert (await bring(db, event, FILE)).changes == []
    await bring(db, event, of(FILE, rooms=(*FILE.rooms, Room(key="new", name={"en": "New"}))))
    assert await order() == ["rif", "atlas", "new"]
    between = (FILE.rooms[0], Room(key="mid", name={"en": "Mid"}), FILE.rooms[1], Room(key="new", name={"en": "New"}))
    await bring(db, event, of(FILE, rooms=between))
    assert await order() == ["atlas", "mid", "rif", "new"]


async def test_two_in_a_room_are_both_kept_and_marked(db: Database, event: EventRow) -> None:
    double = of(
        FILE, sessions=(TALK, replace(OTHER, room="atlas"), replace(OTHER, key="third", number=3, room="atlas"))
    )
    done = await bring(db, event, double)
    assert len(done.repairs) == 2
    assert "same room at the same time" in done.repairs[0].what
    rows = (await state_of(db, event)).session.values()
    assert sorted(row.shares_room for row in rows) == [False, True, True]
    assert (await bring(db, event, double)).repairs == []


async def test_an_organizer_s_session_is_not_the_one_that_is_marked(db: Database, event: EventRow) -> None:
    atlas = (await find(db, event, "room", "atlas")).room_id
    ours = await actions.add_thing(
        db,
        event,
        "session",
        commands.AddSession(
            title={"en": "Ours"}, starts_at=TEN + 2 * HOUR, ends_at=TEN + 3 * HOUR, room_id=atlas, number=5
        ),
    )
    late = {"starts_at": TEN + 2 * HOUR, "ends_at": TEN + 3 * HOUR}
    done = await bring(db, event, of(FILE, sessions=(replace(TALK, **late, number=5), OTHER)))
    assert [one.where for one in done.repairs] == ["Sardines"]
    state = await state_of(db, event)
    talk = await find(db, event, "session", "talk")
    assert (state.session[id_of(ours)].shares_room, talk.shares_room) == (False, True)
    assert (state.session[id_of(ours)].number, talk.number) == (5, 1), "a number that is taken stays with whom it has"


async def test_numbers_that_sessions_pass_on(db: Database, event: EventRow) -> None:
    await bring(db, event, of(FILE, sessions=(replace(TALK, number=2), replace(OTHER, number=1))))
    assert (await find(db, event, "session", "talk")).number == 2
    done = await bring(db, event, of(FILE, sessions=(replace(OTHER, key="new", number=2),)))
    assert (await find(db, event, "session", "new")).number == 2, "what is no longer in the file yields it"
    assert (await find(db, event, "session", "talk")).number not in (1, 2)
    assert len(done.changes) == 3


async def test_what_only_files_say_is_told_to_nobody(db: Database, event: EventRow) -> None:
    told = await kinds_told(db, event)
    done = await bring(db, event, with_talk(extra={"secret": "the reviewer's note"}))
    assert (done.version, done.changes) == (2, [])
    assert (await kinds_told(db, event))[len(told) :] == ["schedule.released"]
    assert (await find(db, event, "session", "talk")).extra == {"secret": "the reviewer's note"}


async def test_a_great_change_is_told_as_one(db: Database, event: EventRow) -> None:
    told = await kinds_told(db, event)

    def many(count: int, title: str) -> Programme:
        sessions = [replace(OTHER, key=f"s{n}", number=n + 10, room=None, title={"en": title}) for n in range(count)]
        return of(FILE, sessions=(TALK, OTHER, *sessions))

    await bring(db, event, many(actions.MOST_TOLD, "a"))
    assert (await kinds_told(db, event))[len(told) :] == ["session.added"] * actions.MOST_TOLD + ["schedule.released"]
    told = await kinds_told(db, event)
    await bring(db, event, replace(many(actions.MOST_TOLD + 1, "b"), version="new"))
    assert (await kinds_told(db, event))[len(told) :] == ["schedule.replaced"]
    async with db.read() as connection:
        data = await connection.fetchval(
            "SELECT data FROM feed_event WHERE event_id = $1 AND kind = 'schedule.replaced'", event.event_id
        )
    assert "401" in str(data)


async def test_a_great_change_that_nobody_sees_sends_nobody_back(db: Database, event: EventRow) -> None:
    """It is the size of what is told that counts: five thousand phones would read anew what they have."""
    sessions = [replace(OTHER, key=f"s{n}", number=n + 10, room=None) for n in range(actions.MOST_TOLD + 1)]
    await bring(db, event, of(FILE, sessions=(TALK, OTHER, *sessions)))
    told = await kinds_told(db, event)
    noted = [replace(one, extra={"secret": "the reviewer's note"}) for one in sessions]
    done = await bring(db, event, of(FILE, sessions=(TALK, OTHER, *noted)))
    assert (done.version, done.changes) == (3, [])
    assert (await kinds_told(db, event))[len(told) :] == ["schedule.released"]


async def test_an_import_that_fails_leaves_everything_as_it_was(
    db: Database, event: EventRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await everything(db)
    with pytest.raises(asyncpg.PostgresError):  # no database text holds it
        await bring(db, event, with_talk(license="a\x00b"))
    assert await everything(db) == before

    emit, told = actions.emit, []

    async def emit_once(*arguments: Any, **more: Any) -> Any:
        told.append(more["kind"])
        if len(told) > 1:
            raise ConnectionError("the database is gone")
        return await emit(*arguments, **more)

    monkeypatch.setattr(actions, "emit", emit_once)
    with pytest.raises(ConnectionError):
        await bring(db, event, with_talk(title={"en": "New"}))
    assert await everything(db) == before


async def test_an_import_in_several_transactions_is_caught(
    db: Database, event: EventRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same test, and what the file says is remembered by a connection of its own."""
    write = queries.advance_version

    async def advance_elsewhere(tx: Any, event_id: UUID) -> Any:
        async with db.read() as connection:
            await connection.execute("INSERT INTO schedule_source VALUES ($1, 'room', 'x', '{}', false)", event_id)
        return await write(tx, event_id)

    monkeypatch.setattr(queries, "advance_version", advance_elsewhere)
    with pytest.raises(AssertionError):
        await test_an_import_that_fails_leaves_everything_as_it_was(db, event, monkeypatch)


async def test_files_come_while_organizers_work(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: UUID
) -> None:
    """Nobody is in the other's way: whoever follows the feed has what a fresh reader gets, and each version is one change."""
    event = replace(await new_event(db), event_id=event_id)
    before = await read_programme(api)
    organizers, files = [Organizer(api, demo, before, seed) for seed in (1, 2)], Files(5)

    async def work(organizer: Organizer) -> None:
        for _ in range(15):
            await organizer.change_something()

    async def publish() -> Programme:
        for _ in range(6):
            await bring(db, event, files.next())
        return files.programme

    *_, last = await asyncio.gather(*(work(one) for one in organizers), publish())
    await bring(db, event, last)
    events = await read_events(api, before)
    after = apply_all(before, events)
    async with db.read() as connection:
        versions = await connection.fetch(
            "SELECT version FROM schedule_version WHERE event_id = $1 ORDER BY version", event_id
        )
    assert [row["version"] for row in versions] == list(range(1, after["version"] + 1))
    while (now := await read_programme(api))["version"] < after["version"]:
        pass
    assert after == now
    said = said_by(await state_of(db, event))["session"]
    expected = {one.key for one in last.sessions if one.status != "cancelled"}
    assert {key for key in said if key.startswith("session-")} == expected
