"""The document: well formed, scannable, readable by search, with everything of everybody on it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import unicodedata
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import segno

from server.attendee.signed_codes import sign
from server.printing import badge as drawing, qr
from server.printing.badge import BANDS, HEIGHT, MM, WIDTH, WORDS_BOTTOM, WORDS_TOP, Printed, blocks_of
from server.printing.lettering import set_line
from server.printing.pdf import PdfWriter
from server.printing.sheets import Size, print_badges

EVENT = UUID(int=5)


def badge(number: int = 1, **other: Any) -> Printed:
    fields = {
        "code": sign(bytes(32), EVENT, 0, number, 0),
        "short_code": "7K3M 9QXA",
        "name": f"Salma El Idrissi {number}",
        "name_ar": "سلمى الإدريسي",
        "company": "شركة Atlas Data 2030",
        "ticket": "Visiteur · زائر",
        "ticket_position": 0,
        "event": "Digital Now",
    }
    return Printed(**fields | other)


def printed(*badges: Printed, size: Size = "a6") -> bytes:
    file = io.BytesIO()
    print_badges(file, badges, size=size, title="Digital Now", progress=lambda _done: None)
    return file.getvalue()


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} ({package}) is not installed")
    return found


def images(data: bytes, folder: Path) -> list[Path]:
    """Its pages as a printer of 150 dots an inch would show them."""
    (folder / "badges.pdf").write_bytes(data)
    words = [tool("pdftoppm", "poppler-utils"), "-r", "150", "-gray", "badges.pdf", "page"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == "", "the reader finds nothing to complain about"
    return sorted(folder.glob("page*.pgm"))


def scanned(image: Path) -> list[str]:
    """What a reader of codes sees in it."""
    words = [tool("zbarimg", "zbar-tools"), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(image)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()


def object_faults(data: bytes) -> list[str]:
    """Where the table of contents does not lead to what it promises."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])  # type: ignore[index]
    places = [int(line[:10]) for line in data[start:].splitlines() if line.endswith(b" n ")]
    faults = [f"{at}" for number, at in enumerate(places, 1) if not data[at:].startswith(b"%d 0 obj\n" % number)]
    known = set(range(1, len(places) + 1))
    outside_streams = re.sub(rb"stream\n.*?\nendstream", b"", data, flags=re.DOTALL)
    return faults + [f"{n!r} R" for n in re.findall(rb"(\d+) 0 R", outside_streams) if int(n) not in known]


def test_the_table_of_contents_is_right() -> None:
    data = printed(badge(1), badge(2))
    assert object_faults(data) == []
    assert data.count(b"/Type /Page ") == 2
    assert object_faults(data.replace(b"%PDF-1.7\n", b"%PDF-1.7\n\n")), "a broken variant"


def test_the_same_badges_make_the_same_bytes() -> None:
    assert printed(badge()) == printed(badge())


def test_every_length_is_that_of_its_stream() -> None:
    for length, content in re.findall(
        rb"/Length (\d+) .*?>>\nstream\n(.*?)\nendstream\nendobj", printed(badge()), re.DOTALL
    ):
        assert int(length) == len(content)
        zlib.decompress(content)


def test_the_code_on_every_page_can_be_scanned(tmp_path: Path) -> None:
    badges = [badge(number, ticket_position=number) for number in range(1, 13)]
    pages = images(printed(*badges), tmp_path)
    assert [scanned(page) for page in pages] == [[each.code] for each in badges]


def test_four_on_a_sheet_can_be_scanned_too(tmp_path: Path) -> None:
    badges = [badge(number) for number in range(1, 7)]
    pages = images(printed(*badges, size="a4"), tmp_path)
    assert [sorted(scanned(page)) for page in pages] == [
        sorted(each.code for each in badges[:4]),
        sorted(each.code for each in badges[4:]),
    ]


def test_a_code_that_was_drawn_wrong_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: the quiet zone is missing and every row is one module too far to the right."""
    tool("zbarimg", "zbar-tools")
    right = qr.path_of

    def shifted(rows: list[bytearray]) -> tuple[int, bytes]:
        return right([bytearray([0, *row[:-1]]) if number % 2 else row for number, row in enumerate(rows)])

    monkeypatch.setattr(qr, "path_of", shifted)
    (page,) = images(printed(badge()), tmp_path)
    assert scanned(page) == []


def test_the_text_of_a_page_can_be_read_and_searched(tmp_path: Path) -> None:
    (tmp_path / "badges.pdf").write_bytes(printed(badge()))
    words = [tool("pdftotext", "poppler-utils"), "badges.pdf", "-"]
    text = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    for wanted in ("Salma El Idrissi 1", "سلمى الإدريسي", "7K3M 9QXA", "Visiteur", "زائر", "Atlas Data"):
        assert wanted in unicodedata.normalize("NFKC", text)


def test_the_modules_are_those_of_the_standard() -> None:
    code = badge().code
    assert qr.modules_of(code) == [
        bytearray(row) for row in segno.make(code, version=5, error="m", mask=qr.MASK).matrix
    ]
    side, path = qr.path_of(qr.modules_of(code))
    assert side == qr.MODULES
    drawn = [[0] * side for _ in range(side)]
    for x, y, width in re.findall(rb"(\d+) (\d+) (\d+) 1 re", path):
        for place in range(int(x), int(x) + int(width)):
            drawn[side - 1 - int(y)][place] = 1
    assert drawn == [list(row) for row in qr.modules_of(code)]


LONG = "Jean-Christophe Alexandre de la Rochefoucauld-Montmorency et de Sainte-Marie "


@pytest.mark.parametrize(
    "other",
    [
        {"name": LONG * 3, "name_ar": "محمد عبد الرحمان بن عبد الله " * 8, "company": LONG * 4},
        {"name": "W" * 200, "name_ar": "ب" * 200, "company": "W" * 300},
        {"name": "", "company": ""},
        {"name_ar": "", "company": ""},
        {"name": "", "name_ar": "", "company": ""},
        {"ticket": "Organisation et coordination générale · فريق التنظيم والتنسيق العام"},
        {"event": LONG * 2},
    ],
)
def test_whatever_a_badge_says_has_room(other: dict[str, str]) -> None:
    blocks = blocks_of(badge(**other))
    assert drawing._height(blocks) <= WORDS_TOP - WORDS_BOTTOM
    streams = re.findall(rb"stream\n(.*?)\nendstream", printed(badge(**other)), re.DOTALL)
    content = b"".join(zlib.decompress(stream) for stream in streams)
    starts = [float(x) for x in re.findall(rb"(\S+) \S+ Tm", content)]
    assert starts
    assert min(starts) >= 6 * MM - 0.02, "a centred line that begins inside the margin ends inside the other"


def test_a_page_is_a_quarter_of_a4() -> None:
    assert b"/MediaBox [0 0 297.64 420.94]" in printed(badge())
    assert b"/MediaBox [0 0 595.28 841.89]" in printed(badge(), size="a4")
    assert (round(WIDTH / MM, 2), round(HEIGHT / MM, 2)) == (105, 148.5)


def test_white_on_a_band_is_easy_to_read() -> None:
    """WCAG 2.2 §1.4.6 asks for 7 with small text and 4.5 with large; a band's is large."""

    def luminance(color: str) -> float:
        parts = [float(part) for part in color.split()]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert [band for band in BANDS if 1.05 / (luminance(band) + 0.05) < 5.6] == []
    assert len(set(BANDS)) == 8


def test_raised_marks_are_drawn_raised() -> None:
    file = io.BytesIO()
    pdf = PdfWriter(file, title="x", width=100, height=100)
    line = set_line("مُحَمَّد", "Bold", rtl=True)
    drawn = pdf.line(line, 0, 0, 10).decode()
    raised = {glyph.y for piece in line.pieces for glyph in piece.glyphs} - {0}
    assert raised
    assert {f"{y / 1000:.3f} Ts" for y in raised} <= set(drawn.split("\n"))
    assert re.findall(r"\S+ Ts", drawn)[-1] in ("0.000 Ts", "0 Ts"), "the next line begins on its baseline"
