"""Rooms, tracks, kinds and speakers of one JSON programme: which mentions mean the same one, and the key of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from server.interchange.json_lists.draft import LinkDraft, PartDraft, PersonDraft
from server.interchange.programme import Kind, Link, Room, Speaker, Texts, Track
from server.interchange.reading.json_values import is_empty
from server.interchange.reading.keys import Keys
from server.interchange.reading.texts import UNDETERMINED, localized, plain, shown
from server.interchange.reading.values import capacity, color, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from server.interchange.reading.repairs import RepairLog

_Thing = TypeVar("_Thing", Room, Track, Kind, Speaker)
_Draft = TypeVar("_Draft", PartDraft, PersonDraft)

_ADDRESS_LENGTH = 2000
"""Longer ones are data in an address, and no client opens them."""


def web_address(value: object) -> str | None:
    """An `http:` or `https:` address, whole; no other, for a link must not run a script."""
    written = text(value)
    if written.startswith("//"):
        written = f"https:{written}"
    scheme, colon, rest = written.partition(":")
    written = f"{scheme.lower()}{colon}{rest}"  # capitals would be no address to any other reader, nor to an organizer's change
    try:
        parts = urlsplit(written)
        named = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    usable = named and len(written) <= _ADDRESS_LENGTH and not any(mark.isspace() for mark in written)
    return written if usable else None


def links_of(drafts: Iterable[LinkDraft], where: str, log: RepairLog) -> tuple[Link, ...]:
    """Each address once, with the first title it has."""
    found: dict[str, Link] = {}
    for draft in drafts:
        url = address_of(draft.url, where, "link", log)
        if url in found:
            log.note(where, "a link is named twice; kept once")
        elif url is not None:
            title = localized(draft.title, UNDETERMINED, where=where, field="link", log=log)
            found[url] = Link(url=url, title=title, kind=draft.kind)
    return tuple(found.values())


def address_of(value: object, where: str, field: str, log: RepairLog) -> str | None:
    """None, and a note where something is written that is no address."""
    url = web_address(value)
    if url is None and not is_empty(value):
        log.note(where, f"`{field}` {shown(text(value))} is no whole address of the web; left out")
    return url


def _spoken(name: Texts) -> set[str]:
    """The names as mentions compare them: every language, capitals apart."""
    return {written.casefold() for written in name.values()}


class Register(Generic[_Thing, _Draft]):
    """In the order of the file. The same one by id, else by name; an id beats a name.

    Files that join several sources have an id twice: in the file's own list another name under a known id is another
    thing, in a mention it is not.
    """

    def __init__(self, noun: str, build: Callable[[str, Texts, _Draft, str], _Thing], log: RepairLog) -> None:
        self._noun = noun
        self._build: Callable[[str, Texts, _Draft, str], _Thing] = build
        self._log = log
        self._keys = Keys()
        self._things: dict[str, _Thing] = {}
        self._by_id: dict[str, str] = {}
        self._with_id: set[str] = set()
        self._by_name: dict[str, str] = {}
        self._listed = False

    def enlist(self, draft: _Draft, where: str) -> None:
        """One of the file's own list."""
        self._listed = True
        name = self._name(draft, where)
        known = self._by_id.get(draft.id) if draft.id else None
        if known is not None and name and not _spoken(name) & _spoken(self._things[known].name):
            self._log.note(where, f"a {self._noun} has the id of another with another name; kept apart by its name")
            self._add(f"{draft.id}:{min(_spoken(name))}", name, draft, where)
        elif known is not None:
            self._complete(known, name, draft, where)
        elif name or draft.id:
            self._add(draft.id, name, draft, where)
        else:
            self._log.note(where, f"a {self._noun} without a name; left out")

    def meet(self, draft: _Draft, where: str) -> str | None:
        """The key of the one meant; one not yet known is added. None, and a note, where the draft names nothing."""
        name = self._name(draft, where)
        key = self._find(draft, name)
        if key is not None:
            self._complete(key, name, draft, where)
            return key
        if not name and not draft.id:
            self._log.note(where, f"a {self._noun} without a name; left out")
            return None
        if not name:
            self._log.note(
                where, f"its {self._noun} {shown(draft.id)} is described nowhere; the id stands for its name"
            )
        elif self._listed and not draft.id:
            self._log.note(where, f"its {self._noun} is not in the list of the file; added")
        return self._add(draft.id, name, draft, where)

    def all(self) -> tuple[_Thing, ...]:
        return tuple(self._things.values())

    def _name(self, draft: _Draft, where: str) -> Texts:
        return localized(draft.name, UNDETERMINED, where=where, field=self._noun, log=self._log)

    def _find(self, draft: _Draft, name: Texts) -> str | None:
        """A list of names alone (`speakers: ["A7"]`) may mean ids; an id that nobody has may be a name."""
        if draft.id:
            if draft.id in self._by_id:
                return self._by_id[draft.id]
            known = None if name else self._by_name.get(draft.id.casefold())
        else:
            written = next(iter(name.values()), "")
            known = self._by_id.get(written)
        if known is None:
            found = (self._by_name[spoken] for spoken in sorted(_spoken(name)) if spoken in self._by_name)
            known = next(found, None)
            if known is not None and draft.id and known in self._with_id:
                return None  # two of one name, each with its own id
        if known is not None and draft.id:
            self._by_id[draft.id] = known
            self._with_id.add(known)
        return known

    def _add(self, wanted: str, name: Texts, draft: _Draft, where: str) -> str:
        key = self._keys.free(wanted or f"name:{next(iter(name.values())).casefold()}")
        named = name or {UNDETERMINED: draft.id}
        self._things[key] = self._build(key, named, draft, where)
        if draft.id:
            self._by_id.setdefault(draft.id, key)
            self._with_id.add(key)
        for spoken in _spoken(named):
            self._by_name.setdefault(spoken, key)
        return key

    def _complete(self, key: str, name: Texts, draft: _Draft, where: str) -> None:
        """What the file says of it only here. What it says otherwise elsewhere is reported."""
        before = self._things[key]
        again = self._build(key, before.name, draft, where)
        if again == before:
            return
        changes: dict[str, object] = {}
        for field in before.__struct_fields__:
            old, new = getattr(before, field), getattr(again, field)
            if old == new or is_empty(new) or new == ():
                continue
            if is_empty(old) or old == ():
                changes[field] = new
            elif (
                isinstance(old, dict)
                and isinstance(new, dict)
                and all(old.get(part, new[part]) == new[part] for part in new)
            ):
                changes[field] = {**old, **new}
            else:
                self._log.note(where, f"`{field}` of a {self._noun} is not what it is elsewhere; the first was kept")
        if changes:
            self._things[key] = msgspec.structs.replace(before, **changes)


def rooms(log: RepairLog) -> Register[Room, PartDraft]:
    def build(key: str, name: Texts, draft: PartDraft, where: str) -> Room:
        seats = capacity(draft.capacity)
        if seats is None and draft.capacity not in (None, "", 0):
            log.note(where, "`capacity` of a room is no number of seats; left out")
        return Room(
            key=key,
            name=name,
            description=localized(draft.description, UNDETERMINED, where=where, field="description", log=log),
            capacity=seats,
            floor=plain(draft.floor, where=where, field="floor", log=log) or None,
            extra=draft.extra,
        )

    return Register("room", build, log)


def tracks(log: RepairLog) -> Register[Track, PartDraft]:
    def build(key: str, name: Texts, draft: PartDraft, where: str) -> Track:
        shade = color(draft.color)
        if shade is None and text(draft.color):
            log.note(where, "the colour of a track is not written `#rrggbb`; left out")
        description = localized(draft.description, UNDETERMINED, where=where, field="description", log=log)
        return Track(key=key, name=name, description=description, color=shade, extra=draft.extra)

    return Register("track", build, log)


def kinds(log: RepairLog) -> Register[Kind, PartDraft]:
    def build(key: str, name: Texts, draft: PartDraft, where: str) -> Kind:
        return Kind(key=key, name=name)

    return Register("kind", build, log)


def speakers(log: RepairLog) -> Register[Speaker, PersonDraft]:
    def build(key: str, name: Texts, draft: PersonDraft, where: str) -> Speaker:
        def texts(field: str, value: object) -> Texts:
            return localized(value, UNDETERMINED, where=where, field=field, log=log)

        return Speaker(
            key=key,
            name=name,
            organisation=texts("organisation", draft.organisation),
            tagline=texts("tagline", draft.tagline),
            bio=texts("biography", draft.bio),
            photo_url=address_of(draft.photo, where, "photo", log),
            links=links_of(draft.links, where, log),
            extra=draft.extra,
        )

    return Register("speaker", build, log)
