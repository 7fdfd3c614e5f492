"""The template as a spreadsheet shows it, and what comes in when it is filled in."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from openpyxl import load_workbook

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.sheet.columns import column_of
from server.interchange.sheet.template import template
from server.interchange.sheet.words import (
    ABOUT_FIELDS,
    DAY_FIELDS,
    KIND_FIELDS,
    ROOM_FIELDS,
    SESSION_FIELDS,
    SPEAKER_FIELDS,
    TRACK_FIELDS,
)

LANGUAGES = ("fr", "ar", "en")
FIELDS = {
    "sessions": SESSION_FIELDS,
    "speakers": SPEAKER_FIELDS,
    "rooms": ROOM_FIELDS,
    "tracks": TRACK_FIELDS,
    "kinds": KIND_FIELDS,
    "days": DAY_FIELDS,
}


def test_every_column_of_the_template_is_one_that_is_read() -> None:
    workbook = load_workbook(io.BytesIO(template(LANGUAGES)))
    assert workbook.sheetnames == [*FIELDS, "about", "Mode d'emploi", "دليل", "Guide"]
    for sheet, fields in FIELDS.items():
        heads = [cell.value for cell in workbook[sheet][1]]
        assert all(column_of(head, fields) for head in heads)
        assert workbook[sheet]["A2"].value == "example"
    for row in workbook["about"].iter_rows(min_row=2, values_only=True):
        assert column_of(row[0], ABOUT_FIELDS)


def test_the_arabic_guide_runs_from_right_to_left_and_states_are_chosen_from_a_list() -> None:
    workbook = load_workbook(io.BytesIO(template(LANGUAGES)))
    assert workbook["دليل"].sheet_view.rightToLeft
    assert not workbook["Guide"].sheet_view.rightToLeft
    page = workbook["sessions"]
    column = next(cell.column_letter for cell in page[1] if cell.value == "status")
    lists = {str(each.sqref): each.formula1 for each in page.data_validations.dataValidation}
    assert lists[f"{column}2:{column}2000"] == '"scheduled,moved,delayed,cancelled"'


@pytest.mark.parametrize("languages", [LANGUAGES, ("ar",), ("de", "zh-Hant"), ()])
def test_an_untouched_template_is_no_programme_and_always_the_same_bytes(languages: tuple[str, ...]) -> None:
    data = template(languages)
    assert data == template(languages)
    with pytest.raises(UnreadableSchedule, match="no session below the heads of the columns"):
        read_schedule(data)


def test_a_filled_template_is_read_without_its_examples() -> None:
    workbook = load_workbook(io.BytesIO(template(LANGUAGES)))
    page = workbook["sessions"]
    columns = {cell.value: cell.column for cell in page[1]}
    row = {
        "id": "S1",
        "date": datetime(2020, 12, 18),  # noqa: DTZ001  (as Excel hands it over)
        "start": "9h",
        "end": "10h30",
        "title_fr": "Accueil",
        "title_ar": "الاستقبال",
        "room": "Atlas",
        "speakers": "Salma; Omar (modérateur)",
        "status": "annulée",
    }
    for head, value in row.items():
        page.cell(3, columns[head]).value = value
    workbook["about"]["B2"] = "Sommet"
    file = io.BytesIO()
    workbook.save(file)
    programme = read_schedule(file.getvalue(), timezone="Africa/Casablanca")
    (session,) = programme.sessions
    assert (session.key, session.status) == ("S1", "cancelled")
    assert session.title == {"fr": "Accueil", "ar": "الاستقبال"}
    assert (session.starts_at, session.ends_at) == (
        datetime(2020, 12, 18, 8, tzinfo=UTC),
        datetime(2020, 12, 18, 9, 30, tzinfo=UTC),
    )
    assert list(session.roles.values()) == ["moderator"]
    assert [room.name for room in programme.rooms] == [{"und": "Atlas"}]
    assert [speaker.name for speaker in programme.speakers] == [{"und": "Salma"}, {"und": "Omar"}]
    assert (programme.tracks, programme.kinds, programme.days) == ((), (), ())
    assert programme.title == {"fr": "Sommet"}
    notes = {repair.what for repair in programme.repairs}
    assert "the example of the template; left out" in notes
    assert not any("is not kept" in note for note in notes)
