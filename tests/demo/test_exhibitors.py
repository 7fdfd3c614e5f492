"""The sample event's exhibitors: unique, complete in three languages, repeatable."""

import re
from collections import Counter

import pytest

from server.demo.exhibitors import Exhibitor, load_exhibitors, slug

LANGUAGES = {"fr", "ar", "en"}


@pytest.fixture(scope="module")
def fifty() -> list[Exhibitor]:
    return load_exhibitors()


@pytest.fixture(scope="module")
def many() -> list[Exhibitor]:
    return load_exhibitors(500, seed=7)


def arabic_letters(text: str) -> int:
    return len(re.findall(r"[\u0621-\u064a]", text))


def test_default_is_fifty_written_by_hand(fifty: list[Exhibitor], many: list[Exhibitor]) -> None:
    assert len(fifty) == 50
    assert many[:50] == fifty


def test_keys_names_booths_and_websites_are_unique(many: list[Exhibitor]) -> None:
    assert len(many) == 500
    for field in ("key", "name", "booth", "website"):
        values = [getattr(exhibitor, field) for exhibitor in many]
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_key_is_the_slug_of_the_name_and_names_the_website(many: list[Exhibitor]) -> None:
    for exhibitor in many:
        assert exhibitor.key == slug(exhibitor.name)
        assert exhibitor.website == f"https://{exhibitor.key}.example"
        assert re.fullmatch(r"[A-Z]\d{2,}", exhibitor.booth)


def test_texts_are_there_in_every_language(many: list[Exhibitor]) -> None:
    for exhibitor in many:
        for texts in (exhibitor.sector, exhibitor.city, exhibitor.description):
            assert texts.keys() == LANGUAGES
            assert all(text.strip() == text != "" for text in texts.values())
            assert not any("{" in text for text in texts.values())


def test_arabic_is_written_in_arabic(many: list[Exhibitor]) -> None:
    for exhibitor in many:
        for texts in (exhibitor.sector, exhibitor.city, exhibitor.description):
            assert not re.search("[A-Za-z]", texts["ar"])
            assert arabic_letters(texts["ar"]) > len(texts["ar"]) / 2
            assert arabic_letters(texts["fr"] + texts["en"]) == 0


def test_descriptions_are_one_or_two_sentences(many: list[Exhibitor]) -> None:
    for exhibitor in many:
        for text in exhibitor.description.values():
            assert text.endswith(".")
            assert 40 <= len(text) <= 240


def test_descriptions_of_the_fifty_are_all_different(fifty: list[Exhibitor]) -> None:
    for language in LANGUAGES:
        assert len({exhibitor.description[language] for exhibitor in fifty}) == 50


def test_technopark_pavilion_gathers_startups_of_five_cities(fifty: list[Exhibitor]) -> None:
    startups = [exhibitor for exhibitor in fifty if exhibitor.pavilion]
    assert len(startups) >= 16
    assert [exhibitor.booth for exhibitor in startups] == [f"T{number:02}" for number in range(1, len(startups) + 1)]
    assert all(exhibitor.pavilion.keys() == LANGUAGES for exhibitor in startups)
    cities = [exhibitor.city["fr"] for exhibitor in startups]
    assert set(cities) >= {"Casablanca", "Rabat", "Tanger", "Agadir", "Essaouira"}
    assert len([city for city, before in zip(cities, [None, *cities], strict=False) if city != before]) == len(
        set(cities)
    )


def test_only_the_pavilion_is_in_hall_t(many: list[Exhibitor]) -> None:
    assert all(exhibitor.booth.startswith("T") == bool(exhibitor.pavilion) for exhibitor in many)


def test_smaller_list_is_the_beginning_of_a_larger_one(many: list[Exhibitor]) -> None:
    assert load_exhibitors(3) == many[:3]
    assert load_exhibitors(120, seed=7) == many[:120]
    assert load_exhibitors(0) == []


def test_seed_decides_what_comes_after_the_fifty(many: list[Exhibitor]) -> None:
    assert load_exhibitors(500, seed=7) == many
    assert load_exhibitors(500, seed=8)[50:] != many[50:]


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative: -1"):
        load_exhibitors(-1)
    with pytest.raises(ValueError, match=r"at most \d+ exhibitors, not 100000"):
        load_exhibitors(100_000)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Médina Pas à Pas", "medina-pas-a-pas"),
        ("Bennani & Fils", "bennani-fils"),
        ("L’Écho d'Oujda", "l-echo-d-oujda"),
        ("  Itri--Cloud 2 ", "itri-cloud-2"),
    ],
)
def test_slug_keeps_ascii_letters_and_digits(name: str, expected: str) -> None:
    assert slug(name) == expected
