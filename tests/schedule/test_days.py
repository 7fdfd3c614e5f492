"""Days that are longer than a date: after midnight, and in the night in which Morocco's clock goes back for Ramadan."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from server.interchange.detect import read_schedule
from server.schedule.edition import Edition
from server.schedule.formats import FORMATS
from server.schedule.listing import Wanted, select
from server.schedule.rows import DayRow
from server.schedule.types import Schedule
from tests.schedule.editions import edition_of, event_row, id_of, session_row

RAMADAN = date(2021, 4, 11)
"""The Sunday on which the clock goes from 03:00 back to 02:00, before Ramadan begins on the 8th."""

SESSIONS = {
    1: "2021-04-10T05:59+01:00",  # still the 5th
    2: "2021-04-10T06:00+01:00",
    3: "2021-04-10T23:30+01:00",  # into the 7th
    4: "2021-04-11T02:30+01:00",  # the first half past two
    5: "2021-04-11T02:30+00:00",  # the second
    6: "2021-04-11T05:59+00:00",
    7: "2021-04-11T06:00+00:00",
}
DAYS = {"2021-04-09": [1], "2021-04-10": [2, 3, 4, 5, 6], "2021-04-11": [7]}


def nights_of_fez(day_begins: time = time(6)) -> Edition:
    return edition_of(
        event_row(day_begins=day_begins),
        [session_row(number, start, minutes=45) for number, start in SESSIONS.items()],
        days=(DayRow(id_of(500), date(2021, 4, 12), {"fr": "Repos"}),),
    )


def test_the_night_is_the_one_that_we_mean() -> None:
    zone = ZoneInfo("Africa/Casablanca")
    before, after = (datetime(2021, 4, 11, hour, 59, tzinfo=UTC).astimezone(zone) for hour in (1, 2))
    assert (before.hour, after.hour) == (2, 2)
    assert (before.utcoffset(), after.utcoffset()) != (after.utcoffset(), before.utcoffset())


def test_a_night_belongs_to_the_day_before() -> None:
    edition = nights_of_fez()
    document = msgspec.json.decode(FORMATS["schedule"].write(edition, "fr", None), type=Schedule)
    numbers = {session.id: session.title.split()[1] for session in document.sessions if isinstance(session.title, str)}
    found = {day.date: [int(numbers[one]) for one in day.session_ids] for day in document.days}
    assert found == DAYS | {"2021-04-12": []}
    assert document.day_begins == "06:00"
    assert document.days[-1].name == "Repos"


def test_lists_count_days_as_the_programme_does() -> None:
    edition = nights_of_fez()
    for day, numbers in DAYS.items():
        found = select(edition, Wanted(day=date.fromisoformat(day), at=datetime.now(UTC)))
        assert [one.number for one in found] == numbers


def test_a_day_that_begins_at_midnight_is_a_date() -> None:
    edition = nights_of_fez(day_begins=time())
    found = select(edition, Wanted(day=RAMADAN, at=datetime.now(UTC)))
    assert [one.number for one in found] == [4, 5, 6, 7]


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    """Both begin at half past two by the clock, an hour apart; one of them is on at a time."""
    edition = nights_of_fez()
    for number in (4, 5):
        at = datetime.fromisoformat(SESSIONS[number]).astimezone(UTC)
        assert [one.number for one in select(edition, Wanted(at=at, now=True))] == [number]


@pytest.mark.parametrize("file", sorted(set(FORMATS) - {"schedule"}))
def test_every_file_says_when_it_really_is(file: str) -> None:
    """Read again, a file gives the same moments and the same days, whatever the clock on the wall says twice."""
    edition = nights_of_fez()
    written = FORMATS[file].write(edition, "fr" if FORMATS[file].languages == "one" else "*", None)
    programme = read_schedule(written, filename=file, timezone="Africa/Casablanca")
    found = {session.title["fr"].split()[1]: session.starts_at for session in programme.sessions}
    assert found == {str(number): datetime.fromisoformat(start) for number, start in SESSIONS.items()}
    assert programme.day_begins == "06:00" or file == "schedule.csv", "one table has no room for it"
    lengths = {session.ends_at - session.starts_at for session in programme.sessions}
    assert lengths == {timedelta(minutes=45)}
