"""What all three of frab's formats say of a file and of a session in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.interchange.frab.export import clean_text
from server.interchange.frab.kept import ACRONYM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.interchange.programme import Kind, Link, Publication, Session

_SHORTEST_ACRONYM = 4


def acronym(publication: Publication) -> str:
    """The source's own where the standard takes it, else the event's short name with `_` for `-`, four letters at least."""
    own = publication.programme.extra.get("acronym")
    return str(own) if ACRONYM(own) else publication.slug.replace("-", "_").ljust(_SHORTEST_ACRONYM, "_")


def address_of_file(publication: Publication, language: str | None) -> str:
    """With the language of the file's texts, by which a reader knows it; version 2 has all of them and none here."""
    mark = "&" if "?" in publication.url else "?"
    return publication.url if language is None else f"{publication.url}{mark}lang={language}"


def version_of(publication: Publication) -> str:
    """The released version; of a programme that has none, the moment when it last changed, which only grows."""
    return clean_text(publication.programme.version) or publication.updated_at.isoformat(timespec="seconds")


def kind_word(session: Session, kinds: Mapping[str, Kind], language: str) -> str:
    """The kind by its name. `BREAK` or `META`, as version 2 calls them, for what nobody presents and has no kind."""
    if session.kind is not None:
        return kinds[session.kind].name.get(language, session.kind)
    return meta_word(session) if session.service else ""


def meta_word(session: Session) -> str:
    return "META" if session.extra.get("type") == "META" else "BREAK"


def beyond_link(link: Link, kept: object) -> dict[str, Any]:
    """What the source said of this link beyond a `Link`, as its reader kept it: its `type` and `service`."""
    entries = [entry for entry in kept if isinstance(entry, dict)] if isinstance(kept, list) else []
    return next((entry for entry in entries if entry.get("url") == link.url), {})
