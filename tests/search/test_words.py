"""From texts to words and from words to questions: what is left out, what counts as the same, what is forgiven. Pure."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from server.folding import all_words_of, fold
from server.search import snippets, spelling
from server.search.asking import asked_words, question
from server.search.entries import session_entry
from server.search.snippets import MOST_CHARACTERS, pattern_of, snippet
from server.search.spelling import FIRST_LETTERS, errors, meant, spellings
from server.search.types import SessionSource
from server.search.wording import LITTLE_WORDS, bare, beginning_of, forms

EVENT = UUID(int=0xABCD)
WORDS = st.text("abcdeéçabnou", min_size=1, max_size=14)
ANYTHING = st.text(st.characters(codec="utf-8"), max_size=200)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("L’intelligence artificielle", ["intelligence", "artificielle"]),
        ("l'avenir de la banque", ["avenir", "banque"]),
        ("banque de", ["banque", "de"]),  # "de" may become "développement"
        ("banque de ", ["banque"]),
        ("banque de\u0301", ["banque", "de"]),  # an é as some keyboards send it
        ("banque d", ["banque"]),
        ("de la", ["la"]),
        ("R", ["r"]),
        ("salle 4", ["salle", "4"]),
        ("5G", ["5g"]),
        ("الذكاء في المغرب", ["الذكا", "المغرب"]),
        ("banque BANQUE bânque", ["banque"]),
        ("!?… « » 🎉", []),
        ("\u2067\u0000\u2069", []),
        ("\u202eabc\u202c", ["abc"]),
    ],
)
def test_words_that_count(typed: str, words: list[str]) -> None:
    assert asked_words(typed) == words


@given(ANYTHING)
def test_whatever_is_typed_makes_a_question_that_is_one(typed: str) -> None:
    """Every lexeme is letters and digits between quotes, behind the event's tag; nothing typed gets out of the quotes."""
    words = asked_words(typed)
    assert bool(words) == bool(all_words_of(typed))
    asked = question(EVENT, [[word] for word in words])
    for text in (asked.named, asked.begun, asked.beside, asked.any):
        assert re.fullmatch(r"[()|&]*(?:'abcd[^\W_]+'(?::\*?(?:AB)?)?[()|&]*)*", text)
    assert not set(words[:-1]) & LITTLE_WORDS


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("البنوك", "بنوك"),
        ("بنوك", "البنوك"),
        ("والبنوك", "بنوك"),
        ("للبنوك", "البنوك"),
        ("الإِدْرِيسِيّ", "الادريسي"),
        ("ﺍﻟﺒﻨﻮﻙ", "بنوك"),
        ("banques", "banque"),
        ("Banque", "banques"),
        ("Cœur", "coeur"),
        ("Éloïse", "elo"),
    ],
)
def test_what_is_typed_finds_the_word(text: str, typed: str) -> None:
    kept = [form for word in all_words_of(text) for form in forms(word)]
    (asked,) = asked_words(typed)
    assert any(form.startswith(beginning_of(asked)) for form in kept)


def test_an_article_is_not_taken_from_a_short_word() -> None:
    assert bare("الف") == "الف"
    assert forms("الف") == ("الف",)


@given(WORDS, st.data())
def test_one_error_leaves_a_spelling_in_common(word: str, data: st.DataObject) -> None:
    folded = fold(word)
    typed = damaged(folded, data)
    if min(len(folded), len(typed)) >= spelling.SHORTEST:
        assert spellings(folded) & spellings(typed), (folded, typed)
        assert errors(typed, folded)[0] <= 1


def damaged(word: str, data: st.DataObject) -> str:
    at = data.draw(st.integers(0, len(word) - 1))
    return data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + "z" + word[at:],
                word[:at] + "z" + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    )


def test_without_the_shortened_spellings_an_error_is_not_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "spellings", lambda word: {word[:FIRST_LETTERS]})
    with pytest.raises(AssertionError):
        test_one_error_leaves_a_spelling_in_common()


@pytest.mark.parametrize(
    ("typed", "known", "found"),
    [
        ("inteligence", ["intelligence", "intelligente", "interne"], ["intelligence"]),
        ("inteligen", ["intelligence", "interne"], ["intelligence"]),  # not finished
        ("maorc", ["maroc", "marocain"], ["maroc"]),
        ("intteligance", ["intelligence"], []),  # three
        ("banqe", ["banque", "banquet", "barque"], ["banque"]),
        ("zzzz", ["banque"], []),
        ("cafe", ["cave", "care", "case", "cape"], ["cape", "care", "case"]),
    ],
)
def test_the_nearest_words_are_meant(typed: str, known: list[str], found: list[str]) -> None:
    assert meant(typed, known) == found


def test_short_words_and_numbers_are_what_they_are() -> None:
    assert spellings("ia5") == spellings("iac") == spellings("2026") == set()


def session(**more: object) -> SessionSource:
    texts: dict[str, dict[str, str]] = {name: {} for name in ("title", "subtitle", "abstract", "description")}
    given = {"session_id": UUID(int=1), **texts, "room": None, "track": None, "kind": None}
    return SessionSource(**{**given, "speakers": {}, "organisations": {}, **more})  # type: ignore[arg-type]


def test_the_longest_texts_stay_within_what_a_vector_holds() -> None:
    """A tsvector ends at 1 MB."""
    endless = " ".join(f"{number:x}".rjust(40, "ل") for number in range(40_000))
    entry = session_entry(EVENT, session(title={"fr": endless}, description={"fr": endless}))
    assert len(entry.whole.encode()) < 2**20
    assert len(entry.head.encode()) < 2**20


def test_marks_of_a_description_are_not_words() -> None:
    entry = session_entry(EVENT, session(description={"fr": "<p class='lead'>Le <strong>caf&eacute;</strong></p>"}))
    assert entry.whole.split() == ["'abcdle'", "'abcdcafe'"]


@pytest.mark.parametrize(
    ("text", "typed", "line"),
    [
        ("Avant tout, un texte où l’Éléphant entre.", "elephant", "Avant tout, un texte où l’Éléphant entre."),
        ("x" * 20 + " mot" * 30 + " Cible " + "suite " * 40, "cible", "…"),
        ("قَالَ الإِدْرِيسِيُّ كلاما", "ادريسي", "قَالَ الإِدْرِيسِيُّ كلاما"),
        ("<p>Une <b>banque</b> ouverte</p>", "banque", "Une banque ouverte"),
        ("Rien de tel", "zzz", "Rien de tel"),
        ("", "zzz", ""),
    ],
)
def test_a_snippet_shows_the_word(text: str, typed: str, line: str) -> None:
    found = snippet([text], pattern_of(asked_words(typed)))
    assert len(found) <= MOST_CHARACTERS
    if line == "…":
        assert found.startswith("…mot")
        assert found.endswith("suite…")
        assert "Cible" in found
    else:
        assert found == line


@given(ANYTHING, st.integers(0, 400))
def test_a_snippet_is_one_short_line_without_loose_marks(text: str, times: int) -> None:
    line = snippet([text * times], pattern_of(["abc"]))
    assert len(line) <= MOST_CHARACTERS
    assert "\n" not in line
    assert not snippets._DIRECTIONS.search(line)


def test_the_first_text_with_a_word_is_shown() -> None:
    assert snippet(["un", "deux mots"], pattern_of(["mots"])) == "deux mots"
    assert snippet(["", "deux mots"], pattern_of(["zzz"])) == "deux mots"
