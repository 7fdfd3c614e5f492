"""Cells of every sheet that hold something to be checked: addresses, links, JSON; and whatever nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.interchange.reading import values
from server.interchange.reading.texts import shown
from server.interchange.sheet.cell_lists import read_json, read_links
from server.interchange.sheet.cells import shown_text
from server.interchange.sheet.urls import web_address

if TYPE_CHECKING:
    from server.interchange.programme import Extra, Link
    from server.interchange.reading.repairs import RepairLog
    from server.interchange.sheet.columns import Record

EXAMPLE = "example"
"""The id of the rows that show how the template is filled in; they are no part of a programme."""


def is_example(record: Record, log: RepairLog) -> bool:
    example = record.text("id").casefold() == EXAMPLE
    if example:
        log.note(record.where, "the example of the template; left out")
    return example


def extra_of(record: Record, log: RepairLog) -> Extra:
    """The JSON of the column `extra`, and whatever stands under heads nobody knows, by these."""
    kept = json_of(record.text("extra"), record.where, log)
    for head, cell in record.unknown():
        kept[head] = cell if isinstance(cell, bool | int | float) else values.text(shown_text(cell))
    return kept


def json_of(written: str, where: str, log: RepairLog) -> Extra:
    if not written:
        return {}
    found = read_json(written)
    if found is None:
        log.note(where, "`extra` is no JSON object; kept as a text")
        return {"extra": written}
    return found


def links_of(record: Record, log: RepairLog) -> tuple[Link, ...]:
    links, others = read_links(record.text("links"))
    for other in others:
        log.note(record.where, f"in `links`, {shown(other)} is no address of the web; left out")
    return tuple(links)


def url_of(record: Record, field: str, log: RepairLog) -> str | None:
    written = record.text(field)
    url = web_address(written) if written else None
    if written and url is None:
        log.note(record.where, f"`{field}`, {shown(written)}, is no address of the web; left out")
    return url
