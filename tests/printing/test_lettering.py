"""Text that is joined, measured, and never wider than its box."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from server.printing.bidi import is_rtl, plain
from server.printing.lettering import Block, face_of, fit, set_line, unknown_in

SIZES = (30.0, 20.0, 12.0, 8.0)
WIDTH = 260.0

names = st.text(st.characters(codec="utf-8") | st.sampled_from("aé سلمى-.12"), max_size=120)


def too_wide(block: Block) -> list[str]:
    return [line.text for line in block.lines if line.width * block.size > WIDTH + 0.01]


@settings(max_examples=200, deadline=None)
@given(names, st.integers(1, 3))
def test_no_name_leaves_its_box(name: str, lines: int) -> None:
    block = fit(name, "Bold", width=WIDTH, sizes=SIZES, lines=lines)
    assert too_wide(block) == []
    assert len(block.lines) <= lines
    shown = "".join(line.text for line in block.lines).replace(" ", "").replace("…", "")
    if not block.cut and "…" not in name:
        assert shown == plain(name).replace(" ", "").replace("…", "")


@pytest.mark.parametrize("name", ["W" * 300, "ب" * 300, "W" * 30 + " " + "ب" * 200, "Anne " * 60])
def test_what_is_too_long_is_cut_and_says_so(name: str) -> None:
    block = fit(name, "Bold", width=WIDTH, sizes=SIZES, lines=2)
    assert too_wide(block) == []
    assert block.cut
    assert block.lines[-1].text.endswith("…")


def test_a_box_that_is_left_is_noticed() -> None:
    assert too_wide(Block((set_line("Salma El Idrissi", "Bold", rtl=False),), 60.0))


def test_a_short_name_is_large_and_a_long_one_smaller() -> None:
    sizes = [
        fit(name, "Bold", width=WIDTH, sizes=SIZES, lines=1).size
        for name in ("Ali", "Salma El Idrissi Bennani", "Jean-Christophe Alexandre de la Rochefoucauld")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == SIZES[0] > sizes[-1]


def test_lines_are_about_equally_long() -> None:
    def lines(name: str) -> list[str]:
        return [line.text for line in fit(name, "Bold", width=WIDTH, sizes=(32.0,), lines=3).lines]

    assert lines("Abdelaziz El Kadiri") == ["Abdelaziz", "El Kadiri"]
    assert lines("Jean Marie de la Roche Foucauld") == ["Jean Marie de la", "Roche Foucauld"]
    assert lines("Ali Ben") == ["Ali Ben"]


def test_an_empty_name_has_no_lines() -> None:
    assert fit(" \u200f", "Bold", width=WIDTH, sizes=SIZES, lines=2).lines == ()


def test_arabic_letters_are_joined_and_go_to_the_left() -> None:
    face = face_of("NotoSansArabic-Bold")
    word = "سلمى"
    joined = [glyph.id for glyph in face.shape(word, rtl=True)]
    alone = [glyph.id for letter in reversed(word) for glyph in face.shape(letter, rtl=True)]
    backwards = [glyph.id for glyph in face.shape(word[::-1], rtl=True)]
    assert len(joined) == len(alone) == 4
    assert all(a != b for a, b in zip(joined, alone, strict=True)), "each letter has the form of its place in the word"
    assert joined != backwards
    line = set_line(word, "Bold", rtl=True)
    assert [glyph.id for piece in line.pieces for glyph in piece.glyphs] == joined


def test_a_mixed_line_takes_each_script_from_its_font() -> None:
    line = set_line("شركة Atlas 2030", "Regular", rtl=is_rtl("شركة Atlas 2030"))
    assert [piece.face for piece in line.pieces][-1] == "NotoSansArabic-Regular", "the line begins at the right"
    assert {piece.face for piece in line.pieces} == {"NotoSansArabic-Regular", "NotoSans-Regular"}
    assert all(glyph.id for piece in line.pieces for glyph in piece.glyphs), "no empty boxes"


def test_characters_without_a_font_are_named() -> None:
    assert unknown_in("Łukasz Žižek, Ñandú, Müller, Ðorđe, سلمى گل پ چ ڤ ٣ Σοφία Анна") == set()
    assert unknown_in("田中 Ali") == {"田", "中"}
