"""Words are levelled the same way when they are stored and when they are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from server import folding
from server.folding import MAX_WORD_LENGTH, MAX_WORDS, fold, words_of

LETTERS = st.characters(categories=("L", "Nd", "Zs", "Mn", "Pd", "Po"))
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
NAMES = st.text(LETTERS, max_size=40) | TEXT


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Éloïse Bœuf", "eloise boeuf"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("Ægir", "aegir"),
        ("أإآٱا", "ااااا"),
        ("کریم", "كريم"),
        ("فاطمة", "فاطمه"),
        ("منى", "مني"),
        ("مؤمن", "مومن"),
        ("رئيس", "رييس"),
        ("الزهراء", "الزهرا"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
        ("۰۱۲", "012"),
        ("İstanbul", "istanbul"),
        ("Iğdır", "igdir"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("Ｆｕｌｌ", "full"),
        ("", ""),
    ],
)
def test_a_text_is_levelled(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(NAMES)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for word in words_of(text):
        assert words_of(word) == [word]


@given(NAMES)
def test_case_makes_no_difference(text: str) -> None:
    assert fold(text.casefold()) == fold(text)


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=30), st.data())
def test_who_types_the_beginning_of_a_word_finds_it(word: str, data: st.DataObject) -> None:
    beginning = word[: data.draw(st.integers(1, len(word)))]
    assert fold(word).startswith(fold(beginning))


@given(TEXT)
def test_words_are_what_a_database_and_an_index_can_hold(text: str) -> None:
    words = words_of(text)
    assert len(words) <= MAX_WORDS
    assert len(set(words)) == len(words)
    for word in words:
        assert 0 < len(word) <= MAX_WORD_LENGTH
        assert "\0" not in word
        word.encode()


def test_a_character_that_is_not_remembered_is_levelled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_REMEMBERED", 1)
    monkeypatch.setattr(folding, "_LEVELLED", folding._Levelled())
    assert fold("Éloïse Bœuf أإآ ٠١") == "eloise boeuf ااا 01"
    assert len(folding._LEVELLED) == 1


def test_a_text_of_any_length_is_read_in_no_time() -> None:
    assert words_of("a" * 10_000) == ["a" * MAX_WORD_LENGTH]
    assert len(words_of(" ".join(str(number) for number in range(10_000)))) == MAX_WORDS


def test_without_the_second_look_at_composed_letters_the_check_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_LETTERS", {})
    monkeypatch.setattr(folding, "_LEVELLED", folding._Levelled())  # which remembers
    with pytest.raises(AssertionError):
        test_a_text_is_levelled("فاطمة", "فاطمه")
