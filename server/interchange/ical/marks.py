"""What our own iCalendar files say to our own reader and to nobody else, as JSON in X- properties.

A calendar shows a room's name and a speaker's; these say which room and which speaker it is. Whoever edits the calendar
edits what can be seen, so a mark counts only where what can be seen is still what the mark says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from server.interchange.ical.lines import escaped, text_of, written
from server.interchange.programme import SPEAKER, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.interchange.programme import Texts

_Mark = TypeVar("_Mark")

SESSION = "X-DIGITALNOW-SESSION"
PROGRAMME = "X-DIGITALNOW-PROGRAMME"

# A mark is as much a stranger's as the rest of a file: nothing in it may be worse than what can be seen.
_Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$")]
_Tag = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)")]
_Name = Annotated[dict[_Tag, _Line], Meta(min_length=1, max_length=1)]


class Marked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A room, a track, a kind or a speaker."""

    key: _Line
    name: _Name


class MarkedRoom(Marked, frozen=True, kw_only=True, omit_defaults=True):
    floor: _Line | None = None

    def location(self) -> str:
        """As LOCATION shows it."""
        return ", ".join(part for part in (one_of(self.name), self.floor) if part)


class MarkedSpeaker(Marked, frozen=True, kw_only=True, omit_defaults=True):
    organisation: Annotated[dict[_Tag, _Line], Meta(max_length=1)] = {}
    role: _Line = SPEAKER


class SessionMark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    key: _Line
    number: Annotated[int, Meta(ge=1, lt=2**31)] | None = None
    room: MarkedRoom | None = None
    track: Marked | None = None
    kind: Marked | None = None
    speakers: Annotated[tuple[MarkedSpeaker, ...], Meta(max_length=200)] = ()
    languages: Annotated[tuple[_Tag, ...], Meta(max_length=20)] = ()
    service: bool = False
    status: Status = "scheduled"

    def categories(self) -> list[str]:
        """As CATEGORIES shows them: track and kind."""
        return [one_of(each.name) for each in (self.track, self.kind) if each]


class ProgrammeMark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    day_begins: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$(?!\n)")] = "00:00"
    version: _Line | None = None


def one_of(texts: Texts) -> str:
    """The only text of a mark: a file is in one language."""
    return next(iter(texts.values()), "")


def cast(speakers: Sequence[MarkedSpeaker]) -> str:
    """The speakers as the first paragraph of DESCRIPTION shows them, a line each, without a word of any language."""
    return "\n".join(", ".join(filter(None, (one_of(each.name), one_of(each.organisation)))) for each in speakers)


def line_of(name: str, mark: SessionMark | ProgrammeMark) -> str:
    return written(name, escaped(msgspec.json.encode(mark).decode()))


def session_mark(value: str) -> SessionMark | None:
    """None for what is none: somebody else's, or edited."""
    return _read(value, SessionMark)


def programme_mark(value: str) -> ProgrammeMark | None:
    return _read(value, ProgrammeMark)


def _read(value: str, kind: type[_Mark]) -> _Mark | None:
    try:
        return msgspec.json.decode(text_of(value), type=kind)
    except (msgspec.MsgspecError, RecursionError):
        return None
