"""Cells of every type and what people do to sheets."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.interchange.sheet.test_csv_files import repairs
from tests.interchange.sheet.workbooks import HEAD, MAIN, SOUND, book, crafted, inline, read, saved

AT = datetime(2020, 12, 18, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (date(2020, 12, 18), time(10, 30), time(11, 15)),
        (datetime(2020, 12, 18), time(10, 30), "11h15"),  # noqa: DTZ001
        (44183, 0.4375, 0.46875),
        ("18/12/2020", "10h30", timedelta(hours=11, minutes=15)),
        (None, datetime(2020, 12, 18, 10, 30), datetime(2020, 12, 18, 11, 15)),  # noqa: DTZ001
        (datetime(2020, 12, 18, 10, 30), None, time(11, 15)),  # noqa: DTZ001
    ],
)
def test_dates_and_times_in_every_kind_of_cell(day: object, start: object, end: object) -> None:
    (session,) = read(saved(book([HEAD, ("Ouverture", day, start, end, "Atlas")]))).sessions
    assert (session.starts_at, session.ends_at) == (AT, AT + timedelta(minutes=45))


def test_other_sheets_are_joined_to_the_sessions() -> None:
    workbook = book(
        [
            ("id", "Titre", "Date", "Début", "Durée", "Salle", "Thème", "Type", "Intervenants"),
            (
                "A",
                "Ouverture",
                "18/12/2020",
                "10:30",
                45,
                "ATLAS",
                "T1",
                "Plénière",
                "Salma Idrissi; P2; Inconnu (modérateur)",
            ),
        ],
        name="Programme",
    )
    for name, rows in {
        "Salles": [("id", "Nom", "Nom (ar)", "Capacité", "Étage", "Wifi"), ("R1", "Atlas", "أطلس", 400, 1, "oui")],
        "Thèmes": [("id", "nom", "couleur"), ("T1", "Paiement", "#0A6"), ("T2", "Identité", "rouge")],
        "Intervenants": [
            ("id", "Prénom", "Nom", "Société", "Fonction", "Liens"),
            (None, "Salma", "Idrissi", "OCP", "Directrice", "https://example.org Son blog"),
            ("P2", "Omar", "B.", None, None, "www.example.org"),
        ],
        "Jours": [("date", "nom", "ouverture"), (date(2020, 12, 18), "Jour 1", time(8))],
        "À propos": [
            ("titre_fr", "Sommet"),
            ("titre_ar", "القمة"),
            ("fuseau", "Casablanca"),
            ("day_begins", time(6)),
            ("Hôtel", "X"),
        ],
        "Budget": [("Poste", "Montant"), ("Salle", 1000)],
    }.items():
        page = workbook.create_sheet(name)
        for row in rows:
            page.append(row)
    programme = read(saved(workbook), timezone=None)
    (session,) = programme.sessions
    assert (session.key, session.room, session.track, session.kind) == ("A", "R1", "T1", "plénière")
    assert session.speakers == ("name:salma idrissi", "P2", "name:inconnu")
    assert session.roles == {"name:inconnu": "moderator"}
    (room,) = programme.rooms
    assert (room.name, room.capacity, room.floor, room.extra) == (
        {"und": "Atlas", "ar": "أطلس"},
        400,
        "1",
        {"Wifi": "oui"},
    )
    assert [track.color for track in programme.tracks] == ["#00aa66", None]
    first, second, _ = programme.speakers
    assert (first.organisation, first.tagline) == ({"und": "OCP"}, {"und": "Directrice"})
    assert (first.links[0].url, first.links[0].title) == ("https://example.org", {"und": "Son blog"})
    assert second.links[0].url == "https://www.example.org"
    assert programme.title == {"fr": "Sommet", "ar": "القمة"}
    assert (programme.timezone, programme.day_begins, programme.extra) == ("Africa/Casablanca", "06:00", {"Hôtel": "X"})
    (day,) = programme.days
    assert (day.name, day.starts_at) == ({"und": "Jour 1"}, datetime(2020, 12, 18, 7, tzinfo=UTC))
    notes = repairs(programme)
    assert "rooms: column `Wifi` is not known; kept in `extra`" in notes
    assert "tracks, row 3: `color`, `rouge`, is not written `#rrggbb`; left out" in notes
    assert "sessions, row 2: `Inconnu` is not in the sheet `speakers`; added" in notes
    assert "field `sheet Budget` of the file is not kept" in notes


def test_heads_below_a_title_and_cells_merged_over_rows() -> None:
    workbook = book(
        [
            ("Sommet 2020",),
            (),
            HEAD,
            ("A", date(2020, 12, 18), "10:30", "11:15", "Atlas"),
            ("B", None, "11:15", "12:00", None),
            ("C", None, "14:00", "15:00", "Rif"),
        ],
        name="Feuil1",
    )
    page = workbook.active
    page.merge_cells("A1:E1")
    page.merge_cells("B4:B6")
    page.merge_cells("E4:E5")
    programme = read(saved(workbook))
    assert [session.room for session in programme.sessions] == ["name:atlas", "name:atlas", "name:rif"]
    assert {session.starts_at.date().isoformat() for session in programme.sessions} == {"2020-12-18"}
    assert "Feuil1, cells E4:E5: merged; what is in them was taken for each of their rows" in repairs(programme)
    assert "no date; that of the rows above" not in repairs(programme)


def test_formulas_count_by_their_stored_result_and_without_one_are_reported() -> None:
    stored = '<c r="A2" t="str"><f>"Open"&amp;"ing"</f><v>Opening</v></c>'
    rest = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in ("2020-12-18", "10:30"))
    unstored = '<c r="D2"><f>C2+1/24</f></c><c r="E2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    programme = read(crafted(f'{inline(*HEAD)}<row r="2">{stored}{rest}{unstored}</row>'))
    (session,) = programme.sessions
    assert (session.title, session.room) == ({"und": "Opening"}, None)
    assert "s1, cell D2: a formula without a stored result, or with an error for one; left empty" in repairs(programme)
    assert "s1, cell E2: a formula without" in repairs(programme)


def test_links_to_other_workbooks_and_macros_are_never_looked_at() -> None:
    data = crafted(
        SOUND,
        more={
            "xl/vbaProject.bin": "macro",
            "xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{MAIN}"><externalBook/></externalLink>',
            "docProps/core.xml": "<broken",
            "docProps/custom.xml": "<broken",
        },
    )
    assert len(read(data).sessions) == 1


def test_an_escaped_carriage_return_of_excel_is_one() -> None:
    text = f'<sst xmlns="{MAIN}"><si><t>Un_x000D_\nDeux</t></si></sst>'
    row = '<row r="2"><c t="s"><v>0</v></c>' + inline("2020-12-18", "10:30", "11:15").partition(">")[2]
    (session,) = read(crafted(inline(*HEAD) + row, more={"xl/sharedStrings.xml": text})).sessions
    assert session.title == {"und": "Un\r\nDeux"}
