"""XML from strangers as a small tree that knows its lines; no DTD, no entities, bounded in depth and number.

Entities are what XML bombs are made of, and a schedule needs none: a file with a DOCTYPE is refused before it is read.
"""

from __future__ import annotations

from html import escape
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat.errors import (
    XML_ERROR_NO_ELEMENTS,
    XML_ERROR_PARTIAL_CHAR,
    XML_ERROR_UNCLOSED_CDATA_SECTION,
    XML_ERROR_UNCLOSED_TOKEN,
    codes,
    messages,
)

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from server.interchange.errors import UnreadableSchedule

MAX_DEPTH = 64
MAX_ELEMENTS = 300_000
"""Twelve times the largest real congress. The worst file within the limits costs about 6 s and 450 MB."""

MAX_TAG_BYTES = 1024 * 1024
"""Of one tag, comment or processing instruction: a tag with millions of attributes is no schedule."""

_CHUNK_BYTES = 64 * 1024
_CUT_SHORT = frozenset(
    codes[error]
    for error in (
        XML_ERROR_NO_ELEMENTS,
        XML_ERROR_PARTIAL_CHAR,
        XML_ERROR_UNCLOSED_CDATA_SECTION,
        XML_ERROR_UNCLOSED_TOKEN,
    )
)


class Node:
    """One element. Names are without their namespace; attributes of foreign namespaces are left out."""

    __slots__ = ("attributes", "children", "content", "line", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.line = line
        self.children: list[Node] = []
        self.content: list[str | Node] = []

    def get(self, name: str) -> str:
        """An attribute, trimmed; empty where absent."""
        return self.attributes.get(name, "").strip()

    def child(self, name: str) -> Node | None:
        return next((node for node in self.children if node.tag == name), None)

    def text(self) -> str:
        """The text; where it has elements, the markup as it was written, for texts given as XHTML."""
        if not self.children:
            return "".join(part for part in self.content if isinstance(part, str))
        return "".join(escape(part, quote=False) if isinstance(part, str) else part.markup() for part in self.content)

    def own_text(self) -> str:
        """The text beside the elements within."""
        return "".join(part for part in self.content if isinstance(part, str)).strip()

    def markup(self) -> str:
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        if not self.content:
            return f"<{self.tag}{attributes}/>"
        within = self.text() if self.children else escape(self.text(), quote=False)
        return f"<{self.tag}{attributes}>{within}</{self.tag}>"

    def holds_something(self) -> bool:
        """Whether there is an attribute or a text anywhere in it."""
        return bool(any(self.attributes.values()) or self.own_text()) or any(
            node.holds_something() for node in self.children
        )


class _Builder:
    """Takes what expat finds and grows the tree; the limits are checked before memory is spent."""

    def __init__(self) -> None:
        self.expat: Any = None
        self._open: list[Node] = []
        self._root: Node | None = None
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.expat.CurrentLineNumber
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise UnreadableSchedule(f"line {line}: more than {MAX_ELEMENTS} elements; leave out what is no schedule")
        if len(self._open) >= MAX_DEPTH:
            raise UnreadableSchedule(f"line {line}: elements are nested more than {MAX_DEPTH} deep; a schedule needs 8")
        own = {name: value for name, value in attributes.items() if not name.startswith("{")}
        node = Node(tag.rpartition("}")[2], own, line)
        if self._open:
            self._open[-1].children.append(node)
            self._open[-1].content.append(node)
        else:
            self._root = node
        self._open.append(node)

    def end(self, tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].content.append(text)

    def close(self) -> Node | None:
        return self._root


def tree_of(text: str) -> Node:
    """Parse a whole document. Raises `UnreadableSchedule` with line and column of the first fault."""
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, encoding="utf-8", forbid_dtd=True)
    builder.expat = parser.parser
    try:
        _feed(parser, text.encode())
        root: Node = parser.close()
    except ParseError as fault:
        raise UnreadableSchedule(_sentence(fault)) from fault
    except DefusedXmlException as fault:
        line = builder.expat.CurrentLineNumber
        raise UnreadableSchedule(f"line {line}: a DOCTYPE or an entity; a schedule needs neither: remove it") from fault
    return root


def _feed(parser: Any, data: bytes) -> None:
    for begin in range(0, len(data), _CHUNK_BYTES):
        parser.feed(data[begin : begin + _CHUNK_BYTES])
        if begin + _CHUNK_BYTES - parser.parser.CurrentByteIndex > MAX_TAG_BYTES:
            line = parser.parser.CurrentLineNumber
            raise UnreadableSchedule(
                f"line {line}: a tag or comment of more than {MAX_TAG_BYTES // 2**20} MiB; remove it"
            )


def _sentence(fault: ParseError) -> str:
    line, column = fault.position
    place = f"line {line}, column {column + 1}"
    if fault.code in _CUT_SHORT:
        return f"{place}: the file breaks off here; it was cut short, fetch it again"
    return f"{place}: this is no XML ({messages.get(fault.code, 'damaged')}); mend it there or export the file again"
