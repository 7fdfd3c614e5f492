"""What a workbook says of the programme as a whole: its title, its time zone, its version."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.reading import values
from server.interchange.reading.texts import UNDETERMINED, shown
from server.interchange.sheet.cells import shown_text
from server.interchange.sheet.checked import json_of
from server.interchange.sheet.columns import column_of, head_and_part
from server.interchange.sheet.times import clock_of, moment_of
from server.interchange.sheet.words import ABOUT_FIELDS, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Extra, Texts
    from server.interchange.reading.repairs import RepairLog
    from server.interchange.sheet.cells import Cell, Sheet
    from server.interchange.sheet.columns import Record

_HEADS = frozenset({"field", "champ", spoken("الحقل")})
"""What may stand over the column of the fields."""


class About(NamedTuple):
    """What a workbook says of the whole programme: texts by language, by field."""

    fields: dict[str, Texts]
    extra: Extra

    def plain(self, field: str) -> str:
        return next(iter(self.fields.get(field, {}).values()), "")


def about_of(sheet: Sheet | None, log: RepairLog) -> About:
    """Fields in the first column and what they are in the second; or heads of columns and one row below them."""
    fields: defaultdict[str, Texts] = defaultdict(dict)
    extra: Extra = {}
    for name, cell, where in _pairs(sheet):
        head, continued = head_and_part(name)
        column = column_of(head, ABOUT_FIELDS)
        written = cell if isinstance(cell, str) else _clock_text(cell) or shown_text(cell)
        if column is not None and written:
            before = fields[column.field].get(column.tag, "") if continued else ""
            fields[column.field][column.tag] = before + written
        elif values.text(written) and spoken(name) not in _HEADS:
            extra[values.text(name)] = values.text(written)
            log.note(where, f"{shown(values.text(name))} is not known; kept in `extra`")
    about = About({field: _trimmed(texts) for field, texts in fields.items()}, extra)
    return about._replace(extra={**extra, **json_of(about.plain("extra"), "about", log)})


def _trimmed(texts: Texts) -> Texts:
    return {tag: plain for tag, written in texts.items() if (plain := values.text(written))}


def _pairs(sheet: Sheet | None) -> Iterator[tuple[str, Cell, str]]:
    rows = sheet.rows if sheet else ()
    heads = [values.text(shown_text(cell)) for cell in rows[0].cells] if rows else []
    if len(rows) > 1 and sum(column_of(head, ABOUT_FIELDS) is not None for head in heads) > 1:
        yield from (
            (head, cell, f"about, row {rows[1].number}") for head, cell in zip(heads, rows[1].cells, strict=False)
        )
        return
    for row in rows:
        name, cell = (*row.cells[:2], None, None)[:2]
        if values.text(shown_text(name)):
            yield shown_text(name), cell, f"about, row {row.number}"


def _clock_text(cell: Cell) -> str:
    """A time of day as `06:00`; empty for anything else, a date with a time among it."""
    clock = None if isinstance(cell, datetime) else clock_of(cell)
    return "" if clock is None else f"{clock.seconds // 3600:02}:{clock.seconds // 60 % 60:02}"


def title_of(about: About, filename: str, log: RepairLog) -> Texts:
    title = about.fields.get("title")
    if title:
        return title
    instead = values.text(PurePath(filename).name.partition(".")[0]) or "Programme"
    log.note("about", f"no title; {shown(instead)} was taken")
    return {UNDETERMINED: instead}


def zone_of(about: About, rows: list[Record], dates: list[Cell], timezone: str | None, log: RepairLog) -> str:
    """The workbook's own; else the event's; else the offset most of the times have; else UTC."""
    name = about.plain("timezone") or next((found for record in rows if (found := record.text("timezone"))), "")
    zone = values.zone(name) if name else None
    if zone is not None:
        if zone.key != name:
            log.note("about", f"time zone {shown(name)} was taken as {zone.key}")
        return zone.key
    offsets = Counter(at.utcoffset() for cell in dates if (at := moment_of(cell)) and at.tzinfo)
    most = next((offset for offset, _ in offsets.most_common(1)), None)
    instead = timezone or (values.zone_of_offset(most) if most is not None else None) or "UTC"
    whose = "that of the event" if timezone else "after the offsets of the times"
    fault = f"time zone {shown(name)} is not known" if name else "no time zone is named"
    log.note("about", f"{fault}; {instead} was taken, {whose}")
    return instead


def day_begins_of(about: About, log: RepairLog) -> str:
    written = about.plain("day_begins")
    clock = clock_of(written)
    if clock is None or clock.days:
        if written:
            log.note("about", f"`day_begins`, {shown(written)}, is no time of day; 00:00 was taken")
        return "00:00"
    return _clock_text(clock)
