"""Hostile and damaged workbooks end in a sentence, within bounds."""

from __future__ import annotations

import re
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from openpyxl import Workbook

from server.interchange.errors import UnreadableSchedule
from server.interchange.reading.repairs import RepairLog
from server.interchange.sheet import xlsx_reader, xlsx_writer
from tests.interchange.sheet.publications import published
from tests.interchange.sheet.test_csv_files import dangerous, repairs
from tests.interchange.sheet.workbooks import MAIN, SOUND, book, crafted, read, saved

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableSchedule) as refused:
        read(data)
    return str(refused.value)


def many_columns() -> bytes:
    return crafted(SOUND + "".join(f'<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>' for row in range(3, 15_003)))


def many_rows() -> bytes:
    return crafted(SOUND + "".join(f'<row r="{row}"><c><v>1</v></c></row>' for row in range(3, 25_003)))


def shared_strings() -> bytes:
    strings = f'<sst xmlns="{MAIN}"><si><t>{"x" * 2**19}</t></si></sst>'
    row = '<row r="3">' + '<c t="s"><v>0</v></c>' * 200 + "</row>"
    return crafted(SOUND + row, more={"xl/sharedStrings.xml": strings})


def bomb() -> bytes:
    return crafted(SOUND, more={"xl/media/image.png": "\0" * (80 * 2**20)})


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip bomb": (bomb, "unpacks to more than 1000 parts or 64 MiB"),
    "a million cells in a row": (
        lambda: crafted("<row>" + "<c/>" * 600_000 + "</row>"),
        "more than 500000 elements",
    ),
    "hidden from the count by ends of nothing": (
        lambda: crafted("<row>" + "<!-- </</</ --><c/><c/>" * 300_000 + "</row>"),
        "more than 500000 elements",
    ),
    "attributes": (
        lambda: crafted("<row " + "".join(f'a{at}="" ' for at in range(1_100_000)) + "/>"),
        "more than 500000 elements, or one of more than 1 MiB",
    ),
    "formats": (
        lambda: crafted(SOUND, more={"xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{"<xf/>" * 110_000}</styleSheet>'}),
        "part xl/styles.xml: more than 1000",
    ),
    "one endless tag": (lambda: crafted(f'<row a="{"x" * 2**21}"/>'), "or one of more than 1 MiB"),
    "endless before it begins": (
        lambda: crafted(SOUND, more={"xl/styles.xml": " " * 2**21}),
        "or one of more than 1 MiB",
    ),
    "many rows": (many_rows, "more than 20000 rows"),
    "one long text in many cells": (shared_strings, "or 32 million characters"),
    "many parts": (lambda: crafted(SOUND, more={f"xl/{at}.xml": "" for at in range(1_001)}), "more than 1000 parts"),
    "entities": (
        lambda: crafted(SOUND, more={"xl/sharedStrings.xml": '<!DOCTYPE a [<!ENTITY b "c">]><sst>&b;</sst>'}),
        "damaged",
    ),
    "packed otherwise": (lambda: crafted(SOUND, packing=zipfile.ZIP_LZMA), "packed in a way that Excel does not read"),
    "cut short": (lambda: crafted(SOUND)[:-200], "damaged or was cut short"),
    "no zip": (lambda: b"PK\x03\x04" + b"\0" * 100, "damaged or was cut short"),
    "empty zip": (lambda: b"PK\x05\x06" + b"\0" * 18, "a ZIP file and no Excel workbook"),
    "password": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
        "protected by a password",
    ),
    "old Excel": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        r"\.xls\); open it in Excel or LibreOffice and save",
    ),
    "OpenDocument": (
        lambda: crafted("", more={"content.xml": "<a/>"}),
        r"\.ods\); open it in LibreOffice and save it as Excel",
    ),
    "no sheet of sessions": (lambda: saved(book([("a", "b"), (1, 2)], name="X")), "sheet `X`: no row with the heads"),
    "nothing at all": (lambda: saved(Workbook()), "no row with the heads"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_with_a_sentence_in_bounded_memory(name: str) -> None:
    make, sentence = HOSTILE[name]
    data = make()
    tracemalloc.start()
    try:
        found = refusal(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert re.search(sentence, found), found
    assert peak < 96 * 2**20, f"{peak // 2**20} MiB"


def test_cells_far_to_the_right_and_a_sheet_named_a_thousand_times_cost_nothing() -> None:
    tracemalloc.start()
    try:
        programme = read(many_columns())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(programme.sessions) == 1
    assert "cells beyond column 300; left out" in repairs(programme)
    assert peak < 160 * 2**20
    assert len(xlsx_reader.sheets_of(crafted(SOUND, sheets=1_000), RepairLog())) == 1


def test_without_the_measure_a_bomb_would_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reader, "_measure", lambda _: None)
    assert len(read(bomb()).sessions) == 1


def assert_read_or_refused(data: bytes) -> None:
    """Any other error fails the test."""
    try:
        sessions = read(data).sessions
    except UnreadableSchedule:
        return
    assert sessions


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(xlsx_writer.write(published(dangerous())))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert_read_or_refused(bytes(whole))


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.lists(st.none() | st.text(max_size=9) | st.floats() | st.integers() | st.booleans(), max_size=6), max_size=5
    )
)
def test_whatever_stands_in_the_cells_is_read_or_refused(rows: list[list[Any]]) -> None:
    sheet = "".join(
        f"<row>{''.join(f'<c><v>{cell}</v></c>' for cell in row if not isinstance(cell, str))}</row>" for row in rows
    )
    assert_read_or_refused(crafted(SOUND + sheet))
