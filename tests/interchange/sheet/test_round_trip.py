"""What is written as a spreadsheet is read again as it was: any sound programme, and those of real events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from server.interchange.detect import read_schedule
from server.interchange.programme import Programme, Session
from server.interchange.sheet import csv_files, rows as sheet_rows, xlsx_reader, xlsx_writer
from tests.interchange.sheet.publications import programmes, published
from tests.interchange.test_real_schedules import SCHEDULES, content

slowly = settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def assert_same(read: Programme, programme: Programme) -> None:
    for field in programme.__struct_fields__:
        if field == "sessions":
            for one, other in zip(read.sessions, programme.sessions, strict=True):
                assert one == other
        elif field != "repairs":
            assert getattr(read, field) == getattr(programme, field), field


@slowly
@given(programmes())
def test_a_workbook_holds_the_whole_programme(programme: Programme) -> None:
    data = xlsx_writer.write(published(programme))
    read = xlsx_reader.read(data)
    assert_same(read, programme)
    assert xlsx_writer.write(published(read)) == data


@slowly
@given(programmes())
def test_a_csv_holds_all_that_sessions_carry(programme: Programme) -> None:
    data = csv_files.write(published(programme))
    read = csv_files.read(data.decode("utf-8-sig"))
    for one, other in zip(read.sessions, programme.sessions, strict=True):
        assert one == other
    assert read.timezone == programme.timezone
    for things in ("rooms", "tracks", "kinds", "speakers"):
        names = {thing.key: thing.name for thing in getattr(programme, things)}
        assert all(names[thing.key] == thing.name for thing in getattr(read, things))
    assert csv_files.write(published(read)) == data


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_real_schedule_goes_through_a_workbook(name: str) -> None:
    programme = read_schedule(content(name))
    data = xlsx_writer.write(published(programme))
    read = xlsx_reader.read(data)
    assert_same(read, programme)
    assert read.repairs == ()
    assert xlsx_writer.write(published(read)) == data


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_real_schedule_goes_through_csv(name: str) -> None:
    programme = read_schedule(content(name))
    data = csv_files.write(published(programme))
    read = csv_files.read(data.decode("utf-8-sig"))
    assert read.sessions == programme.sessions
    assert [repair.what for repair in read.repairs] == ["no title; `Programme` was taken"]
    assert csv_files.write(published(read)) == data


def by_the_clocks_change() -> Programme:
    """In Paris it is 02:30 twice that night: at 00:30 and at 01:30 UTC."""
    first = datetime(2020, 10, 25, 0, 30, tzinfo=UTC)
    sessions = tuple(
        Session(
            key=f"S{hours}",
            title={"fr": "Nuit"},
            starts_at=first + timedelta(hours=hours),
            ends_at=first + timedelta(hours=hours + 1),
        )
        for hours in range(-1, 3)
    )
    return Programme(title={"fr": "Nuit"}, timezone="Europe/Paris", sessions=sessions)


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    programme = by_the_clocks_change()
    assert xlsx_reader.read(xlsx_writer.write(published(programme))) == programme
    read = csv_files.read(csv_files.write(published(programme)).decode("utf-8-sig"))
    assert read.sessions == programme.sessions


def test_by_clocks_alone_it_would_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_rows, "_is_plain", lambda *_: True)
    programme = by_the_clocks_change()
    assert xlsx_reader.read(xlsx_writer.write(published(programme))).sessions != programme.sessions
