"""The empty workbook that organisers fill in: every sheet with its heads and an example, explained in their languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpyxl.styles import Alignment
from openpyxl.worksheet.datavalidation import DataValidation

from server.interchange.sheet.cells import Row, Sheet
from server.interchange.sheet.checked import EXAMPLE
from server.interchange.sheet.guide import EXAMPLES, HEADS, LINES, NAMES
from server.interchange.sheet.xlsx_writer import add_sheet, new_workbook, packed, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_STATES = '"scheduled,moved,delayed,cancelled"'
_ROWS = 2_000
"""For which the lists to choose from are laid down."""

_PLAIN_SESSION = {
    "date": "2026-12-18",
    "start": "10:30",
    "end": "11:15",
    "room": "@room",
    "track": "@track",
    "kind": "@kind",
    "speakers": "@speaker",
    "languages": "fr, ar",
    "status": "scheduled",
    "service": "no",
    "url": "https://example.org/opening",
    "links": "https://example.org/opening.pdf | file",
}


def template(languages: Sequence[str]) -> bytes:
    """An XLSX file with a column for every text in each of `languages` (BCP 47), explained in those of en, fr, ar among them.

    The rows of examples have the id `example` and are not imported. Always the same bytes for the same languages.
    """
    languages = languages or ("en",)
    first = next((tag for tag in languages if tag in NAMES), "en")
    workbook = new_workbook()
    sessions = add_sheet(workbook, _filled("sessions", _sessions(languages, first)))
    add_sheet(workbook, _filled("speakers", _speakers(languages)))
    add_sheet(workbook, _filled("rooms", _rooms(languages)))
    add_sheet(workbook, _filled("tracks", _named(languages, "track", {"color": "#0a66ff"})))
    add_sheet(workbook, _filled("kinds", _named(languages, "kind", {})))
    days = {
        "id": EXAMPLE,
        "date": "2026-12-18",
        **_texts("name", "day", languages),
        "starts_at": "08:00",
        "ends_at": "19:00",
    }
    add_sheet(workbook, _filled("days", days))
    add_sheet(workbook, _about(languages))
    _let_choose(sessions)
    for tag in [tag for tag in languages if tag in NAMES] or ["en"]:
        _explain(workbook, tag)
    return packed(workbook)


def _filled(name: str, example: dict[str, str]) -> Sheet:
    return Sheet(name, [Row(1, list(example)), Row(2, list(example.values()))])


def _texts(field: str, example: str, languages: Sequence[str]) -> dict[str, str]:
    return {f"{field}_{tag}": EXAMPLES.get(example, {}).get(tag, "") for tag in languages}


def _sessions(languages: Sequence[str], first: str) -> dict[str, str]:
    plain = {
        field: EXAMPLES[value[1:]][first] if value.startswith("@") else value for field, value in _PLAIN_SESSION.items()
    }
    when = {field: plain.pop(field) for field in ("date", "start", "end")}
    return {
        "id": EXAMPLE,
        **when,
        **_texts("title", "title", languages),
        **plain,
        **_texts("abstract", "abstract", languages),
        **_texts("description", "", languages),
    }


def _speakers(languages: Sequence[str]) -> dict[str, str]:
    return {
        "id": EXAMPLE,
        **_texts("name", "speaker", languages),
        **_texts("organisation", "organisation", languages),
        **_texts("tagline", "tagline", languages),
        **_texts("bio", "", languages),
        "photo_url": "https://example.org/photo.jpg",
        "links": "https://example.org/blog | Blog",
    }


def _rooms(languages: Sequence[str]) -> dict[str, str]:
    return _named(languages, "room", {"capacity": "400", "floor": "1"})


def _named(languages: Sequence[str], example: str, more: dict[str, str]) -> dict[str, str]:
    return {"id": EXAMPLE, **_texts("name", example, languages), **more}


def _about(languages: Sequence[str]) -> Sheet:
    fields = [*(f"title_{tag}" for tag in languages), "timezone", "day_begins", "version"]
    return Sheet("about", [Row(1, ["field", "value"]), *(Row(at, [name]) for at, name in enumerate(fields, start=2))])


def _let_choose(page: Worksheet) -> None:
    """States must be one of four; rooms, tracks and kinds are proposed, and another may be written."""
    columns = {cell.value: cell.column_letter for cell in page[1]}
    proposals = {"room": "rooms", "track": "tracks", "kind": "kinds"}
    lists = {"status": _STATES, "service": '"yes,no"'} | {
        field: f"{sheet}!$B$2:$B${_ROWS}" for field, sheet in proposals.items()
    }
    for field, choices in lists.items():
        validation = DataValidation("list", formula1=choices, allow_blank=True, showErrorMessage=field not in proposals)
        validation.add(f"{columns[field]}2:{columns[field]}{_ROWS}")
        page.add_data_validation(validation)


def _explain(workbook: Workbook, tag: str) -> None:
    page = workbook.create_sheet(NAMES[tag])
    page.freeze_panes = "A2"
    right_to_left = tag == "ar"
    page.sheet_view.rightToLeft = right_to_left
    alignment = Alignment(vertical="top", wrap_text=True, readingOrder=2 if right_to_left else 1)
    for row, column, text in _cells(tag):
        write_text(page, row, column, text, None if row == 1 else alignment)
    for letter, width in (("A", 16), ("B", 28), ("C", 100)):
        page.column_dimensions[letter].width = width


def _cells(tag: str) -> Iterator[tuple[int, int, str]]:
    rows = [HEADS[tag], *((line.sheet, line.column, line.what[tag]) for line in LINES)]
    for row, texts in enumerate(rows, start=1):
        for column, text in enumerate(texts, start=1):
            yield row, column, text
