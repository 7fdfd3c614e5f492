"""Workbooks for tests: saved by openpyxl, or written part by part where they shall be odd."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook

from server.interchange.detect import read_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.interchange.programme import Programme

HEAD = ("title", "date", "start", "end", "room")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def saved(workbook: Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def book(rows: Sequence[Sequence[Any]], *, name: str = "sessions") -> Workbook:
    workbook = Workbook()
    page = workbook.active
    page.title = name
    for row in rows:
        page.append(row)
    return workbook


def read(data: bytes, *, timezone: str | None = "Africa/Casablanca") -> Programme:
    return read_schedule(data, filename="sommet.xlsx", timezone=timezone)


def crafted(
    sheet: str, *, more: dict[str, str] | None = None, packing: int = zipfile.ZIP_DEFLATED, sheets: int = 1
) -> bytes:
    """A workbook part by part."""
    listed = "".join(f'<sheet name="s{at}" sheetId="{at}" r:id="r1"/>' for at in range(1, sheets + 1))
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{types}.sharedStrings+xml"/></Types>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"/>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>',
        **(more or {}),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return file.getvalue()


def inline(*cells: str, row: int = 1) -> str:
    return f'<row r="{row}">' + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells) + "</row>"


SOUND = inline(*HEAD[:4]) + inline("Opening", "2020-12-18", "10:30", "11:15", row=2)
