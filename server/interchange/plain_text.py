"""HTML and Markdown as the plain text that a calendar shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
    }
    | {"h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})
_INLINE = "a abbr b br code em i img li small span strong sub sup u"
_TAGS = "|".join((*sorted(_BLOCKS), *_INLINE.split()))
_HTML = re.compile(rf"<(?:/(?:{_TAGS})\s*|(?:{_TAGS})(?:\s[^<>]*+)?/?)>", re.IGNORECASE)

_MARKED = re.compile(r"[*_`#\[]|~~~|^[ \t]*[+-][ \t]", re.MULTILINE)
"""What any Markdown has; most texts have none of it, and this is one look instead of seven."""

_CODE_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*+$\n?", re.MULTILINE)
_HEADING = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+([^\n]*+)$", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[*+-][ \t]+(?=\S)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\((https?://[^()\s]{1,2000})(?:[ \t]+\"[^\"\n]{0,300}\")?\)")
_STRONG = re.compile(
    r"(?<![\w*])\*\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*\*(?![\w*])"
    r"|(?<![\w_])__(?=\S)([^_\n]{1,500}?)(?<=\S)__(?![\w_])"
)
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\w*])"
    r"|(?<![\w_])_(?=\S)([^_\n]{1,500}?)(?<=\S)_(?![\w_])"
)
_CODE = re.compile(r"(?<!`)`([^`\n]{1,500})`(?!`)")
_NESTED = 4
"""Marks within marks that are taken off: `**[*a*](…)**`."""

_BLANK_LINES = re.compile(r"\n{3,}")


def plain(text: str) -> str:
    """The words, with paragraphs, bullets and the addresses of links; what is neither HTML nor Markdown is as it was.

    A text is HTML where it has a tag that a description may have, so `a < b` and `List<String>` stay.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _HTML.search(text):
        text = _of_html(text)
    for _ in range(_NESTED):
        before = text
        if _MARKED.search(text):
            text = _of_markdown(text)
        if text == before:
            break
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def _of_html(text: str) -> str:
    reader = _Words()
    reader.feed(text)
    reader.close()
    return reader.text()


class _Words(HTMLParser):
    """Text between tags; blocks are paragraphs, white space is one space."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._unseen = 0
        self._as_written = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._parts.append("\n")
        elif tag == "li":
            self._parts.append("\n• ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._parts)))
        elif tag in _BLOCKS:
            self._as_written += tag == "pre"
            self._parts.append("\n" if tag == "tr" else "\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._links:
            href, begins = self._links.pop()
            if href.startswith(("http://", "https://")) and href.rstrip("/") not in "".join(self._parts[begins:]):
                self._parts.append(f" ({href})")
        elif tag in _BLOCKS:
            self._as_written = max(0, self._as_written - (tag == "pre"))
            self._parts.append("\n" if tag == "tr" else "\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._parts.append(data if self._as_written else re.sub(r"\s+", " ", data))

    def text(self) -> str:
        return "\n".join(line.strip() for line in "".join(self._parts).split("\n"))


def _of_markdown(text: str) -> str:
    text = _HEADING.sub(lambda found: found[1].rstrip("# \t"), _CODE_FENCE.sub("", text))
    text = _BULLET.sub(r"\1• ", text)
    text = _LINK.sub(lambda found: found[2] if found[1] in {"", found[2]} else f"{found[1]} ({found[2]})", text)
    text = _STRONG.sub(_inner, text)
    return _CODE.sub(r"\1", _EMPHASIS.sub(_inner, text))


def _inner(found: re.Match[str]) -> str:
    return found[1] or found[2]
