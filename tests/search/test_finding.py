"""Finding something by what one types, over real HTTP, in the sample event and in what an organizer adds to it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from server.search import finding, storing, wording
from tests.conftest import OTHER, Demo, bearer
from tests.phones import said
from tests.search.conftest import Planner, Visitor


async def test_a_session_is_found_as_one_types(visitor: Visitor, planner: Planner) -> None:
    await planner.add_session({"fr": "Éthique de l’algorithme", "ar": "أخلاقيات الخوارزميّة", "en": "Ethics"})
    for typed in (
        "ét",
        "ethiq",
        "ETHIQUE ALGO",
        "l'algorithme",
        "algorithmes",
        "éthique de l'",
        "خوارزمية",
        "الخوارزميه",
        "اخلاق",
    ):
        assert "Éthique de l’algorithme" in await visitor.titles(typed), typed
    assert "Éthique de l’algorithme" not in await visitor.titles("éthique zanzibar")


async def test_titles_come_before_names_before_rooms_before_long_texts(visitor: Visitor, planner: Planner) -> None:
    room = await planner.add("rooms", name={"fr": "Salle Zanzibar"})
    speaker = await planner.add("speakers", name={"fr": "Aïcha Zanzibar"})
    await planner.add_session({"fr": "Le long texte"}, abstract={"fr": "Un détour par Zanzibar."})
    await planner.add_session({"fr": "La salle"}, room_id=room)
    await planner.add_session({"fr": "La personne"}, speaker_ids=[speaker])
    await planner.add_session({"fr": "Zanzibar"})
    await planner.add_session({"fr": "Zanzibarites"})

    assert await visitor.titles("zanzibar") == [
        "Zanzibar",
        "Aïcha Zanzibar",
        "La personne",
        "Zanzibarites",
        "La salle",
        "Le long texte",
    ]
    assert await visitor.titles("zanzibar", kinds="speaker") == ["Aïcha Zanzibar"]
    assert await visitor.titles("zanzibar", limit=2) == ["Zanzibar", "Aïcha Zanzibar"]
    assert await visitor.titles("zanzibar détour") == ["Le long texte"]


async def test_a_result_says_what_a_list_shows(visitor: Visitor, planner: Planner) -> None:
    speakers = [
        await planner.add(
            "speakers",
            name={"fr": "Aïcha Zouari", "ar": "عائشة"},
            organisation={"fr": "Institut"},
            bio={"fr": "Née à Fès."},
        ),
        await planner.add("speakers", name={"fr": "Bachir"}),
    ]
    room = await planner.add("rooms", name={"fr": "Salle 9"})
    session = await planner.add_session(
        {"fr": "Zibeline", "ar": "زيبلين"},
        room_id=room,
        speaker_ids=speakers,
        abstract={"fr": "Un résumé <b>bref</b>."},
    )
    (found,) = (await visitor.search("zibeline"))["results"]
    assert found == {
        "about": "session",
        "id": session,
        "title": "Zibeline",
        "subtitle": "Aïcha Zouari, Bachir",
        "snippet": "Un résumé bref.",
        "starts_at": "2026-12-18T06:00:00Z",
        "ends_at": "2026-12-18T06:30:00Z",
        "room_id": room,
        "status": "scheduled",
    }
    (found,) = (await visitor.search("زيبلين", lang="ar"))["results"]
    assert (found["title"], found["subtitle"]) == ("زيبلين", "عائشة, Bachir")
    (found,) = (await visitor.search("zibeline", lang="*"))["results"]
    assert (found["title"], found["subtitle"]) == (
        {"fr": "Zibeline", "ar": "زيبلين"},
        {"fr": "Aïcha Zouari, Bachir", "ar": "عائشة, Bachir"},
    )
    (found,) = (await visitor.search("zouari", kinds="speaker"))["results"]
    assert (found["title"], found["subtitle"], found["snippet"]) == ("Aïcha Zouari", "Institut", "Née à Fès.")
    assert found["starts_at"] is found["status"] is None


async def test_a_cancelled_session_is_found_and_says_so(visitor: Visitor, planner: Planner) -> None:
    session = await planner.add_session({"fr": "Zibeline"})
    await planner.change("sessions", session, status="cancelled")
    (found,) = (await visitor.search("zibeline"))["results"]
    assert found["status"] == "cancelled"


async def test_exhibitors_are_found_by_name_booth_and_trade(visitor: Visitor, api: httpx.AsyncClient) -> None:
    first = (await api.get("/exhibitors", params={"lang": "fr"})).json()["exhibitors"][0]
    for typed in (first["name"], first["booth"], first["name"].upper()):
        found = (await visitor.search(typed, kinds="exhibitor"))["results"][0]
        assert (found["id"], found["title"], found["subtitle"]) == (first["id"], first["name"], first["booth"])


async def test_what_is_in_any_language_is_found_in_every_other(visitor: Visitor, planner: Planner) -> None:
    await planner.add_session({"fr": "Le chêne", "en": "The oak"}, description={"ar": "شجرة البلوط الكبيرة"})
    for language in ("fr", "ar", "en"):
        for typed in ("chene", "oak", "بلوط"):
            (found,) = (await visitor.search(typed, lang=language, kinds="session"))["results"]
            assert found["title"] == ("The oak" if language == "en" else "Le chêne")


async def test_a_text_in_another_language_is_better_than_none(visitor: Visitor, planner: Planner) -> None:
    """The same language as where the session itself is read."""
    speaker = await planner.add("speakers", name={"fr": "Zibeline"}, bio={"ar": "شجرة البلوط"})
    session = await planner.add_session({"fr": "Zibelines"}, abstract={"ar": "شجرة", "de": "Der Baum"})
    found = {one["id"]: one["snippet"] for one in (await visitor.search("zibeline"))["results"]}
    shown = (await visitor.ask("GET", f"/sessions/{session}", None, lang="fr")).json()["abstract"]
    assert found == {session: shown, speaker: "شجرة البلوط"}


async def test_a_typing_error_is_forgiven_where_nothing_else_is_found(visitor: Visitor, planner: Planner) -> None:
    await planner.add_session({"fr": "Photosynthèse"}, abstract={"fr": "La chlorophylle."})
    for typed in ("phothosynthèse", "photosinthese", "photosyntese", "phtoosynthese", "photosynht"):
        found = await visitor.search(typed)
        assert [one["title"] for one in found["results"]] == ["Photosynthèse"], typed
        assert (found["words"], found["corrected"]) == (["photosynthese"], True)
    found = await visitor.search("photosinthese chlorophylle")
    assert (found["words"], len(found["results"])) == (["photosynthese", "chlorophylle"], 1)
    found = await visitor.search("photosynthese chloorophylle")  # a word of long texts alone: nobody's title has it
    assert (found["results"], found["corrected"]) == ([], False)

    await planner.add_session({"fr": "Photosinthèse"})
    assert await visitor.titles("photosinthèse") == ["Photosinthèse"]


async def test_without_the_spellings_errors_are_not_forgiven(
    visitor: Visitor, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "spellings", lambda _word: set())
    with pytest.raises(AssertionError):
        await test_a_typing_error_is_forgiven_where_nothing_else_is_found(visitor, planner)


@pytest.mark.parametrize("typed", ["", "«", "!?…", "🎉", "\u0000", "\u2067\u2069", "' OR 1=1 --"[:1], ":*&|()"])
async def test_without_a_word_nothing_is_looked_for(visitor: Visitor, typed: str) -> None:
    assert await visitor.search(typed) == {"results": [], "words": [], "corrected": False}


@pytest.mark.parametrize(
    "typed",
    [
        "a' | 'b",
        "'':*",
        "x\\",
        "\u0000abc",
        "\u202eabc\u202c",
        "a" * 200,
        "é" * 200,
        "😀 abc",
        "%_",
        "أ" * 200,
        "ﷺ" * 200,
    ],
)
async def test_nothing_typed_is_more_than_words(visitor: Visitor, typed: str) -> None:
    await visitor.search(typed)


@pytest.mark.parametrize(
    "query",
    [
        {"q": "a" * 201},
        {"q": "a", "limit": 0},
        {"q": "a", "limit": 51},
        {"q": "a", "kinds": ""},
        {"q": "a", "kinds": "attendee"},
        {"q": "a", "kinds": "session,"},
    ],
)
async def test_what_is_no_question_is_refused(visitor: Visitor, query: dict[str, Any]) -> None:
    status, code, field = said(await visitor.ask("GET", "/search", None, **query))
    assert (status, code) == (422, "request.invalid")
    assert field == list(query)[-1]


async def test_a_stranger_s_event_is_not_found(
    visitor: Visitor, planner: Planner, stranger: Demo, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where two events have the same tag before their words."""
    for module in (wording, storing):
        monkeypatch.setattr(module, "tag", lambda _event_id: "same")
    await planner.add_session({"fr": "Zibeline"})
    other = str(api.base_url).replace("digital-now", OTHER)
    answer = await api.post(
        f"{other}/sessions",
        json={
            "title": {"fr": "Zibeline d’ailleurs"},
            "starts_at": "2026-12-18T06:00:00Z",
            "ends_at": "2026-12-18T06:30:00Z",
        },
        headers=bearer(stranger.file.organizer_token),
    )
    assert answer.status_code == 201, answer.text
    assert await visitor.titles("zibeline") == ["Zibeline"]
    found = (await api.get(f"{other}/search", params={"q": "zibeline", "lang": "fr"})).json()
    assert [one["title"] for one in found["results"]] == ["Zibeline d’ailleurs"]


async def test_many_at_once_all_get_their_own_answer(visitor: Visitor, planner: Planner) -> None:
    for number in range(4):
        await planner.add_session({"fr": f"Zibeline{number}"})
    answers = await asyncio.gather(*(visitor.titles(f"zibeline{number % 4}") for number in range(40)))
    assert answers == [[f"Zibeline{number % 4}"] for number in range(40)]
