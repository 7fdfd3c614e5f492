"""Single cells and heads of columns: what is recognised, in three languages, and what is not."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from server.interchange.programme import Link
from server.interchange.sheet.cell_lists import Mention, read_languages, read_links, read_mentions, write_links
from server.interchange.sheet.cells import escaped, split, unescaped
from server.interchange.sheet.columns import column_of
from server.interchange.sheet.times import clock_of, clocks_of, day_of, length_of, moment_of
from server.interchange.sheet.urls import web_address
from server.interchange.sheet.words import SESSION_FIELDS, STATES, spoken

DECEMBER = date(2020, 12, 18)


@pytest.mark.parametrize(
    ("head", "field", "tag"),
    [
        ("Title", "title", "und"),
        ("TITRE :", "title", "und"),
        ("title_fr", "title", "fr"),
        ("Titre (ar)", "title", "ar"),
        ("Title [en]", "title", "en"),
        ("Titre en français", "title", "fr"),
        ("العنوان بالعربية", "title", "ar"),
        ("العنوان (الفرنسية)", "title", "fr"),
        ("description_zh-hant", "description", "zh-Hant"),
        ("starts_at", "start", "und"),
        ("Début", "start", "und"),
        ("HEURE DE DÉBUT", "start", "und"),
        ("تاريخ", "date", "und"),
        ("Intervenant(e)s", "speakers", "und"),
        ("المتحدثون", "speakers", "und"),
        ("النهاية", "end", "und"),
        ("état", "status", "und"),
        ("N°", "number", "und"),
    ],
)
def test_heads_in_three_languages(head: str, field: str, tag: str) -> None:
    assert column_of(head, SESSION_FIELDS) == (field, tag)


@pytest.mark.parametrize("head", ["", "Remarques", "date_fr", "room capacity", "status (fr)", "_fr"])
def test_heads_nobody_knows(head: str) -> None:
    assert column_of(head, SESSION_FIELDS) is None


@pytest.mark.parametrize(
    "cell",
    [
        "2020-12-18",
        "18/12/2020",
        "18.12.20",
        "12/18/2020",
        "18 décembre 2020",
        "Vendredi 18 Décembre 2020",
        "December 18, 2020",
        "Dec 18th, 2020",
        "١٨ ديسمبر ٢٠٢٠",
        "18 دجنبر 2020",
        "18 كانون الأول 2020",
        44183,
        "44183",
        DECEMBER,
        datetime(2020, 12, 18),  # noqa: DTZ001
        "\u200e18/12/2020\u200f",
    ],
)
def test_days(cell: Any) -> None:
    assert day_of(cell) == DECEMBER


@pytest.mark.parametrize(
    "cell", ["", None, "Jour 1", "32/12/2020", "13/13/2020", True, 7, "18 décembre", 1e300, float("nan"), "x" * 99]
)
def test_no_days(cell: Any) -> None:
    assert day_of(cell) is None


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("10:30", 630),
        ("10h30", 630),
        ("10 h 30 min", 630),
        ("10h", 600),
        ("10.30", 630),
        ("2:30 PM", 870),
        ("12 am", 0),
        ("2 p.m.", 840),
        ("24:30", 1470),
        ("١٠:٣٠", 630),
        (0.4375, 630),
        ("0.4375", 630),
        (time(10, 30), 630),
    ],
)
def test_clocks(cell: Any, minutes: int) -> None:
    assert clock_of(cell) == timedelta(minutes=minutes)


@pytest.mark.parametrize("cell", ["", None, "9", 9, "10:75", "99:00", "13 pm", "soon", 44183.5, float("inf")])
def test_no_clocks(cell: Any) -> None:
    assert clock_of(cell) is None


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        (45, 45),
        ("45", 45),
        ("45 min", 45),
        ("1h30", 90),
        ("1 h 30", 90),
        ("0:45", 45),
        ("PT1H", 60),
        ("2 heures", 120),
        ("90 دقيقة", 90),
        (time(0, 45), 45),
        (0.03125, 45),
    ],
)
def test_lengths(cell: Any, minutes: int) -> None:
    assert length_of(cell) == timedelta(minutes=minutes)


@pytest.mark.parametrize("cell", ["", None, 0, "0", "abc", "-5", "99999"])
def test_no_lengths(cell: Any) -> None:
    assert length_of(cell) is None


@pytest.mark.parametrize("cell", ["10:30 - 11:15", "10h30–11h15", "10h30 à 11h15", "10:30 to 11:15", "10:30 إلى 11:15"])
def test_spans(cell: str) -> None:
    assert [clock_of(end) for end in clocks_of(cell)] == [timedelta(minutes=630), timedelta(minutes=675)]


def test_a_date_is_no_span_and_a_date_alone_no_moment() -> None:
    assert clocks_of("2020-12-18") == ("2020-12-18", None)
    assert moment_of("2020-12-18") is None
    assert moment_of("18 décembre 2020 à 10h30") == datetime(2020, 12, 18, 10, 30)  # noqa: DTZ001


def test_speakers_and_what_stands_behind_their_names() -> None:
    assert read_mentions("Salma Idrissi; Omar (Modératrice)\nLina (OCP Group);Zoé (keynote)") == [
        Mention("Salma Idrissi"),
        Mention("Omar", "moderator"),
        Mention("Lina", organisation="OCP Group"),
        Mention("Zoé", "keynote"),
    ]


def test_links_as_people_write_them() -> None:
    links, others = read_links(
        "https://a.example | recording | fr: Film\nSlides: https://b.example\nwww.c.example https://d.example\nlater"
    )
    assert links == [
        Link(url="https://a.example", kind="recording", title={"fr": "Film"}),
        Link(url="https://b.example", title={"und": "Slides"}),
        Link(url="https://www.c.example"),
        Link(url="https://d.example"),
    ]
    assert others == ["later"]
    assert read_links(write_links(links)) == (links, [])


@pytest.mark.parametrize(
    "written", ["javascript:alert(1)", "ftp://a.example", "http://", "a.example", "https://a b", "http://[", ""]
)
def test_no_addresses_of_the_web(written: str) -> None:
    assert web_address(written) is None


def test_languages_by_tag_and_by_name() -> None:
    assert read_languages("Français / العربية, EN, de_at, klingon!") == (("fr", "ar", "en", "de-AT"), ["klingon!"])


def test_states_in_three_languages() -> None:
    assert [
        STATES.get(spoken(word), "?") for word in ("Annulée", "CANCELED", "ملغاة", "Reporté", "brouillon", "x")
    ] == [
        "cancelled",
        "cancelled",
        "cancelled",
        "delayed",
        None,
        "?",
    ]


@given(st.lists(st.text("a;|\\\n\r ").map(str.strip).filter(bool), min_size=1))
def test_parts_of_a_list_come_back_whatever_is_in_them(parts: list[str]) -> None:
    assert [unescaped(part) for part in split("; ".join(escaped(part, ";") for part in parts), ";")] == parts


@given(st.text(max_size=40) | st.floats() | st.integers() | st.datetimes() | st.dates() | st.times() | st.timedeltas())
def test_no_cell_is_an_error(cell: Any) -> None:
    for read in (day_of, clock_of, length_of, moment_of, clocks_of):
        read(cell)
