r"""Several things in one cell, read and written: speakers with their roles, links, languages, JSON.

Parts are separated by `;` (speakers) or by lines (links); a backslash takes the meaning from the mark behind it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from server.interchange.programme import SPEAKER, Extra, Link, Texts
from server.interchange.reading.texts import UNDETERMINED
from server.interchange.reading.values import NOT_TEXT, language
from server.interchange.sheet.cells import escaped, split, unescaped
from server.interchange.sheet.urls import web_address
from server.interchange.sheet.words import LANGUAGES, LINK_KINDS, ROLES, spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.interchange.programme import LinkKind

_IN_BRACKETS = re.compile(r"(.*?)\s*\(((?:\\.|[^()\\])*)\)", re.DOTALL)
_VERBATIM = "role:"
"""Before a role that is not to be translated: `(role: modérateur)`."""

_TITLE = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*):\s(.*)", re.DOTALL)
_ADDRESS = re.compile(r"https?://\S", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|et|و)\s+", re.IGNORECASE)
"""Between spaces; between commas `et` is Estonian."""
_BETWEEN_LANGUAGES = re.compile(r"[,;/|&+\s]+")


class Mention(NamedTuple):
    """Somebody named in the list of a session's speakers."""

    name: str
    role: str = SPEAKER
    organisation: str = ""


def read_mentions(cell: str) -> list[Mention]:
    """`Salma Idrissi; Omar B. (moderator); Lina (OCP Group)`. Empty places are kept: they may stand beside ids."""
    return [_mention(part) for part in split(cell, ";\n\r")] if cell else []


def _mention(part: str) -> Mention:
    found = _IN_BRACKETS.fullmatch(part)
    if not found or not found[1]:
        return Mention(unescaped(part))
    name, inside = unescaped(found[1]), unescaped(found[2])
    if inside.startswith(_VERBATIM):
        return Mention(name, inside.removeprefix(_VERBATIM).strip().lower() or SPEAKER)
    known = ROLES.get(spoken(inside))
    if known or not inside:
        return Mention(name, known or SPEAKER)
    if inside == inside.lower():
        return Mention(name, inside)
    return Mention(name, organisation=inside)


def write_mention(name: str, role: str | None) -> str:
    """So that `read_mentions` reads the same again."""
    plain = escaped(name, ";")
    if role is None:
        return f"{plain} ({SPEAKER})" if name.endswith(")") else plain
    short = f"{plain} ({escaped(role, ';()')})"
    return short if _mention(short) == Mention(name, role) else f"{plain} ({_VERBATIM} {escaped(role, ';()')})"


def write_mentions(parts: Sequence[str]) -> str:
    return "; ".join(parts) if any(parts) else ""


def read_keys(cell: str) -> list[str]:
    return [unescaped(part) for part in split(cell, ";\n\r")] if cell else []


def write_keys(keys: Sequence[str]) -> str:
    return "; ".join(escaped(key, ";") for key in keys)


def read_links(cell: str) -> tuple[list[Link], list[str]]:
    """One link a line: `https://… | recording | fr: Le film | ar: …`. Also what is none, for the report."""
    links: list[Link] = []
    others: list[str] = []
    for line in filter(None, split(cell, "\n\r")):
        found = _link(line)
        several = [found] if found else _addresses_among_words(line)
        links += several
        others += [] if several else [line]
    return links, others


def _addresses_among_words(line: str) -> list[Link]:
    """Of a line without `|`. Beside a single address the other words are its title."""
    words = [(part, web_address(part)) for part in re.split(r"[;,]?\s+|[;,]$", line) if part]
    urls = [url for _, url in words if url]
    title = " ".join(part for part, url in words if not url).strip(" :-–—")
    if len(urls) == 1 and title:
        return [Link(url=urls[0], title={UNDETERMINED: title})]
    return [] if title else [Link(url=url) for url in urls]


def _link(line: str) -> Link | None:
    url, kind, title = "", "link", dict[str, str]()
    for part in filter(None, split(line, "|")):
        plain = unescaped(part)
        tagged = _TITLE.fullmatch(plain)
        tag = language(tagged[1]) if tagged else None
        if not url and (address := web_address(plain)):
            url = address
        elif plain in LINK_KINDS:
            kind = plain
        elif tagged and tag:
            title[tag] = tagged[2]
        else:
            title[UNDETERMINED] = plain
    return Link(url=url, kind=LINK_KINDS[kind], title=title) if url else None


def write_links(links: Sequence[Link]) -> str:
    return "\n".join(_link_line(link.url, link.kind, link.title) for link in links)


def _link_line(url: str, kind: LinkKind, title: Texts) -> str:
    parts = [escaped(url, "|")]
    parts += [kind] if kind != "link" else []
    parts += [escaped(_title(tag, written), "|") for tag, written in sorted(title.items())]
    return " | ".join(parts)


def _title(tag: str, written: str) -> str:
    plain = tag == UNDETERMINED and not (_TITLE.match(written) or _ADDRESS.match(written) or written in LINK_KINDS)
    return written if plain else f"{tag}: {written}"


def read_languages(cell: str) -> tuple[tuple[str, ...], list[str]]:
    """Tags or names: `fr, ar`, `français / arabe`. Also the words that are neither."""
    tags: dict[str, None] = {}
    others = []
    for word in filter(None, _BETWEEN_LANGUAGES.split(_AND.sub(", ", cell))):
        tag = LANGUAGES.get(spoken(word)) or language(word)
        if tag:
            tags[tag] = None
        else:
            others.append(word)
    return tuple(tags), others


def read_json(cell: str) -> Extra | None:
    """The object a cell holds; None for everything else."""
    try:
        found: Any = json.loads(cell, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_json(extra: Extra) -> str:
    """Letters of every script as they are; only what no text may hold is escaped."""
    if not extra:
        return ""
    return NOT_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(extra, ensure_ascii=False))
