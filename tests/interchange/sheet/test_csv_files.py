"""CSV as people and their Excels write it, and as ours goes out."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.programme import Kind, Programme, Room, Session, Speaker
from server.interchange.sheet import csv_files
from tests.interchange.sheet.publications import published

FRENCH = """Titre;Date;Début;Fin;Salle;Intervenants;Langue;État;Remarques
Ouverture;18/12/2020;9h00;9h45;Amphithéâtre;"Salma Idrissi; Omar B. (modérateur)";français / arabe;prévue;Café à 8h30
Été numérique;18/12/2020;10h30;11h15;Salle des fêtes;Lina (OCP Group);fr;annulée;
"""
ARABIC = (
    "العنوان,التاريخ,البداية,النهاية,القاعة,المتحدثون\nالافتتاح,١٨/١٢/٢٠٢٠,١٠:٣٠,١١:١٥,القاعة الكبرى,سلمى الإدريسي\n"
)
PLAIN = "title,date,start,end\nOpening,2020-12-18,10:30,11:15\n"


def read(data: bytes | str, timezone: str | None = "Africa/Casablanca") -> Programme:
    return read_schedule(data.encode() if isinstance(data, str) else data, filename="sommet.csv", timezone=timezone)


def repairs(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def one(text: str, timezone: str | None = "Africa/Casablanca") -> Session:
    (session,) = read(text, timezone).sessions
    return session


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_separator_and_encoding_of_excel_is_read(separator: str, encoding: str) -> None:
    rows = list(csv.reader(io.StringIO(FRENCH), delimiter=";"))
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(rows)
    programme = read(file.getvalue().encode(encoding))
    assert programme.sessions == read(FRENCH).sessions
    assert ("read as Western European Windows (cp1252)" in repairs(programme)) == (encoding == "cp1252")


def test_a_french_table_says_what_it_means() -> None:
    programme = read(FRENCH)
    first, second = programme.sessions
    assert first.title == {"und": "Ouverture"}
    assert first.starts_at == datetime(2020, 12, 18, 8, 0, tzinfo=UTC)
    assert first.ends_at == datetime(2020, 12, 18, 8, 45, tzinfo=UTC)
    assert first.speakers == ("name:salma idrissi", "name:omar b.")
    assert first.roles == {"name:omar b.": "moderator"}
    assert first.languages == ("fr", "ar")
    assert first.extra == {"Remarques": "Café à 8h30"}
    assert (second.status, second.extra) == ("cancelled", {})
    assert [speaker.organisation for speaker in programme.speakers] == [{}, {}, {"und": "OCP Group"}]
    assert programme.title == {"und": "sommet"}
    notes = repairs(programme)
    assert "sessions: column `Remarques` is not known; kept in `extra`" in notes
    assert "sessions, row 3: `OCP Group` behind a speaker's name was taken as the organisation" in notes
    assert "no time zone is named; Africa/Casablanca was taken, that of the event" in notes
    assert "sessions, row 2: neither id nor number; its key is made of title, start and room" in notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1256"])
def test_an_arabic_table_is_read_in_every_encoding(encoding: str) -> None:
    text = ARABIC if encoding != "cp1256" else ARABIC.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
    session = one_of(read(text.encode(encoding)))
    assert session.title == {"und": "الافتتاح"}
    assert session.starts_at == datetime(2020, 12, 18, 9, 30, tzinfo=UTC)
    assert session.room == "name:القاعة الكبرى"


def one_of(programme: Programme) -> Session:
    (session,) = programme.sessions
    return session


def test_keys_do_not_depend_on_the_order_of_rows_and_columns() -> None:
    head, *rows = list(csv.reader(io.StringIO(FRENCH), delimiter=";"))
    order = [4, 8, 1, 0, 3, 2, 7, 6, 5]
    file = io.StringIO()
    csv.writer(file).writerows([[row[at] for at in order] for row in (head, *reversed(rows))])
    assert {session.key: session for session in read(file.getvalue()).sessions} == {
        session.key: session for session in read(FRENCH).sessions
    }


def test_an_id_or_a_number_is_the_key_and_two_rows_with_one_id_stay_two() -> None:
    text = "id,number,title,date,start,end\nA,,Un,2020-12-18,9:00,10:00\n,7,Deux,2020-12-18,9:00,10:00\n"
    programme = read(f"{text}A,7,Trois,2020-12-18,11:00,12:00\n")
    keys = [session.key for session in programme.sessions]
    assert keys[1:] == ["id:7", "A"], "of two with one id the first by title has it, in whatever row it stands"
    assert len(set(keys)) == 3
    assert [session.number for session in programme.sessions] == [None, 7, None]
    assert "sessions, row 2: the same id as another row; kept under a key of its own" in repairs(programme)
    assert "sessions, row 4: number 7 is that of an earlier row too; left out" in repairs(programme)


def test_texts_in_several_languages_and_speakers_beside_them() -> None:
    text = (
        "Titre (fr),Title [en],العنوان بالعربية,title_de-AT,date,start,duration,room_fr,room_ar,speakers_fr,speakers_ar\n"
        "Un,One,واحد,Eins,2020-12-18,9:00,45,Atlas,أطلس,Salma; Omar,سلمى; عمر\n"
        "Deux,,,,2020-12-18,10:00,1h30,,أطلس,Salma,\n"
    )
    programme = read(text)
    assert programme.sessions[0].title == {"fr": "Un", "en": "One", "ar": "واحد", "de-AT": "Eins"}
    assert [room.name for room in programme.rooms] == [{"fr": "Atlas", "ar": "أطلس"}]
    assert [speaker.name for speaker in programme.speakers] == [
        {"fr": "Salma", "ar": "سلمى"},
        {"fr": "Omar", "ar": "عمر"},
    ]
    assert programme.sessions[1].room == programme.sessions[0].room
    assert programme.sessions[1].speakers == programme.sessions[0].speakers[:1]
    assert programme.sessions[1].ends_at == datetime(2020, 12, 18, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("X,2020-12-18,10:30,10:00,,", "its end is not after its start, or many days later; left out"),
        ("X,2020-12-18,10:30,soon,,", "its end, `soon`, is no time; left out"),
        ("X,2020-12-18,10:30,,long,", "its duration cannot be read; 30 minutes were taken"),
        ("X,2020-12-18,10:30,,,", "its duration is missing; 30 minutes were taken"),
        (",2020-12-18,10:30,11:00,,", "no title; its place in the file stands for it"),
        ("X,,10:30,11:00,,", "no date; that of the rows above was taken"),
        ("X,2020-12-18,10:30,11:00,,perhaps", "status `perhaps` is not known; taken as scheduled"),
        ("X,2020-12-18,10:30,11:00,45,", "its duration is not the time from start to end; the end was taken"),
        ("X,tomorrow,10:30,11:00,,", "no usable date and start; left out"),
        ("X,2020-12-18,,11:00,,", "no usable date and start; left out"),
        ("X,2020-12-18,10:30,11:00,,brouillon", "its status is `brouillon`; left out"),
    ],
)
def test_a_faulty_row_is_mended_or_left_out_and_named(row: str, note: str) -> None:
    programme = read(f"title,date,start,end,duration,status\nOne,2020-12-18,9:00,9:30,,\n{row}\n")
    assert f"sessions, row 3: {note}" in repairs(programme)
    assert len(programme.sessions) == (1 if note.endswith("start; left out") or "brouillon" in note else 2)


@pytest.mark.parametrize(
    ("times", "starts_at", "ends_at"),
    [
        ("2020-12-18,23:00,00:30,", "2020-12-18T22:00", "2020-12-18T23:30"),
        ("2020-12-18,10:30 - 11:15,,", "2020-12-18T09:30", "2020-12-18T10:15"),
        ("44183,0.4375,0.46875,", "2020-12-18T09:30", "2020-12-18T10:15"),
        (",2020-12-18T10:30:00+00:00,2020-12-18T11:15:00+00:00,", "2020-12-18T10:30", "2020-12-18T11:15"),
        ("18 décembre 2020,10h30,,45 min", "2020-12-18T09:30", "2020-12-18T10:15"),
        ("2020-12-18,24:30,,30", "2020-12-18T23:30", "2020-12-19T00:00"),
        (",18/12/2020 10:30,18/12/2020 11:15,", "2020-12-18T09:30", "2020-12-18T10:15"),
        # Morocco is on UTC in Ramadan
        ("2020-05-03,10:30,11:15,", "2020-05-03T10:30", "2020-05-03T11:15"),
    ],
)
def test_times_as_people_and_excel_write_them(times: str, starts_at: str, ends_at: str) -> None:
    session = one(f"title,date,start,end,duration\nX,{times}\n")
    assert session.starts_at == datetime.fromisoformat(f"{starts_at}+00:00")
    assert session.ends_at == datetime.fromisoformat(f"{ends_at}+00:00")


def test_dates_with_the_month_first_are_told_by_the_whole_column() -> None:
    programme = read("title,date,start,end\nA,12/18/2020,9:00,10:00\nB,12/06/2020,9:00,10:00\n")
    assert [session.starts_at.date().isoformat() for session in programme.sessions] == ["2020-12-18", "2020-12-06"]
    assert "some dates can only be month/day/year" in repairs(programme)


def test_a_row_with_a_date_alone_is_the_date_of_those_below() -> None:
    programme = read("title,start,end\nVendredi 18 décembre 2020,,\nA,9:00,10:00\n19/12/2020,,\nB,9:00,10:00\n")
    assert [session.starts_at.date().isoformat() for session in programme.sessions] == ["2020-12-18", "2020-12-19"]


def test_without_any_zone_the_offsets_tell_and_else_utc() -> None:
    assert (
        read("title,start,end\nX,2020-12-18T10:30:00+05:00,2020-12-18T11:00:00+05:00\n", None).timezone == "Etc/GMT-5"
    )
    programme = read(PLAIN, None)
    assert (programme.timezone, programme.sessions[0].starts_at.hour) == ("UTC", 10)
    assert "no time zone is named; UTC was taken" in repairs(programme)


def test_most_rows_decide_what_an_id_beside_a_name_means() -> None:
    """Somebody moves one session to another room and forgets the column with the ids."""
    head = "id,title,date,start,end,room,room_id\n"
    rows = [f"{at},T{at},2020-12-18,{at}:00,{at}:30,Atlas,R1\n" for at in range(9, 12)]
    moved = "8,T8,2020-12-18,8:00,8:30,Rif,R1\n"
    programme = read(head + moved + "".join(rows))
    assert [session.room for session in programme.sessions] == ["name:rif", "R1", "R1", "R1"]
    assert "sessions, row 2: `Rif` is not the one that its id means elsewhere; the name was taken" in repairs(programme)


def test_a_quotation_mark_out_of_place_is_reported_and_one_that_swallows_the_file_refused() -> None:
    programme = read('title,date,start,end\n"Le "grand" débat",2020-12-18,10:30,11:15\n')
    assert programme.sessions
    assert "a quotation mark is not doubled or not closed" in repairs(programme)
    with pytest.raises(UnreadableSchedule, match=r"^sessions, row 2: a cell never ends"):
        read('title,date,start,end\n"Opening,2020-12-18,10:30,11:15\n' + "x,2020-12-18,9:00,10:00\n" * 8_000)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"title,date,start,end\n", "sessions, row 1: no session below the heads"),
        (b"title,date,start\nX,never,9:00\n", "sessions, row 2: no session from here on, 1 rows in all"),
        (PLAIN.encode() + b"," * 1_000_001, "row 1: more than 1000000 cells"),
        (b"a,b,c\n1,2,3\n", "line 1: this is no XML, no JSON, no calendar and no table"),
        (b"\xff\xfe\x00", "not UTF-16"),
        (PLAIN.encode() + b"\0", "a NUL character"),
        ("Prénom;Nom\nZoé;É\n".encode("cp1252"), "not UTF-8"),
        (b"title,date,start,end\n" + b"x" * 33 * 2**20, "the file goes on beyond 32 MiB"),
    ],
)
def test_what_is_no_table_of_sessions_is_refused_whole(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableSchedule, match=sentence):
        read(data)


def test_a_packed_table_is_read() -> None:
    assert read(gzip.compress(PLAIN.encode())).sessions == read(PLAIN).sessions


def test_excels_word_about_its_separator_counts() -> None:
    assert one("sep=;\n" + PLAIN.replace(",", ";")).title == {"und": "Opening"}


DANGEROUS = ("=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "＝1", "'=1", "=cmd|' /C calc'!A0")


def dangerous_cells(data: bytes) -> list[str]:
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return [cell for row in rows for cell in row if cell[:1] in {*"=+-@\t\r\n", "＝", "＋", "－", "＠"}]


def dangerous() -> Programme:
    at = datetime(2020, 12, 18, 9, tzinfo=UTC)
    sessions = tuple(
        Session(
            key=text.strip(),
            title={"fr": text.strip(), "und": "x"},
            starts_at=at,
            ends_at=at.replace(hour=10),
            room="-r",
            kind="@k",
            speakers=("+s",),
            extra={"=k": text},
            license=text.strip(),
        )
        for text in DANGEROUS
        if text == text.strip()
    )
    return Programme(
        title={"und": "=T"},
        timezone="UTC",
        rooms=(Room(key="-r", name={"und": "-Salle"}),),
        kinds=(Kind(key="@k", name={"fr": "@genre"}),),
        speakers=(Speaker(key="+s", name={"ar": "=سلمى"}),),
        sessions=sessions,
    )


def test_no_cell_is_a_formula_and_all_come_back_as_they_were() -> None:
    data = csv_files.write(published(dangerous()))
    assert dangerous_cells(data) == []
    assert csv_files.read(data.decode("utf-8-sig")).sessions == dangerous().sessions


def test_without_the_apostrophe_formulas_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "_harmless", lambda cell: cell)
    assert dangerous_cells(csv_files.write(published(dangerous())))


def test_a_csv_is_what_excel_opens_without_a_question() -> None:
    data = csv_files.write(published(dangerous()))
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == len(dangerous().sessions) + 1
    assert data == csv_files.write(published(dangerous()))


def test_one_language_has_columns_without_a_tag() -> None:
    at = datetime(2020, 12, 18, 9, tzinfo=UTC)
    session = Session(
        key="A", title={"fr": "Un", "ar": "واحد"}, abstract={"fr": "Court"}, starts_at=at, ends_at=at.replace(hour=10)
    )
    programme = Programme(title={"fr": "Été"}, timezone="UTC", sessions=(session,))
    rows = list(csv.reader(io.StringIO(csv_files.write(published(programme), language="ar").decode("utf-8-sig"))))
    found = dict(zip(*rows, strict=True))
    assert (found["title"], found["abstract"]) == ("واحد", "Court")
    assert not any(head.endswith(("_fr", "_ar")) for head in found)
