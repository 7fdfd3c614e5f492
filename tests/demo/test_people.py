"""The sample event's attendees: repeatable, unique by address, named in two scripts, in realistic proportions."""

import re
from collections import Counter
from itertools import islice

import pytest
from msgspec import toml

from server.demo.exhibitors import CONTENT, load_exhibitors
from server.demo.people import TICKETS, Names, Person, generate_people

BOOTHS = [exhibitor.name for exhibitor in load_exhibitors()]


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return list(generate_people(5000, 42, BOOTHS))


def repeated(values: list[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def test_same_seed_gives_the_same_people(people: list[Person]) -> None:
    assert list(generate_people(5000, 42, BOOTHS)) == people
    assert list(generate_people(5000, 43, BOOTHS)) != people


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 4999])
def test_fewer_people_are_the_beginning_of_more(people: list[Person], count: int) -> None:
    assert list(generate_people(count, 42, BOOTHS)) == people[:count]


def test_taking_people_one_by_one_changes_nothing(people: list[Person]) -> None:
    assert list(islice(generate_people(10**9, 42, BOOTHS), 1500)) == people[:1500]


def test_addresses_are_ascii_and_nobodys(people: list[Person]) -> None:
    for person in people:
        assert re.fullmatch(r"[a-z]+(\.[a-z]+)+\d*@[a-z0-9]+(-[a-z0-9]+)*\.example", person.email)


def test_addresses_are_unique_in_the_largest_event() -> None:
    addresses = [person.email for person in generate_people(150_000, 1, BOOTHS)]
    assert len(addresses) == 150_000
    assert repeated(addresses) == []
    # The check would see a generator that left the numbers out.
    assert repeated([re.sub(r"\d+@", "@", address) for address in addresses]) != []


def test_names_are_in_both_scripts(people: list[Person]) -> None:
    for person in people:
        assert re.fullmatch(r"[^\W\d_]+( [^\W\d_]+)+", person.name)
        assert not re.search(r"[\u0600-\u06ff]", person.name)
        assert re.fullmatch(r"[\u0621-\u064a]+( [\u0621-\u064a]+)+", person.name_ar)


def test_lists_of_names_are_long_and_repeat_nobody() -> None:
    origins = toml.decode((CONTENT / "names.toml").read_bytes(), type=Names).origins
    for origin in origins:
        for names in (origin.female, origin.male, origin.family):
            assert repeated([latin for latin, _ in names]) == []
    assert sum(len(origin.female) + len(origin.male) for origin in origins) >= 120
    assert sum(len(origin.family) for origin in origins) >= 200


def test_names_are_varied(people: list[Person]) -> None:
    names = Counter(person.name for person in people)
    assert len(names) > 3500
    assert names.most_common(1)[0][1] <= 12
    assert len({person.company for person in people}) > 1000


def test_everybody_has_a_company_and_a_job_in_the_own_language(people: list[Person]) -> None:
    for person in people:
        assert person.company
        assert person.job
        assert bool(re.search(r"[\u0621-\u064a]", person.job)) == (person.language == "ar")


def test_tickets_are_in_their_proportions(people: list[Person]) -> None:
    counted = Counter(person.ticket for person in people)
    assert sum(ticket.share for ticket in TICKETS) == 100
    for ticket in TICKETS:
        assert counted[ticket.key] / len(people) * 100 == pytest.approx(ticket.share, rel=0.3)


def test_tickets_are_six_and_named_in_every_language() -> None:
    assert [ticket.key for ticket in TICKETS] == ["visitor", "vip", "press", "speaker", "exhibitor", "staff"]
    for language in ("fr", "ar", "en"):
        assert len({ticket.name[language] for ticket in TICKETS}) == 6
    assert all(re.fullmatch(r"[\u0621-\u064a ]+", ticket.name["ar"]) for ticket in TICKETS)


def test_languages_are_in_realistic_proportions(people: list[Person]) -> None:
    counted = Counter(person.language for person in people)
    assert counted.keys() == {"fr", "ar", "en"}
    assert 0.5 < counted["fr"] / len(people) < 0.7
    assert 0.2 < counted["ar"] / len(people) < 0.4
    assert 0.05 < counted["en"] / len(people) < 0.2


def test_exhibitors_staff_work_at_the_booths(people: list[Person]) -> None:
    at_booths = [person for person in people if person.ticket == "exhibitor"]
    assert {person.company for person in at_booths} <= set(BOOTHS)
    websites = {exhibitor.name: exhibitor.website for exhibitor in load_exhibitors()}
    assert all(websites[person.company] == "https://" + person.email.split("@")[1] for person in at_booths)


def test_exhibitors_change_nothing_but_the_employer_of_their_staff(people: list[Person]) -> None:
    for with_booths, without in zip(people, generate_people(5000, 42), strict=True):
        assert (with_booths.name, with_booths.ticket, with_booths.job) == (without.name, without.ticket, without.job)
        assert with_booths.company == without.company or with_booths.ticket == "exhibitor"
        assert without.company not in BOOTHS or without.ticket != "exhibitor"


def test_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative: -1"):
        generate_people(-1, 42)
