"""Text as glyphs: shaped by HarfBuzz, measured, wrapped and shrunk into a box it never leaves.

Lengths here are in em: times the font size they are points. What was shaped once is remembered, because thousands of badges
share their companies, tickets and first names.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import uharfbuzz
from msgspec import Struct

from server.printing.bidi import is_rtl, plain, runs_of

Weight = Literal["Regular", "Bold"]

FONTS: Final = Path(__file__).with_name("fonts")
UNITS: Final = 1000
"""Of an em, in each of our fonts; PDF counts in the same."""
ELLIPSIS: Final = "…"
MEASURED_WORDS: Final = 50_000
"""About 20 MB at most."""

_ARABIC = ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF))


class Glyph(Struct, frozen=True, gc=False):
    id: int
    x: int
    """How far from the pen it is drawn, in thousandths of an em."""
    y: int
    advance: int
    """How far the pen moves."""
    text: str
    """The characters it stands for; nothing for a part of what another glyph stands for, as the dots of some letters are."""


class Piece(Struct, frozen=True):
    """Neighbouring glyphs of one font."""

    face: str
    glyphs: tuple[Glyph, ...]


class Line(Struct, frozen=True):
    """A line ready to be drawn, its pieces from left to right."""

    text: str
    width: float
    """In em."""
    pieces: tuple[Piece, ...]


class Block(Struct, frozen=True):
    """Lines that fit a box."""

    lines: tuple[Line, ...]
    size: float
    """Of the font, in points."""
    cut: bool = False
    """Not all of the text had room."""


class Face:
    """A font file, with what shaping and embedding need."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = (FONTS / f"{name}.ttf").read_bytes()
        self._face = uharfbuzz.Face(self.data)
        self._font = uharfbuzz.Font(self._face)
        self._known: frozenset[int] = frozenset(self._face.unicodes)

    def has(self, character: str) -> bool:
        return ord(character) in self._known

    @property
    def glyphs(self) -> int:
        return int(self._face.glyph_count)

    def advance(self, glyph: int) -> int:
        return int(self._font.get_glyph_h_advance(glyph))

    def extents(self) -> tuple[int, int]:
        """Ascender and descender."""
        found: Any = self._font.get_font_extents("ltr")
        return int(found.ascender), int(found.descender)

    def shape(self, text: str, *, rtl: bool) -> tuple[Glyph, ...]:
        """The text's glyphs from left to right."""
        buffer: Any = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if rtl else "ltr"
        buffer.cluster_level = uharfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
        uharfbuzz.shape(self._font, buffer)
        infos, places = buffer.glyph_infos, buffer.glyph_positions
        bearers = _bearers([(info.cluster, place.x_advance) for info, place in zip(infos, places, strict=True)], text)
        return tuple(
            Glyph(info.codepoint, place.x_offset, place.y_offset, place.x_advance, bearers.get(number, ""))
            for number, (info, place) in enumerate(zip(infos, places, strict=True))
        )


def _bearers(glyphs: list[tuple[int, int]], text: str) -> dict[int, str]:
    """By number, the widest glyph of each cluster with the characters of that. `glyphs`: where a cluster begins, and advances."""
    widest: dict[int, int] = {}
    for number, (cluster, advance) in enumerate(glyphs):
        if cluster not in widest or advance > glyphs[widest[cluster]][1]:
            widest[cluster] = number
    ends = [*sorted(widest)[1:], len(text)]
    return {widest[start]: text[start:end] for start, end in zip(sorted(widest), ends, strict=True)}


@lru_cache(maxsize=4)
def face_of(name: str) -> Face:
    return Face(name)


def faces_of(weight: Weight) -> tuple[Face, Face]:
    """The fonts of a weight: for Arabic script, and for everything else."""
    return face_of(f"NotoSansArabic-{weight}"), face_of(f"NotoSans-{weight}")


def unknown_in(text: str) -> set[str]:
    """Characters that none of our fonts has: an empty box would stand in their place."""
    arabic, other = faces_of("Bold")
    return {character for character in plain(text) if not (arabic.has(character) or other.has(character))}


@lru_cache(maxsize=MEASURED_WORDS)
def set_line(text: str, weight: Weight, *, rtl: bool) -> Line:
    """A `plain` line; `rtl`: it begins at the right, as Arabic does also where it mentions something Latin."""
    pieces = []
    for run in runs_of(text, rtl=rtl):
        stretches = _by_face(run.text, weight)
        for face, stretch in reversed(stretches) if run.rtl else stretches:
            pieces.append(Piece(face.name, face.shape(stretch, rtl=run.rtl)))
    width = sum(glyph.advance for piece in pieces for glyph in piece.glyphs) / UNITS
    return Line(text, width, tuple(pieces))


def fit(text: str, weight: Weight, *, width: float, sizes: tuple[float, ...], lines: int) -> Block:
    """The text in at most so many lines of at most `width` points, in the largest of `sizes` that allows it.

    `sizes` go from large to small. What is too long even for the smallest is cut, and ends in an ellipsis. An empty text has no
    lines.
    """
    text = plain(text)
    rtl = is_rtl(text)
    if not text:
        return Block((), sizes[-1])
    for size in sizes:
        rows = _wrap(text.split(" "), weight, rtl=rtl, room=width / size)
        if len(rows) <= lines:
            found = tuple(set_line(row, weight, rtl=rtl) for row in rows)
            if all(line.width * size <= width for line in found):
                return Block(_balanced(found, weight, rtl=rtl), size)
    return _cut(text, weight, width / sizes[-1], sizes[-1], lines)


def _cut(text: str, weight: Weight, room: float, size: float, lines: int) -> Block:
    """The smallest size, words broken where they must be, the end left out where it has no room."""
    rtl = is_rtl(text)
    words = [part for word in text.split(" ") for part in _broken(word, weight, rtl=rtl, room=room)]
    rows = _wrap(words, weight, rtl=rtl, room=room)
    cut = len(rows) > lines
    if cut:
        last = rows[lines - 1] + ELLIPSIS
        while set_line(last, weight, rtl=rtl).width > room:
            last = last[:-2].rstrip() + ELLIPSIS
        rows[lines - 1 :] = [last]
    return Block(tuple(set_line(row, weight, rtl=rtl) for row in rows), size, cut)


def _wrap(words: list[str], weight: Weight, *, rtl: bool, room: float) -> list[str]:
    """Words in rows; a word that is wider than the room has a row for itself. Shaping does not reach across a space."""
    space = set_line(" ", weight, rtl=False).width
    rows, used = [""], 0.0
    for word in words:
        wide = set_line(word, weight, rtl=rtl).width
        if rows[-1] and used + space + wide > room:
            rows.append("")
        used = used + space + wide if rows[-1] else wide
        rows[-1] = f"{rows[-1]} {word}" if rows[-1] else word
    return rows


def _balanced(lines: tuple[Line, ...], weight: Weight, *, rtl: bool) -> tuple[Line, ...]:
    """The same words in as many lines, the widest of them as narrow as can be: `Abdelaziz / El Kadiri`, no lone last word."""
    words = " ".join(line.text for line in lines).split(" ")
    while len(lines) > 1:
        widest = max(line.width for line in lines)
        rows = _wrap(words, weight, rtl=rtl, room=widest - 0.001)
        tighter = tuple(set_line(row, weight, rtl=rtl) for row in rows)
        if len(tighter) > len(lines) or max(line.width for line in tighter) >= widest:
            break
        lines = tighter
    return lines


def _broken(word: str, weight: Weight, *, rtl: bool, room: float) -> list[str]:
    """A word in parts that have room."""
    parts = []
    while set_line(word, weight, rtl=rtl).width > room and len(word) > 1:
        length = len(word) - 1
        while length > 1 and set_line(word[:length], weight, rtl=rtl).width > room:
            length = length * 3 // 4
        parts.append(word[:length])
        word = word[length:]
    return [*parts, word]


def _by_face(text: str, weight: Weight) -> list[tuple[Face, str]]:
    """A stretch by the fonts that have its characters; spaces and marks stay with what stands before them."""
    arabic, other = faces_of(weight)
    found: list[tuple[Face, str]] = []
    for character in text:
        wanted = arabic if any(low <= ord(character) <= high for low, high in _ARABIC) else other
        if found and not character.isalnum() and found[-1][0].has(character):
            wanted = found[-1][0]
        elif not wanted.has(character):
            wanted = arabic if arabic.has(character) else other
        if found and found[-1][0] is wanted:
            found[-1] = (wanted, found[-1][1] + character)
        else:
            found.append((wanted, character))
    return found
