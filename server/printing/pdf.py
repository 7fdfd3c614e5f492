"""A PDF file, written as it grows: pages of drawing operators, and the fonts they use (ISO 32000-1).

Nothing of a finished page is kept but its number, so 150,000 badges need no more memory than one. The same pages make the same
bytes: no dates, no random ids.
"""

from __future__ import annotations

import unicodedata
import zlib
from typing import BinaryIO, Final

from server.printing.lettering import Face, Line, Piece, face_of

HEADER: Final = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_LAM_ALEF: Final = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFEF5, 0xFEFD, 2)}
"""Two letters in one glyph, as one character: given two, some readers turn them around with the line."""
_CATALOG, _PAGES, _RESOURCES, _INFO = 1, 2, 3, 4


class PdfWriter:
    """Writes one document to an empty binary file."""

    def __init__(self, file: BinaryIO, *, title: str, width: float, height: float) -> None:
        """`width` and `height` of every page in points."""
        self._file = file
        self._places: dict[int, int] = {}
        self._next = _INFO + 1
        self._at = 0
        self._pages: list[int] = []
        self._box = f"[0 0 {number(width)} {number(height)}]"
        self._used: dict[str, dict[int, str]] = {}
        self._write(HEADER)
        self._object(_INFO, f"<< /Title {_text(title)} /Producer (digitalnow) >>".encode())

    def page(self, operators: bytes) -> None:
        content, page = self._reserve(), self._reserve()
        self._stream(content, operators, "")
        self._object(
            page,
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox {self._box} /Resources {_RESOURCES} 0 R"
            f" /Contents {content} 0 R >>".encode(),
        )
        self._pages.append(page)

    def line(self, line: Line, x: float, y: float, size: float) -> bytes:
        """Operators that draw a line with its left end at x and its baseline at y."""
        for piece in line.pieces:
            used = self._used.setdefault(piece.face, {})
            for glyph in piece.glyphs:
                used[glyph.id] = used.get(glyph.id) or glyph.text
        drawn = "".join(_operators(piece) for piece in line.pieces)
        matrix = f"{number(size)} 0 0 {number(size)} {number(x)} {number(y)} Tm"
        return f"BT {matrix}\n{drawn}ET\n".encode()

    def finish(self) -> None:
        """The fonts, the list of pages and the table of contents, without which no page can be read."""
        fonts = {name: self._font(face_of(name), glyphs) for name, glyphs in sorted(self._used.items())}
        named = " ".join(f"/{name} {font} 0 R" for name, font in fonts.items())
        self._object(_RESOURCES, f"<< /Font << {named} >> >>".encode())
        pages = " ".join(f"{page} 0 R" for page in self._pages)
        self._object(_PAGES, f"<< /Type /Pages /Count {len(self._pages)} /Kids [{pages}] >>".encode())
        self._object(_CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R >>".encode())
        start = self._at
        table = "".join(f"{self._places[item]:010d} 00000 n \n" for item in range(1, self._next))
        self._write(f"xref\n0 {self._next}\n0000000000 65535 f \n{table}".encode())
        trailer = f"<< /Size {self._next} /Root {_CATALOG} 0 R /Info {_INFO} 0 R >>"
        self._write(f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode())

    def _font(self, face: Face, glyphs: dict[int, str]) -> int:
        """A composite font whose codes are the glyphs' numbers (§9.7); the whole file, which is small."""
        font, descendant, descriptor, file, meanings = (self._reserve() for _ in range(5))
        ascent, descent = face.extents()
        self._stream(file, face.data, f"/Length1 {len(face.data)}")
        self._stream(meanings, _meanings(glyphs), "")
        self._object(
            descriptor,
            f"<< /Type /FontDescriptor /FontName /{face.name} /Flags 4 /FontBBox [-1000 {descent} 3000 {ascent}]"
            f" /ItalicAngle 0 /Ascent {ascent} /Descent {descent} /CapHeight 714 /StemV 100 /FontFile2 {file} 0 R >>".encode(),
        )
        widths = " ".join(f"{glyph} [{face.advance(glyph)}]" for glyph in sorted(glyphs))
        self._object(
            descendant,
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{face.name} /FontDescriptor {descriptor} 0 R"
            " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /CIDToGIDMap /Identity"
            f" /DW 1000 /W [{widths}] >>".encode(),
        )
        self._object(
            font,
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{face.name} /Encoding /Identity-H"
            f" /DescendantFonts [{descendant} 0 R] /ToUnicode {meanings} 0 R >>".encode(),
        )
        return font

    def _reserve(self) -> int:
        self._next += 1
        return self._next - 1

    def _stream(self, item: int, content: bytes, entries: str) -> None:
        packed = zlib.compress(content, 6)
        header = f"<< /Length {len(packed)} /Filter /FlateDecode {entries} >>\nstream\n"
        self._object(item, header.encode() + packed + b"\nendstream")

    def _object(self, item: int, content: bytes) -> None:
        self._places[item] = self._at
        self._write(b"%d 0 obj\n%b\nendobj\n" % (item, content))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)


def number(value: float) -> str:
    """As PDF writes one: a hundredth of a point is 3.5 µm, finer than any printer."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _operators(piece: Piece) -> str:
    """Shows glyphs in a text space of one em: the pen's moves that differ from a glyph's own width, and marks that are raised."""
    face = face_of(piece.face)
    parts, shift, rise = [f"/{piece.face} 1 Tf\n["], 0, 0
    for glyph in piece.glyphs:
        if glyph.y != rise:
            parts.append(f"] TJ\n{glyph.y / 1000:.3f} Ts\n[")
            rise = glyph.y
        before = shift + glyph.x
        parts.append(f"{-before}<{glyph.id:04X}>" if before else f"<{glyph.id:04X}>")
        shift = glyph.advance - face.advance(glyph.id) - glyph.x
    parts.append(f"{-shift}] TJ\n" if shift else "] TJ\n")
    return "".join(parts) + ("0 Ts\n" if rise else "")


def _meanings(glyphs: dict[int, str]) -> bytes:
    """Which characters a glyph stands for (§9.10.3), so that a page can be searched, copied from and read aloud."""
    told = [f"<{glyph:04X}> <{_utf16(_LAM_ALEF.get(text, text))}>" for glyph, text in sorted(glyphs.items()) if text]
    groups = [told[start : start + 100] for start in range(0, len(told), 100)]
    listed = "".join(f"{len(group)} beginbfchar\n{_lines(group)}endbfchar\n" for group in groups)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{listed}"
        "endcmap CMapName currentdict /CMap defineresource pop end end\n"
    ).encode()


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _text(text: str) -> str:
    """A text string in UTF-16 (§7.9.2.2)."""
    return f"<FEFF{_utf16(text)}>"


def _utf16(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()
