"""Short codes: a typing error is told from a code."""

from __future__ import annotations

from hypothesis import given, strategies as st

from server.attendee.codes import ALPHABET, check_character, in_groups, new_short_code, read_short_code
from server.checkin.policy import clean_code

bodies = st.text(ALPHABET, min_size=7, max_size=7)
codes = bodies.map(lambda body: body + check_character(body))


@given(codes)
def test_every_wrong_character_and_every_swap_is_noticed(code: str) -> None:
    assert read_short_code(code)
    for place, right in enumerate(code):
        for wrong in ALPHABET:
            if wrong != right:
                assert not read_short_code(code[:place] + wrong + code[place + 1 :])
        neighbours = code[place : place + 2]
        if neighbours != neighbours[::-1]:
            assert not read_short_code(code[:place] + neighbours[::-1] + code[place + 2 :])


@given(st.text(max_size=12))
def test_any_text_can_be_asked_about(text: str) -> None:
    code = read_short_code(text)
    assert code is None or (len(code) == 8 and set(code) <= set(ALPHABET) and check_character(code[:7]) == code[7])


@given(codes, st.data())
def test_letters_that_look_like_digits_and_hyphens_are_understood(code: str, data: st.DataObject) -> None:
    typed = "".join(data.draw(st.sampled_from({"0": "0O", "1": "1IL"}.get(character, character))) for character in code)
    assert read_short_code(f"{typed[:4]}-{typed[4:]}") == code


def test_a_new_code_is_one_also_as_it_is_printed() -> None:
    code = new_short_code()
    printed = in_groups(code)
    assert printed == f"{code[:4]} {code[4:]}"
    assert read_short_code(clean_code(f" {printed.lower()}\r\n")) == code
    assert read_short_code(printed) is None
