"""Lines of two directions, in the order in which they stand on paper."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from server.printing.bidi import Run, is_rtl, plain, runs_of

SALMA, SHARIKA = "سلمى", "شركة"

mixed = st.text("ab سلم אב 12٣٤ .,:-+%€()[]·«»/&'", max_size=30).map(plain)


def on_paper(text: str, *, rtl: bool) -> str:
    """The line as one sees it: letters of right-to-left stretches turned around."""
    turned = str.maketrans("()[]", ")(][")
    return "".join(run.text[::-1].translate(turned) if run.rtl else run.text for run in runs_of(text, rtl=rtl))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Salma 12", "Salma 12"),
        ("سلمى 12", "12 ىملس"),
        ("سلمى 12 علي", "يلع 12 ىملس"),
        ("شركة Atlas Data ش.م.م 2030", "2030 م.م.ش Atlas Data ةكرش"),
        ("Atlas شركة 12 SA", "Atlas 12 ةكرش SA"),
        ("Atlas (شركة)", "Atlas (ةكرش)"),
        ("شركة (Atlas)", "(Atlas) ةكرش"),
        ("شركة (Atlas) 7%", "7% (Atlas) ةكرش"),
        ("نادية ب.", ".ب ةيدان"),
        ("هاتف 05-22-33", "33-22-05 فتاه"),
        ("٣٫٥ درهم", "مهرد ٣٫٥"),
        ("Visiteur · زائر", "Visiteur · رئاز"),
        ("«سلمى»", "»ىملس«"),
    ],
)
def test_a_line_stands_as_it_is_read(text: str, seen: str) -> None:
    assert on_paper(text, rtl=is_rtl(text)) == seen


@given(mixed)
def test_nothing_is_lost(text: str) -> None:
    for rtl in (False, True):
        runs = runs_of(text, rtl=rtl)
        assert sorted("".join(run.text for run in runs)) == sorted(text)
        assert all(run.text for run in runs)


@given(st.text("abc 12 .,-()", max_size=20).map(plain))
def test_a_latin_line_is_one_stretch(text: str) -> None:
    assert runs_of(text, rtl=False) == ([Run(text, rtl=False)] if text else [])


def test_what_cannot_be_printed_is_taken_out() -> None:
    assert plain("\u202bSalma\u202c\tEl\r\nIdrissi\x00 ") == "Salma El Idrissi"
    assert plain("e\u0301") == "é"
    assert plain("می\u200cخواهم") == "می\u200cخواهم", "the non-joiner is part of the word"


def test_a_line_begins_where_its_first_letter_does() -> None:
    assert [is_rtl(text) for text in ("12 سلمى Ali", "12 Ali سلمى", "12", "", "«א»")] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_an_order_without_the_algorithm_is_noticed() -> None:
    """The broken variant: stretches from left to right as they are written."""
    written = [Run(f"{SHARIKA} ", rtl=True), Run("Atlas", rtl=False), Run(f" {SALMA}", rtl=True)]
    assert runs_of(f"{SHARIKA} Atlas {SALMA}", rtl=True) == written[::-1]
