"""Sessions of a workbook before their keys are known: what each row says, mended, with a note of each mend."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.reading import values
from server.interchange.reading.spans import DEFAULT_DURATION, Span
from server.interchange.reading.texts import shown
from server.interchange.sheet.cells import shown_text
from server.interchange.sheet.times import clock_of, clocks_of, day_of, length_of, moment_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from server.interchange.reading.repairs import RepairLog
    from server.interchange.sheet.cells import Cell
    from server.interchange.sheet.columns import Record

_INTO_THE_NIGHT = timedelta(hours=12)
"""An end on the clock that is not after the start is the next day's if the session is not longer than this then."""


class Calendar:
    """Reads the times of the rows of one sheet, from the first to the last: a row without a date has that of the one above."""

    def __init__(self, zone: ZoneInfo, log: RepairLog, *, months_first: bool) -> None:
        self.zone = zone
        self._log = log
        self._months_first = months_first
        self._above: date | None = None

    def heading(self, record: Record) -> bool:
        """Whether the row is nothing but a date over the rows below it."""
        day = day_of(record.single(), months_first=self._months_first)
        if day is None:
            return False
        self._above = day
        self._log.note(record.where, "a row with a date alone; taken as the date of the rows below it")
        return True

    def span(self, record: Record) -> Span | None:
        """None where the row does not say when the session starts."""
        start, range_end = clocks_of(record.cell("start"))
        starts_at = self._start(record, start)
        if starts_at is None:
            return None
        end = record.cell("end")
        return Span(starts_at, self._end(record, starts_at, range_end if end in (None, "") else end))

    def day(self, cell: Cell) -> str | None:
        day = day_of(cell, months_first=self._months_first)
        return None if day is None else day.isoformat()

    def moment_on(self, day: str, record: Record, field: str) -> datetime | None:
        """A date with a time, or a time on that day, as UTC; None, and a note, for a cell that is neither."""
        cell = record.cell(field)
        at, clock = moment_of(cell, months_first=self._months_first), clock_of(cell)
        if at is None and clock is not None:
            at = datetime.fromisoformat(day) + clock
        if at is None and record.text(field):
            self._log.note(record.where, f"`{field}`, {shown(record.text(field))}, is no time; left out")
        return None if at is None else self._instant(at, record.where)

    def _start(self, record: Record, start: Cell) -> datetime | None:
        written = record.cell("date")
        day = day_of(written, months_first=self._months_first)
        clock = clock_of(start)
        whole = moment_of(start, months_first=self._months_first)
        if whole is None and clock is None:
            whole = moment_of(written, months_first=self._months_first)
        if whole is None and day is None and isinstance(start, datetime):
            whole = start
        if whole is not None:
            self._above = whole.date()
            return self._instant(whole, record.where)
        if day is None and clock is not None:
            day = self._day_above(record, written)
        if day is None or clock is None:
            return None
        self._above = day
        return self._instant(datetime.combine(day, time()) + clock, record.where)

    def _day_above(self, record: Record, written: Cell) -> date | None:
        if shown_text(written).strip() or self._above is None:
            return None
        self._log.note(record.where, "no date; that of the rows above was taken")
        return self._above

    def _instant(self, at: datetime, where: str) -> datetime:
        instant = values.instant(at, self.zone)
        local = instant.astimezone(self.zone)
        if at.tzinfo is None and local.replace(tzinfo=None) != at:
            self._log.note(
                where, f"a time that the clocks of {self.zone.key} leave out that day; the one after the gap was taken"
            )
        elif at.tzinfo is None and local.utcoffset() != local.replace(fold=1).utcoffset():
            self._log.note(where, f"a time that comes twice that day in {self.zone.key}; the first was taken")
        return instant

    def _end(self, record: Record, starts_at: datetime, end: Cell) -> datetime:
        length = length_of(record.cell("duration"))
        ends_at = self._written_end(record, starts_at, end)
        if ends_at is not None and timedelta() < ends_at - starts_at <= values.LONGEST_SESSION:
            if length is not None and ends_at - starts_at != length:
                self._log.note(record.where, "its duration is not the time from start to end; the end was taken")
            return ends_at
        if ends_at is not None:
            self._log.note(record.where, "its end is not after its start, or many days later; left out")
        elif text := shown_text(end).strip():
            self._log.note(record.where, f"its end, {shown(text)}, is no time; left out")
        if length is None:
            fault = "cannot be read" if record.text("duration") else "is missing"
            minutes = DEFAULT_DURATION // timedelta(minutes=1)
            self._log.note(record.where, f"its duration {fault}; {minutes} minutes were taken")
        return (starts_at + (length or DEFAULT_DURATION)).astimezone(UTC)

    def _written_end(self, record: Record, starts_at: datetime, end: Cell) -> datetime | None:
        whole = moment_of(end, months_first=self._months_first)
        if whole is not None:
            return self._instant(whole, record.where)
        clock = clock_of(end)
        if clock is None:
            return None
        local = starts_at.astimezone(self.zone)
        other = day_of(record.cell("end_date"), months_first=self._months_first)
        day = datetime.combine(other or local.date(), time())
        ends_at = self._instant(day + clock, record.where)
        if other is None and ends_at <= starts_at:
            following = self._instant(day + timedelta(days=1) + clock, record.where)
            return following if following - starts_at <= _INTO_THE_NIGHT else ends_at
        return ends_at


class Written(NamedTuple):
    """How a start and an end stand in the cells of one row."""

    date: str
    start: str
    end: str


def written(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> Written:
    """As short as says exactly the same: clocks of the zone; where they would not, the whole time with its offset."""
    first, last = starts_at.astimezone(zone), ends_at.astimezone(zone)
    plain = first.date() == last.date() and _is_plain(first, zone) and _is_plain(last, zone)
    day = first.date().isoformat()
    return Written(
        day,
        _clock(first) if _is_plain(first, zone) else first.isoformat(),
        _clock(last) if plain else whole(ends_at, zone),
    )


def whole(at: datetime, zone: ZoneInfo) -> str:
    """A date with its time, without an offset where the zone alone says it."""
    local = at.astimezone(zone)
    plain = _is_plain(local, zone)
    return f"{local.date().isoformat()} {_clock(local)}" if plain else local.isoformat()


def _is_plain(local: datetime, zone: ZoneInfo) -> bool:
    bare = local.replace(tzinfo=None, fold=0)
    same = values.instant(bare, zone) == local.astimezone(UTC)
    return same and not local.microsecond and local.utcoffset() == local.replace(fold=1).utcoffset()


def _clock(local: datetime) -> str:
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")
