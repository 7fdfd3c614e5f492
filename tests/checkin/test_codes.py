"""What is meant by what scanners and keyboards send."""

from __future__ import annotations

import pytest

from server.checkin.policy import clean_code

BEFORE = ("", " ", "\n", "\x02", "\ufeff", "\u202e", "\u200f\x1d")
PREFIXES = ("", "]Q1", "]q3", "]C0")
BEHIND = ("", "\r\n", "\t", "\u202c", "\x04")


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("behind", BEHIND)
def test_whatever_stands_around_a_code_is_left_out(before: str, prefix: str, behind: str) -> None:
    assert clean_code(f"{before}{prefix}7h3k 0wpc{behind}") == "7H3K0WPC"


def test_digits_of_other_scripts_and_wide_letters_are_understood() -> None:
    assert clean_code("٧H٣K٠WPC") == clean_code("۷h۳k۰wpc") == clean_code("７Ｈ３Ｋ０ＷＰＣ") == "7H3K0WPC"


def test_a_bracket_that_begins_no_prefix_stays() -> None:
    assert [clean_code(code) for code in ("]", "]Q1", "]?1X")] == ["]", "]Q1", "]?1X"]
