"""One badge, A6 upright: event, name in one or two scripts, company, QR with the short code beneath, ticket.

Everything is text as well as colour, and dark on white: a badge is read by people who see no colours and scanned in bad light.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from server.printing import qr
from server.printing.lettering import Block, fit
from server.printing.pdf import PdfWriter, number

MM: Final = 72 / 25.4
"""Points in a millimetre."""
WIDTH, HEIGHT = 105 * MM, 148.5 * MM
"""A6, as a quarter of A4 is cut."""

MARGIN: Final = 6 * MM
INNER: Final = WIDTH - 2 * MARGIN
QR_SIDE: Final = 50 * MM
"""With its quiet zone: a module is 1.1 mm, which a phone reads from arm's length."""
QR_BOTTOM: Final = 27 * MM
SHORT_CODE_BASELINE: Final = 21.5 * MM
BAND_BOTTOM, BAND_HEIGHT = MARGIN, 12 * MM
EVENT_BASELINE: Final = 135 * MM
"""Leaves 13 mm above for the hole of a lanyard."""
WORDS_BOTTOM, WORDS_TOP = QR_BOTTOM + QR_SIDE, 132 * MM
"""Between these stand name and company, in the middle."""

NAME_SIZES: Final = (32.0, 29.0, 26.0, 23.0, 20.0, 17.5, 15.0, 13.0, 11.0, 9.5, 8.0)
SMALL_NAME: Final = 15.0
COMPANY_SIZES: Final = (15.0, 13.5, 12.0, 10.5, 9.0, 8.0)
EVENT_SIZES: Final = (11.0, 10.0, 9.0, 8.0, 7.0)
BAND_SIZES: Final = (22.0, 20.0, 18.0, 16.0, 14.0, 12.0, 10.0, 8.0)
SHORT_CODE_SIZES: Final = (15.0,)
LEADING: Final = {False: 1.18, True: 1.42}
"""Baseline to baseline in font sizes; Arabic letters and their marks need more."""
GAP: Final = 2.5 * MM
"""Between name, name and company."""

INK: Final = "0.1 0.1 0.12 rg"
GREY: Final = "0.32 0.32 0.36 rg"
WHITE: Final = "1 g"
BANDS: Final = (
    "0.13 0.17 0.24", "0.48 0.13 0.35", "0.02 0.36 0.36", "0.09 0.27 0.58", "0.55 0.22 0.05", "0.63 0.07 0.12", "0.31 0.31 0.31",
    "0.26 0.34 0.06",
)  # fmt: skip
"""One a ticket type by its position, then again from the first; white text on each has a contrast of 5.6 or more."""


class Printed(Struct, frozen=True):
    """What one badge shows."""

    code: str
    short_code: str
    """As it is printed, in groups."""
    name: str
    name_ar: str
    company: str
    ticket: str
    """The ticket type's name, in one language or two."""
    ticket_position: int
    event: str


def draw(pdf: PdfWriter, badge: Printed, left: float, bottom: float) -> bytes:
    """Operators that draw the badge with its lower left corner there."""
    parts = [
        f"q 1 0 0 1 {number(left)} {number(bottom)} cm {GREY}\n".encode(),
        _centred(pdf, fit(badge.event, "Regular", width=INNER, sizes=EVENT_SIZES, lines=1), EVENT_BASELINE),
        f"{INK}\n".encode(),
        *_words(pdf, badge),
        _symbol(badge.code),
        _centred(pdf, fit(badge.short_code, "Bold", width=INNER, sizes=SHORT_CODE_SIZES, lines=1), SHORT_CODE_BASELINE),
        _band(pdf, badge),
        b"Q\n",
    ]
    return b"".join(parts)


def blocks_of(badge: Printed) -> list[Block]:
    """Name, name in Arabic script and company, as large as they have room together; empty ones are left out."""
    room = WORDS_TOP - WORDS_BOTTOM
    for smaller in range(len(NAME_SIZES)):
        names = NAME_SIZES[smaller:]
        blocks = [
            _fit_name(badge.name, names),
            _fit_name(badge.name_ar, names),
            fit(badge.company, "Regular", width=INNER, sizes=COMPANY_SIZES[min(smaller, 5) :], lines=2),
        ]
        blocks = [block for block in blocks if block.lines]
        if _height(blocks) <= room:
            break
    return blocks


def _fit_name(name: str, sizes: tuple[float, ...]) -> Block:
    """On two lines, or on three where two would make it small."""
    block = fit(name, "Bold", width=INNER, sizes=sizes, lines=2)
    return fit(name, "Bold", width=INNER, sizes=sizes, lines=3) if block.size < SMALL_NAME else block


def _height(blocks: list[Block]) -> float:
    return sum(len(block.lines) * _leading(block) for block in blocks) + GAP * max(len(blocks) - 1, 0)


def _leading(block: Block) -> float:
    arabic = any(piece.face.startswith("NotoSansArabic") for line in block.lines for piece in line.pieces)
    return block.size * LEADING[arabic]


def _words(pdf: PdfWriter, badge: Printed) -> list[bytes]:
    blocks = blocks_of(badge)
    top = (WORDS_TOP + WORDS_BOTTOM + _height(blocks)) / 2
    drawn = []
    for block in blocks:
        for line in block.lines:
            top -= _leading(block)
            # The baseline stands so that what hangs below it stays within its own line.
            baseline = top + _leading(block) - block.size * (0.95 if _leading(block) < block.size * 1.3 else 1.05)
            drawn.append(pdf.line(line, (WIDTH - line.width * block.size) / 2, baseline, block.size))
        top -= GAP
    return drawn


def _centred(pdf: PdfWriter, block: Block, baseline: float) -> bytes:
    return b"".join(pdf.line(line, (WIDTH - line.width * block.size) / 2, baseline, block.size) for line in block.lines)


def _symbol(code: str) -> bytes:
    side, path = qr.path_of(qr.modules_of(code))
    module = QR_SIDE / (side + 2 * qr.QUIET)
    left, bottom = (WIDTH - side * module) / 2, QR_BOTTOM + qr.QUIET * module
    return f"q 0 g {module:.4f} 0 0 {module:.4f} {number(left)} {number(bottom)} cm\n".encode() + path + b" Q\n"


def _band(pdf: PdfWriter, badge: Printed) -> bytes:
    color = BANDS[badge.ticket_position % len(BANDS)]
    box = f"{number(MARGIN)} {number(BAND_BOTTOM)} {number(INNER)} {number(BAND_HEIGHT)} re f"
    block = fit(badge.ticket, "Bold", width=INNER - 4 * MM, sizes=BAND_SIZES, lines=1)
    text = _centred(pdf, block, BAND_BOTTOM + BAND_HEIGHT / 2 - block.size * 0.32)
    return f"{color} rg {box} {WHITE}\n".encode() + text
