"""What is written is read again: everything that a format carries, and then the same bytes.

`carried_by_xml` is the list of what schedule.xml loses. schedule.json loses nothing: its additions say the rest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec import structs

from server.interchange.detect import read_schedule
from server.interchange.frab import (
    additions as frab_additions,
    columns as frab_columns,
    json_v1_writer,
    json_v2_writer,
    xml_writer,
)
from server.interchange.frab.export import in_all_languages, in_one_language, numbers_of
from server.interchange.frab.kept import XML_CONFERENCE, XML_EVENT, fitting
from server.interchange.frab.layout import written_duration
from server.interchange.programme import Kind, Room
from tests.interchange.frab.frab_programmes import (
    LANGUAGES,
    RICH,
    our_id,
    programme as programme_with,
    programmes,
    published,
    session,
)
from tests.interchange.test_real_schedules import SCHEDULES, content

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.interchange.programme import Link, Programme, Publication, Session

ANY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def written_as_xml(publication: Publication, language: str = "fr") -> bytes:
    return xml_writer.write(publication, language=language)


def written_as_v1(publication: Publication, language: str = "fr") -> bytes:
    return json_v1_writer.write(publication, language=language)


def in_canonical_order(programme: Programme) -> Programme:
    """Days and columns have their own order of sessions, and persons are in theirs."""
    return structs.replace(
        programme,
        speakers=tuple(sorted(programme.speakers, key=lambda speaker: speaker.key)),
        sessions=tuple(sorted(programme.sessions, key=lambda session: session.key)),
        repairs=(),
    )


def by_kind_of_link(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The order of the links of one kind is kept."""
    return tuple(sorted(links, key=lambda link: link.kind))


def carried_by_xml(publication: Publication, language: str) -> Programme:
    """The programme in one language, without what the XSD has no place for:

    capacity, floor and description of rooms; descriptions of tracks; everything of speakers but their names, and those
    without a session; roles, states, what is a service and has a kind; seconds, and what is longer than 23:59; names of
    days and doors without both hours; versions that are empty; a session without a number gets one.
    """
    whole = in_one_language(publication, language)
    numbers = numbers_of(whole.sessions)
    kinds = {kind.key: kind.name[language] for kind in whole.kinds}
    busy = {key for each in whole.sessions for key in each.speakers}

    def as_carried(each: Session) -> Session:
        return structs.replace(
            each,
            number=numbers[each.key],
            ends_at=each.starts_at + written_duration(each),
            kind=None if each.kind is None else kinds[each.kind].casefold(),
            service=each.service and each.kind is None,
            roles={},
            status="scheduled",
            links=by_kind_of_link(each.links),
            extra={},
        )

    return structs.replace(
        whole,
        version=whole.version or publication.updated_at.isoformat(),
        day_begins="",
        days=tuple(structs.replace(day, name={}) for day in whole.days if day.starts_at and day.ends_at),
        rooms=tuple(Room(key=room.key, name=room.name) for room in whole.rooms),
        tracks=tuple(structs.replace(track, description={}, extra={}) for track in whole.tracks),
        kinds=(),
        speakers=tuple(
            structs.replace(each, organisation={}, tagline={}, bio={}, photo_url=None, links=(), extra={})
            for each in whole.speakers
            if each.key in busy
        ),
        sessions=tuple(as_carried(each) for each in whole.sessions),
        extra={},
    )


def without_extra(programme: Programme) -> Programme:
    """For the comparison with `carried_by_xml`; what of `extra` the XSD takes is checked by itself."""
    return structs.replace(
        programme,
        day_begins="",
        days=tuple(day for day in programme.days),
        kinds=(),
        speakers=tuple(structs.replace(each, extra={}) for each in programme.speakers),
        sessions=tuple(
            structs.replace(each, links=by_kind_of_link(each.links), extra={}) for each in programme.sessions
        ),
        extra={},
    )


def check_xml(publication: Publication, language: str) -> None:
    data = written_as_xml(publication, language)
    read = read_schedule(data)
    wanted = in_canonical_order(carried_by_xml(publication, language))
    found = in_canonical_order(without_extra(read))
    if not all(day.starts_at and day.ends_at for day in publication.programme.days):
        found, wanted = structs.replace(found, days=()), structs.replace(wanted, days=())
    assert found == wanted
    before = {each.key: each for each in in_one_language(publication, language).sessions}
    slugs = [each.extra.get("slug") for each in before.values()]
    for each in read.sessions:
        kept = fitting(before[each.key].extra, XML_EVENT)
        if slugs.count(kept.get("slug")) == 1:
            assert each.extra.get("slug") == kept.get("slug")
        assert each.extra.get("origin_url") == kept.get("origin_url")
    for field, value in fitting(publication.programme.extra, XML_CONFERENCE).items():
        assert read.extra[field] == value
    assert written_as_xml(again(publication, read), language) == data


def check_json(
    write: Callable[[Publication], bytes], publication: Publication, wanted: Programme, *, strict: bool = True
) -> None:
    data = write(publication)
    read = read_schedule(data)
    assert in_canonical_order(read) == in_canonical_order(wanted)
    if strict:
        assert read.repairs == ()
    assert write(again(publication, read)) == data


def again(publication: Publication, read: Programme) -> Publication:
    """The programme that was read, without any of our identifiers: its keys are them."""
    return structs.replace(publication, programme=structs.replace(read, repairs=()), ids={})


def is_shown(programme: Programme) -> bool:
    return any(each.status != "cancelled" for each in programme.sessions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rich_programme_comes_back(language: str) -> None:
    publication = published(RICH)
    check_xml(publication, language)
    check_json(lambda each: written_as_v1(each, language), publication, in_one_language(publication, language))
    check_json(json_v2_writer.write, publication, in_all_languages(publication))


@given(programmes().filter(is_shown))
@ANY
def test_any_programme_comes_back_from_xml(programme: Programme) -> None:
    check_xml(published(programme), "ar")


@given(programmes().filter(is_shown))
@ANY
def test_any_programme_comes_back_from_version_1(programme: Programme) -> None:
    publication = published(programme)
    check_json(lambda each: written_as_v1(each, "ar"), publication, in_one_language(publication, "ar"), strict=False)


@given(programmes())
@ANY
def test_any_programme_comes_back_from_version_2(programme: Programme) -> None:
    publication = published(programme)
    check_json(json_v2_writer.write, publication, in_all_languages(publication), strict=False)


@pytest.mark.parametrize("name", SCHEDULES)
def test_real_file_comes_back(name: str) -> None:
    publication = published(structs.replace(read_schedule(content(name)), repairs=()), default_language="en")
    check_xml(publication, "en")
    check_json(lambda each: written_as_v1(each, "en"), publication, in_one_language(publication, "en"))
    check_json(json_v2_writer.write, publication, in_all_languages(publication))


@pytest.mark.parametrize("write", [written_as_xml, written_as_v1, json_v2_writer.write])
def test_our_identifiers_come_back_as_keys(write: Callable[[Publication], bytes]) -> None:
    own = our_id("session", "somebody's own")
    shown = tuple(each for each in RICH.sessions if each.status != "cancelled")
    publication = published(structs.replace(RICH, sessions=(*shown, session(own))))
    read = read_schedule(write(publication))
    assert {each.key for each in read.sessions} == {*(our_id("session", each.key) for each in shown), own}
    assert [each.key for each in read.rooms] == [our_id("room", each.key) for each in RICH.rooms]
    assert [each.key for each in read.tracks] == ["pay", our_id("track", "x")]
    assert {our_id("speaker", "ana"), our_id("speaker", "omar")} <= {each.key for each in read.speakers}
    assert {each.track for each in read.sessions} == {"pay", our_id("track", "x"), None}


def test_columns_that_nobody_joins_again_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = published(programme_with(session("a"), session("b")))
    check_xml(publication, "fr")
    monkeypatch.setattr(frab_columns.Columns, "room_of", lambda *_: None)
    with pytest.raises(AssertionError):
        check_xml(publication, "fr")


def test_additions_that_nobody_reads_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = published(RICH)
    data = json_v2_writer.write(publication)
    monkeypatch.setattr(frab_additions, "_completed", lambda things, *_: tuple(things))
    assert in_canonical_order(read_schedule(data)) != in_canonical_order(in_all_languages(publication))


def edited(data: bytes, change: Callable[[Any], None]) -> Programme:
    file = json.loads(data)
    change(file["schedule"])
    return read_schedule(json.dumps(file).encode())


def test_what_was_edited_in_the_file_counts_more_than_its_additions() -> None:
    def change(schedule: Any) -> None:
        event = next(event for event in schedule["events"] if event["title"].startswith("Payer"))
        event["title"] = "Payer demain"

    read = edited(json_v2_writer.write(published(RICH)), change)
    changed = next(each for each in read.sessions if each.number == 7)
    assert list(changed.title.values()) == ["Payer demain"]
    assert "was edited after the export" in read.repairs[0].what


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "javascript:alert(1)"),
        ("links", [{"url": "data:text/html,x"}]),
        ("title", {}),
        ("title", {"no language": "x"}),
        ("number", 0),
        ("number", 2**31),
        ("status", "lost"),
        ("kind", "nobody's"),
        ("track", "nobody's"),
        ("roles", {"nobody": "host"}),
        ("languages", ["not a tag"]),
        ("extra", [1]),
    ],
)
def test_unsound_additions_are_reported_and_left_out(field: str, value: object) -> None:
    def public_only(schedule: Any) -> None:
        schedule["additions"] = {}

    data = json_v2_writer.write(published(RICH))
    plain = edited(data, public_only)
    key = our_id("session", "a")
    before = getattr(next(each for each in plain.sessions if each.key == key), field)

    def change(schedule: Any) -> None:
        said = msgspec.to_builtins(before)
        schedule["additions"] = {"sessions": {key: {field: {"value": value, "instead_of": said}}}}

    read = edited(data, change)
    assert structs.replace(read, repairs=()) == structs.replace(plain, repairs=())
    assert any("left out" in repair.what for repair in read.repairs)


@pytest.mark.parametrize(
    "additions", ["x", [1], {"kinds": 5}, {"kinds": [{"key": 1}]}, {"sessions": []}, {"rooms": {"a": 1}}]
)
def test_additions_of_another_shape_do_no_harm(additions: object) -> None:
    def change(schedule: Any) -> None:
        schedule["additions"] = additions

    assert edited(json_v2_writer.write(published(RICH)), change).sessions


def test_kinds_come_back_with_their_languages() -> None:
    read = read_schedule(json_v2_writer.write(published(RICH)))
    assert Kind(key="keynote", name={"fr": "Plénière", "en": "Keynote"}) in read.kinds
