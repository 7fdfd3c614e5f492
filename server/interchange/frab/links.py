"""Addresses of a file: of the web or left out, relative ones after the file's `base_url`, each link once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote, urljoin, urlsplit

from server.interchange.programme import Extra, Link, LinkKind
from server.interchange.reading.texts import localized
from server.interchange.reading.values import NOT_TEXT, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.interchange.frab.draft import LinkDraft
    from server.interchange.reading.repairs import RepairLog

_KINDS: frozenset[str] = frozenset(get_args(LinkKind))
_NO_ADDRESS = re.compile(r"[\s\x00-\x20\x7f<>\"{}|\\^`]")
"""What stands in no address (RFC 3986 section 2): written by hand it is percent-encoded here, as browsers do."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def web_address(value: object, base_url: str) -> str | None:
    """An http address, whole; None for everything else, for a link must not run a script."""
    written = text(value["url"] if isinstance(value, dict) and "url" in value else value)
    if not written:
        return None
    clean = _NO_ADDRESS.sub(lambda found: quote(found[0]), NOT_TEXT.sub("", written))
    if scheme := _SCHEME.match(clean):
        clean = scheme[0].lower() + clean[scheme.end() :]
    try:
        whole = urljoin(base_url, clean) if urlsplit(clean).scheme == "" else clean
        parts = urlsplit(whole)
    except ValueError:
        return None
    return whole if parts.scheme in {"http", "https"} and parts.netloc else None


def address(value: object, base_url: str, *, where: str, field: str, log: RepairLog) -> str | None:
    """One address of a field, with a note where it is none."""
    found = web_address(value, base_url)
    if found is None and (value if isinstance(value, dict) else text(value)):
        log.note(where, f"`{field}` is no address of the web; left out")
    return found


def links_of(
    drafts: Sequence[LinkDraft], base_url: str, tag: str, where: str, log: RepairLog
) -> tuple[tuple[Link, ...], Extra]:
    """The links in their order, and by list what their objects say beyond a `Link`: their `type` and `service`."""
    links: dict[tuple[str, str, str], Link] = {}
    more: dict[str, list[Any]] = {}
    for draft in drafts:
        url = web_address(draft.url, base_url)
        if url is None:
            if text(draft.url) or text(draft.title):
                log.note(where, f"an entry of `{draft.field}` is no address of the web; left out")
            continue
        kind, beyond = _kind(draft)
        title = localized(draft.title, tag, where=where, field=draft.field, log=log)
        if list(title.values()) == [url]:
            title = {}
        links.setdefault((url, kind, repr(title)), Link(url=url, title=title, kind=kind))
        if beyond:
            more.setdefault(draft.field, []).append({"url": url, **beyond})
    return tuple(links.values()), more


def _kind(draft: LinkDraft) -> tuple[LinkKind, Extra]:
    """`type` where it is one of our kinds, as in our own files; of the standard's, only `FEEDBACK` is one."""
    written = text(draft.extra.get("type"))
    named = written.lower()
    if named not in _KINDS or (named != "feedback" and written != named):
        return draft.kind, draft.extra
    kind: Any = named
    return kind, {field: value for field, value in draft.extra.items() if field != "type"}
