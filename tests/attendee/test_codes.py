"""Short codes: a typing error is told from a code."""

from __future__ import annotations

from hypothesis import given, strategies as st

from server.attendee.codes import ALPHABET, check_character, in_groups, is_short_code, new_short_code
from server.checkin.policy import clean_code

bodies = st.text(ALPHABET, min_size=7, max_size=7)
codes = bodies.map(lambda body: body + check_character(body))


@given(codes)
def test_every_wrong_character_and_every_swap_is_noticed(code: str) -> None:
    assert is_short_code(code)
    for place, right in enumerate(code):
        for wrong in ALPHABET:
            if wrong != right:
                assert not is_short_code(code[:place] + wrong + code[place + 1 :])
        neighbours = code[place : place + 2]
        if neighbours != neighbours[::-1]:
            assert not is_short_code(code[:place] + neighbours[::-1] + code[place + 2 :])


@given(st.text(max_size=12))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert is_short_code(text) is (
        len(text) == 8 and set(text) <= set(ALPHABET) and check_character(text[:7]) == text[7]
    )


def test_a_new_code_is_one_also_as_it_is_printed() -> None:
    code = new_short_code()
    printed = in_groups(code)
    assert printed == f"{code[:4]} {code[4:]}"
    assert is_short_code(clean_code(f" {printed.lower()}\r\n"))
    assert not is_short_code(printed)
