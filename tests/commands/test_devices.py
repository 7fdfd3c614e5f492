"""`devices` as a table for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.commands.devices import ago, as_table
from server.device.types import Device
from server.ids import new_id

NOW = datetime(2026, 12, 18, 9, 0, tzinfo=UTC)


def device(name: str, *, seen: datetime | None = None, app: str | None = None) -> Device:
    return Device(
        new_id(), name, new_id(), "Porte Océan", "kiosk", "paired", None, NOW, seen, app, None, NOW, None
    )  # fmt: skip


def test_columns_stand_below_each_other() -> None:
    lines = as_table([device("Un", seen=NOW, app="Portier/2"), device("Un nom plus long")], NOW).splitlines()
    assert [line.split("  ", 1)[0] for line in lines] == ["name", "Un", "Un nom plus long"]
    assert {line.index(word) for line, word in zip(lines, ("gate", "Porte", "Porte"), strict=True)} == {18}
    assert lines[1].endswith("0 s ago    Portier/2")
    assert lines[2].endswith("paired  never"), "no blanks at the end"


def test_a_table_of_nothing_is_its_header() -> None:
    assert as_table([], NOW) == "name  gate  profile  state  last seen  app"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (200_000, "2 d ago"),
    ],
)
def test_the_unit_that_matters(seconds: int, said: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == said
