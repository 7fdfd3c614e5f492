"""Finding somebody who has no badge in their hand: as people type names in two scripts, and as nobody should type them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from server.db import Database
from server.desk import routes
from server.folding import words_of
from tests.conftest import OTHER, Demo, bearer
from tests.phones import Phone, organizer_of, phone_of, said, told

PEOPLE: dict[str, tuple[str, str, str]] = {
    "eloise": ("Éloïse Bœuf-N'Guessan", "", "Société Générale"),
    "ahmed": ("Ahmed El Hachimi", "أحمد الهاشمي", "Office Chérifien"),
    "fatima": ("Fatima-Zahra Bennis", "فاطمة الزهراء بنيس", "بلدية الدار البيضاء"),
    "mona": ("Mouna Alaoui", "منى العلوي", "مؤسسة"),
    "li": ("Li", "", ""),
    "moamen": ("Moamen Raïssi", "مُؤْمِن رئيسي", ""),
}
"""Name, name in Arabic script, company."""


@pytest.fixture
def phone(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan+search")


@pytest.fixture
async def people(db: Database) -> dict[str, UUID]:
    """These people, each with a badge, in the sample event."""
    return {key: await invite(db, "digital-now", *names, code=f"CODE{key}") for key, names in PEOPLE.items()}


async def invite(db: Database, slug: str, name: str, name_ar: str, company: str, *, code: str) -> UUID:
    attendee_id = uuid4()
    async with db.tx() as tx:
        event_id = await tx.fetchval("SELECT event_id FROM event WHERE slug = $1", slug)
        await tx.execute(
            "INSERT INTO attendee (event_id, attendee_id, name, name_ar, email, company, language, ticket, token_hash)"
            " VALUES ($1, $2, $3, $4, '', $5, 'fr', 'visitor', uuid_send($2))",
            event_id,
            attendee_id,
            name,
            name_ar,
            company,
        )
        await tx.execute(
            "INSERT INTO badge (event_id, code, short_code, attendee_id, number)"
            " SELECT $1, $3, $3 || '-S', $2, 1000000 + count(*) FROM badge WHERE event_id = $1",
            event_id,
            attendee_id,
            code.upper(),
        )
        words = words_of(f"{name} {name_ar} {company}")
        await tx.executemany(
            "INSERT INTO attendee_word (event_id, word, attendee_id) VALUES ($1, $2, $3)",
            [(event_id, word, attendee_id) for word in words],
        )
    return attendee_id


async def found(phone: Phone, q: str, **query: str) -> set[str]:
    return {one["id"] for one in (await phone.get("search", q=q, **query))["attendees"]}


TYPED: dict[str, str] = {
    "eloise": "eloise",
    "ÉLOÏSE": "eloise",
    "boeuf": "eloise",
    "bœuf": "eloise",
    "guess": "eloise",
    "n'guessan": "eloise",
    "societe generale": "eloise",
    "générale éloïse": "eloise",
    "احمد": "ahmed",
    "أحمد": "ahmed",
    "إحمد": "ahmed",
    "الهاش": "ahmed",
    "أَحْمَد الهَاشِمِي": "ahmed",
    "أحـمـد": "ahmed",
    "hachimi ahmed": "ahmed",
    "ahm hach": "ahmed",
    "فاطمه": "fatima",
    "فاطمة": "fatima",
    "الزهرا": "fatima",
    "zahra fatima": "fatima",
    "بلديه": "fatima",
    "مني": "mona",
    "منى": "mona",
    "مومن": "moamen",
    "مؤمن": "moamen",
    "رييسي": "moamen",
    "رئيسي": "moamen",
    "raissi": "moamen",
    "  Mouna,  ALAOUI!  ": "mona",
}
"""What is typed, and who is among those found."""


async def test_people_are_found_as_one_types(phone: Phone, people: dict[str, UUID]) -> None:
    answers = {q: str(people[who]) in await found(phone, q) for q, who in TYPED.items()}
    assert answers == dict.fromkeys(TYPED, True)


async def test_without_folding_the_check_misses_people(
    phone: Phone, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "words_of", lambda text: text.lower().split())
    missed = [q for q, who in TYPED.items() if str(people[who]) not in await found(phone, q)]
    assert {"ÉLOÏSE", "أحمد", "فاطمة"} <= set(missed)


async def test_all_words_must_fit(phone: Phone, people: dict[str, UUID]) -> None:
    for q in ("eloise hachimi", "ahmed zzz", "hmed", "loise", "zzzz"):
        assert not await found(phone, q) & set(map(str, people.values())), q


async def test_three_letters_are_the_least(phone: Phone) -> None:
    for q in (
        "a",
        "ab",
        "é",
        "ا",
        "--- a",
        "   ",
        "%",
        "__",
        "''",
        "\u064e\u064e\u064e",
        "\0",
        "🎫" * 50,
        "a b c",
        "ab c",
        "a a a",
        "ab ab",
    ):
        response = await phone.ask("GET", "/checkins/search", q=q)
        assert said(response) == (422, "request.invalid", "q"), (q, response.text)
        assert "3 letters" in response.json()["detail"]
    for q in ("", "x" * 201, "x" * 10_000):
        assert said(await phone.ask("GET", "/checkins/search", q=q)) == (422, "request.invalid", "q"), q
    assert said(await phone.ask("GET", "/checkins/search"))[:2] == (422, "request.invalid")


async def test_nothing_in_a_question_is_a_command(phone: Phone, people: dict[str, UUID]) -> None:
    everybody = set(map(str, people.values()))
    for q in (
        "%%%",
        "___",
        "abc%",
        "'; DROP",
        "' OR 1=1 --",
        "\\x00abc",
        "abc\0def",
        "ahm%ed",
        "a_med",
        "\U0010ffffabc",
        "[a-z]+",
    ):
        response = await phone.ask("GET", "/checkins/search", q=q)
        assert response.status_code in (200, 422), q
        if response.status_code == 200:
            assert not {one["id"] for one in response.json()["attendees"]} & everybody, q
    raw = await phone.api.get("/checkins/search?q=%ED%A0%80%FFabc", headers=phone.headers)
    assert raw.status_code in (200, 400, 422)
    assert await found(phone, "ahmed" + "\u0301" * 100), "accents without a letter are left out"


async def test_a_code_finds_its_holder(phone: Phone, people: dict[str, UUID], demo: Demo) -> None:
    line = demo.attendees[3]
    typed = line["short_code"].translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")).lower()
    for q in (line["badge_code"], line["short_code"], typed, f" {line['short_code']} "):
        assert await found(phone, q) == {line["id"]}, q
    assert await found(phone, "CODEli-S") == {str(people["li"])}, "whose name is too short to be searched"


async def test_a_code_finds_its_holder_among_any_number_of_namesakes(
    phone: Phone, db: Database, people: dict[str, UUID]
) -> None:
    twins = [await invite(db, "digital-now", "Ahmed El Hachimi", "", "", code=f"TWIN{n}") for n in range(80)]
    for number in (twins.index(min(twins)), twins.index(max(twins))):
        assert await found(phone, f"TWIN{number}") == {str(twins[number])}
    answer = await phone.get("search", q="hachimi ahmed")
    assert (len(answer["attendees"]), answer["more"]) == (20, True)


async def test_an_answer_has_what_the_desk_needs(phone: Phone, demo: Demo, people: dict[str, UUID]) -> None:
    (person,) = (await phone.get("search", q="hachimi ahmed", list="main"))["attendees"]
    assert person == {
        "id": str(people["ahmed"]),
        "name": "Ahmed El Hachimi",
        "name_ar": "أحمد الهاشمي",
        "company": "Office Chérifien",
        "ticket": "visitor",
        "language": "fr",
        "code": "CODEAHMED-S",
        "inside": False,
        "since": None,
        "gate": None,
        "device": None,
    }
    assert told(await phone.scan(person["code"])) == "admitted", "what was found can be checked in"
    async with asyncio.timeout(15):
        while not person["inside"]:
            (person,) = (await phone.get("search", q="hachimi ahmed", list="main"))["attendees"]
    device = next(one for one in demo.file.devices if one.token == phone.headers["Authorization"].split()[1])
    assert (person["gate"], person["device"]) == (device.gate, device.name)
    (person,) = (await phone.get("search", q="hachimi ahmed", list="lounge"))["attendees"]
    assert person["inside"] is False
    (person,) = (await phone.get("search", q="hachimi ahmed"))["attendees"]
    assert person["inside"] is None
    assert said(await phone.ask("GET", "/checkins/search", q="ahmed", list="nowhere"))[:2] == (
        404,
        "checkin.unknown_list",
    )


async def test_a_revoked_badge_is_not_offered(api: httpx.AsyncClient, phone: Phone, demo: Demo) -> None:
    line = demo.attendees[3]
    organizer = organizer_of(api, demo)
    lost = line["short_code"]
    new = (await organizer.ask("POST", f"/attendees/{line['id']}/badge")).json()["short_code"]
    async with asyncio.timeout(15):
        while True:
            (person,) = [
                one for one in (await phone.get("search", q=line["name"]))["attendees"] if one["id"] == line["id"]
            ]
            if person["code"] == new:
                break
    assert await found(phone, lost) == {line["id"]}, "the lost one still tells whose it was"


async def test_nobody_of_another_event_is_found(
    phone: Phone, organizer_token: str, db: Database, stranger: Demo
) -> None:
    there = await invite(db, OTHER, "Zyxwv Unique", "", "", code="ELSEWHERE")
    for q in ("zyxwv", "unique zyxwv", "ELSEWHERE", stranger.badge(), stranger.attendees[0]["short_code"]):
        assert not await found(phone, q) & {str(there), stranger.attendees[0]["id"]}, q
    base = str(phone.api.base_url).replace("digital-now", OTHER)
    url = f"{base}checkins/search"
    here = await phone.api.get(url, params={"q": "zyxwv"}, headers=bearer(stranger.file.organizer_token))
    assert [one["id"] for one in here.json()["attendees"]] == [str(there)]
    assert said(await phone.api.get(url, params={"q": "zyxwv"}, headers=bearer(organizer_token)))[0] == 401


@pytest.fixture
def organizer_token(demo: Demo) -> str:
    return demo.file.organizer_token


async def test_a_scanner_alone_may_not_search(api: httpx.AsyncClient, demo: Demo) -> None:
    for profile in ("scan", "kiosk"):
        response: Any = await phone_of(api, demo, profile).ask("GET", "/checkins/search", q="ahmed")
        assert said(response)[:2] == (403, "device.profile_forbids")
        assert "search" in response.json()["detail"]
