"""A scanner's memory of its scans: a file of JSON lines that only grows, so that a crash costs nothing.

A scan is written before the person is told anything, then what was told, then what the server made of it. After a crash the
lines are read again; half a line at the end never counted. What the server has proven to hold (see `prove`) is left out when
the file is next written anew, at the next start. Until then each scan can be brought again, should the server have lost it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from server.checkin.types import CheckIn, Decided
from server.errors import Problem


class _Line(Struct, frozen=True, tag_field="line", tag=str.lower):
    pass


class Scanned(_Line, frozen=True):
    """A scan, before anything is told."""

    scan: CheckIn


class Told(_Line, frozen=True):
    """What the scanner decided by itself."""

    number: int
    decided: Decided
    synced_at: datetime | None


class Stored(_Line, frozen=True):
    """The server has it."""

    number: int


class Failed(_Line, frozen=True):
    """The server will not have it: somebody must look at it."""

    number: int
    problem: Problem


class Again(_Line, frozen=True):
    """The server said that it had these, and has not: they are to be brought again."""

    numbers: list[int]


class Proven(_Line, frozen=True):
    """The server has all scans up to this number."""

    mark: int


Line = Scanned | Told | Stored | Failed | Again | Proven
_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


class Queue:
    """The scans of one scanner."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        """Reads what is there. `durable` waits for the disk before anything is told: a phone's file survives its app's crash
        without, and its battery's end only with it."""
        self.last = 0
        """The number of the last scan."""
        self.mark = 0
        """The server has proven to have all scans up to this number."""
        self.problems: dict[int, Problem] = {}
        self._scans: dict[int, CheckIn] = {}
        self._waiting: dict[int, None] = {}
        self._path = path
        self._durable = durable
        for line in _lines_of(path):
            self._take(line)
        self._file = self._write_anew()

    def close(self) -> None:
        os.close(self._file)

    # What there is.

    def waiting(self) -> list[CheckIn]:
        """The scans that the server is not known to have and that have been decided, oldest first."""
        return [self._scans[number] for number in sorted(self._waiting) if self._scans[number].decided is not None]

    def undecided(self) -> list[CheckIn]:
        """Scans of which nobody was told anything: a crash came in between."""
        return [self._scans[number] for number in sorted(self._waiting) if self._scans[number].decided is None]

    def scan(self, number: int) -> CheckIn:
        """Raises `KeyError` for one that is proven to be stored and has been forgotten."""
        return self._scans[number]

    # What happens.

    def remember(self, make: Callable[[int], CheckIn]) -> CheckIn:
        """Writes the scan that `make` makes of its number. Only then may anything be told."""
        scan = make(self.last + 1)
        self._add(Scanned(scan))
        return scan

    def decide(self, number: int, decided: Decided, synced_at: datetime | None) -> CheckIn:
        """What the scanner tells by itself."""
        self._add(Told(number, decided, synced_at))
        return self._scans[number]

    def store(self, numbers: Iterable[int]) -> None:
        """The server has said that these are stored."""
        lines = [Stored(number) for number in numbers]
        self._add(*lines, durable=False)  # lost, they are asked once more, and get the same answers

    def fail(self, number: int, problem: Problem) -> None:
        self._add(Failed(number, problem))

    def prove(self, mark: int) -> list[int]:
        """The server says that it has all up to `mark`. Returns what it once said to have and has not: that waits again."""
        missing = mark + 1
        lost: list[int] = []
        if missing <= self.last and missing not in self._waiting and missing not in self.problems:
            lost = [number for number in range(missing, self.last + 1) if self._is_stored(number)]
            self._add(Again(lost))
        if mark > self.mark:
            self._add(Proven(mark), durable=False)
        return lost

    def begin_after(self, number: int) -> None:
        """Numbers go on behind what another phone has stored in this device's name."""
        if self.last < number:
            self._add(Proven(number))

    def _is_stored(self, number: int) -> bool:
        return number in self._scans and number not in self._waiting and number not in self.problems

    def _take(self, line: Line) -> None:
        match line:
            case Scanned(scan):
                number = scan.number or 0
                self._scans[number] = scan
                self._waiting[number] = None
                self.last = max(self.last, number)
            case Told(number, decided, synced_at):
                self._scans[number] = msgspec.structs.replace(self._scans[number], decided=decided, synced_at=synced_at)
            case Stored(number):
                self._waiting.pop(number, None)
            case Failed(number, problem):
                self._waiting.pop(number, None)
                self.problems[number] = problem
            case Again(numbers):
                self._waiting |= dict.fromkeys(numbers)
            case Proven(mark):
                self.mark = max(self.mark, mark)
                self.last = max(self.last, mark)

    def _add(self, *lines: Line, durable: bool = True) -> None:
        os.write(self._file, b"".join(_encode(line) + b"\n" for line in lines))
        if durable and self._durable:
            os.fsync(self._file)
        for line in lines:
            self._take(line)

    def _write_anew(self) -> int:
        """Leaves out what is proven, in a new file that takes the old one's place in one step."""
        new = self._path.with_suffix(".new")
        lines: list[Line] = [Proven(self.mark)]
        for number, scan in sorted(self._scans.items()):
            if number <= self.mark and number not in self._waiting and number not in self.problems:
                del self._scans[number]
                continue
            lines.append(Scanned(scan))
            if number in self.problems:
                lines.append(Failed(number, self.problems[number]))
            elif number not in self._waiting:
                lines.append(Stored(number))
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.write(file, b"".join(_encode(line) + b"\n" for line in lines))
        os.fsync(file)
        new.replace(self._path)
        return file


def _lines_of(path: Path) -> list[Line]:
    """What was written whole."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [_decode(line) for line in whole.splitlines()]
