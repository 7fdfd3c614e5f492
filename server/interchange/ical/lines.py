"""iCalendar's grammar (RFC 5545 section 3.1): content lines in and out.

The well-kept `icalendar` library is no part of the product, only of its tests: it keeps a file's own time zones for the
whole process, so that one file moves the sessions of the next, writes a zone's spring changes an hour late, and does not
know at which line of the file it is. The tests read with it what is written here, as an independent witness.
"""

from __future__ import annotations

import quopri
import re
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.errors import UnreadableSchedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from server.interchange.reading.repairs import RepairLog

MAX_LINES = 400_000
"""Of a file. A real event of 262 sessions has 4,400; 32 MiB folded as the standard says have 450,000."""

_FOLD = 75
"""Octets of a line, its end apart."""

_SPLIT_CHARACTER = re.compile(rb"([\xc2-\xf4][\x80-\xbf]{0,2})(\r{0,2}\n[ \t])([\x80-\xbf]{1,3})")
_START = re.compile(r"[A-Za-z0-9-]+[ \t]*+[;:]")
_TEXT = re.compile(r"(?:SUMMARY|DESCRIPTION|LOCATION|COMMENT|CONTACT|X-[A-Z0-9-]+)[ \t]*+[;:]", re.IGNORECASE)
_HEAD = re.compile(r'([A-Za-z0-9-]+)[ \t]*+((?:;[^":;]*+(?:"[^"]*+"[^":;]*+)*+)*+):')
_SLOPPY_HEAD = re.compile(r"([A-Za-z0-9-]+)[ \t]*+((?:;[^:]*+)?):")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*((?:"[^"]*+"?|[^";])*+)')
_ESCAPE = re.compile(r"\\([\\;,nN:\"])")
_UNESCAPED = {"n": "\n", "N": "\n"}
_COMMA = re.compile(r"((?:[^\\,]++|\\.?)*+)(?:,|$)", re.DOTALL)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CARETS = {"^": "^^", '"': "^'", "\n": "^n"}
_UNCARETS = {"^^": "^", "^'": '"', "^n": "\n"}
_NONE: Mapping[str, str] = {}


class Property(NamedTuple):
    name: str
    """In capitals."""
    parameters: Mapping[str, str]
    """By their names in capitals, without quotation marks."""
    value: str
    """As it is written; `text_of` or `texts_of` say what it means."""
    line: int
    """Where it begins in the file, from 1."""


def with_whole_characters(data: bytes) -> bytes:
    """UTF-8 folded by octets, within a character: the fold is moved before it (RFC 5545 section 3.1 asks for that).

    Lines keep their numbers.
    """
    return _SPLIT_CHARACTER.sub(rb"\2\1\3", data)


def content_lines(text: str, log: RepairLog) -> Iterator[tuple[int, str]]:
    """Each unfolded line with the number it begins at. CR CR LF, LF and CR alone end a line too; empty ones are none.

    A line with neither a name nor the space of a folded one is a text's own line break, not escaped: it goes on with the
    text before it. Raises `UnreadableSchedule` beyond `MAX_LINES`.
    """
    text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MAX_LINES:
        raise UnreadableSchedule(f"line {MAX_LINES}: the file goes on beyond {MAX_LINES} lines; split it")
    begins, parts = 0, [""]
    for number, line in _unfolded(text):
        if not _START.match(line) and _TEXT.match(parts[0]):
            parts.append(f"\\n{line}")
            log.note(f"line {number}", "a line that is no property; taken as going on with the text before it")
            continue
        if begins:
            yield begins, "".join(parts)
        begins, parts = number, [line]
    if begins:
        yield begins, "".join(parts)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    begins, parts = 0, [""]
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith((" ", "\t")) and begins:
            parts.append(line[1:])
        elif line.strip():
            if begins:
                yield begins, "".join(parts)
            begins, parts = number, [line]
    if begins:
        yield begins, "".join(parts)


def property_of(line: str, number: int) -> Property | None:
    """None for a line that is no property: neither name nor colon."""
    found = _HEAD.match(line) or _SLOPPY_HEAD.match(line)
    if found is None:
        return None
    written, value = found[2], line[found.end() :]
    parameters = {name.upper(): _bare(each) for name, each in _PARAMETER.findall(written)} if written else _NONE
    if parameters.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":
        value = quopri.decodestring(value.encode()).decode(errors="replace").replace("\r\n", "\\n")
    return Property(found[1].upper(), parameters, value, number)


def _bare(written: str) -> str:
    """Without quotation marks, and RFC 6868's carets undone."""
    return re.sub(r"\^[\^'n]", lambda found: _UNCARETS[found[0]], written.strip().replace('"', ""))


def text_of(value: str) -> str:
    """A TEXT value with its escapes undone; those that the standard has not, `\\:` and `\\"`, too."""
    return _ESCAPE.sub(lambda found: _UNESCAPED.get(found[1], found[1]), value)


def texts_of(value: str) -> list[str]:
    """A list of TEXT values, parted at the commas that are not escaped; empty ones are left out."""
    return [text for part in _COMMA.findall(value) if (text := text_of(part).strip())]


def escaped(text: str) -> str:
    """A text as a TEXT value; what no line may hold is left out, every kind of line end is one."""
    text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text))
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def address(url: str) -> str:
    """A URI value, which has no escapes: a line end or a space in one would end it, or begin a property of its own."""
    return _CONTROL.sub("", "".join(url.split()))


def written(name: str, value: str, **parameters: str | None) -> str:
    """One property with its value as it must be written, whole and unfolded; `_` in a parameter's name is `-`."""
    given = (f";{each.replace('_', '-')}={_quoted(text)}" for each, text in parameters.items() if text)
    return f"{name}{''.join(given)}:{value}"


def _quoted(text: str) -> str:
    text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text))
    text = re.sub(r'[\^"\n]', lambda found: _CARETS[found[0]], text)
    return f'"{text}"' if re.search(r"[;:,]|^\s|\s$", text) else text


def folded(line: str) -> bytes:
    """With CR LF, no line above 75 octets and no fold within a character."""
    data = line.encode()
    if len(data) <= _FOLD:
        return data + b"\r\n"
    parts, start, room = [], 0, _FOLD
    while start < len(data):
        end = min(start + room, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(data[start:end])
        start, room = end, _FOLD - 1
    return b"\r\n ".join(parts) + b"\r\n"
