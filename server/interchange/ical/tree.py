"""The components of an iCalendar file, mended where an `END` is missing or too many; a file cut short is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from server.interchange.errors import UnreadableSchedule
from server.interchange.ical.lines import Property, content_lines, property_of
from server.interchange.reading.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.reading.repairs import RepairLog

MAX_DEPTH = 8
"""Calendar, event, alarm are three."""


class Component(Struct, frozen=True):
    name: str
    """In capitals."""
    line: int
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        return next((each for each in self.properties if each.name == name), None)

    def all(self, name: str) -> Iterator[Property]:
        return (each for each in self.properties if each.name == name)


def calendars_of(text: str, log: RepairLog) -> list[Component]:
    """Every VCALENDAR of a file, at least one.

    Raises `UnreadableSchedule` for a file that is none, is cut short, too long or nested too deep.
    """
    root = Component(name="", line=0)
    stack, last = [root], 0
    for number, line in content_lines(text, log):
        last = number
        read = property_of(line, number)
        if read is None:
            log.note(f"line {number}", "a line that is no property; left out")
        elif read.name == "BEGIN":
            _begin(stack, read, log)
        elif read.name == "END":
            _end(stack, read, log)
        elif len(stack) == 1:
            log.note(f"line {number}", "a line outside of the calendar; left out")
        else:
            stack[-1].properties.append(read)
    if len(stack) > 1:
        raise UnreadableSchedule(
            f"line {last}: the file breaks off here, {stack[-1].name[:40]} of line {stack[-1].line} has no end;"
            " fetch it again"
        )
    found = [each for each in root.components if each.name == "VCALENDAR"]
    if not found:
        raise UnreadableSchedule("line 1: no calendar in the file, it should begin with BEGIN:VCALENDAR")
    return found


def _begin(stack: list[Component], read: Property, log: RepairLog) -> None:
    name = read.value.strip().upper()
    if name == "VEVENT" and stack[-1].name == "VEVENT":
        log.note(f"line {read.line}", "an event begins before the one above it has ended; it ends here")
        stack.pop()
    if len(stack) > MAX_DEPTH:
        raise UnreadableSchedule(f"line {read.line}: components are nested too deep; a calendar needs 3 levels")
    if len(stack) == 1 and name != "VCALENDAR":
        raise UnreadableSchedule(f"line {read.line}: {shown(name)} outside of a calendar; begin with BEGIN:VCALENDAR")
    found = Component(name=name, line=read.line)
    stack[-1].components.append(found)
    stack.append(found)


def _end(stack: list[Component], read: Property, log: RepairLog) -> None:
    name = read.value.strip().upper()
    depth = next((at for at in range(len(stack) - 1, 0, -1) if stack[at].name == name), None)
    if depth is None:
        log.note(f"line {read.line}", f"an end of {shown(name)}, which has not begun; left out")
        return
    if depth < len(stack) - 1:
        log.note(f"line {read.line}", f"{shown(name)} ends with components in it that have no end; they end here")
    del stack[depth:]
