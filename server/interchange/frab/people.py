"""Speakers of one file: which mentions are the same person, and the key of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from server.interchange.frab.links import address, links_of
from server.interchange.programme import Speaker, Texts
from server.interchange.reading.keys import Keys
from server.interchange.reading.texts import UNDETERMINED, localized

if TYPE_CHECKING:
    from server.interchange.frab.draft import PersonDraft
    from server.interchange.reading.repairs import RepairLog


class Speakers:
    """In the order of the file. The same person by guid, else by id, else by name.

    A file merged from several systems has small numbers twice, so the same id means the same person only where the
    names have a word in common; two entries for one person are a smaller fault than a talk under a stranger's name.
    """

    def __init__(self, log: RepairLog, *, base_url: str = "", tag: str = UNDETERMINED) -> None:
        self._log = log
        self._base_url = base_url
        self._tag = tag
        self._keys = Keys()
        self._speakers: dict[str, Speaker] = {}
        self._by_guid: dict[str, str] = {}
        self._with_guid: set[str] = set()
        self._by_id: dict[str, str] = {}
        self._by_id_and_word: dict[tuple[str, str], str] = {}
        self._by_name: dict[str, str] = {}

    def add(self, draft: PersonDraft, where: str) -> str | None:
        """The key of the person meant; one not yet known is added. None, and a note, for a person without a name."""
        name = localized(draft.name, self._tag, where=where, field="name", log=self._log)
        known = self._find(draft, name)
        if known is not None:
            self._complete(known, draft, name, where)
            return known
        if not name:
            self._log.note(where, "a person without a name; left out")
            return None
        return self._create(draft, name, where)

    def all(self) -> tuple[Speaker, ...]:
        return tuple(self._speakers.values())

    def _find(self, draft: PersonDraft, name: Texts) -> str | None:
        if draft.guid in self._by_guid:
            return self._by_guid[draft.guid]
        if not draft.guid and not draft.id:
            return self._by_name.get(_spoken(name))
        if not name:
            return self._by_id.get(draft.id)
        words = sorted((draft.id, word) for word in _words(name))
        same = (self._by_id_and_word[pair] for pair in words if pair in self._by_id_and_word)
        return next((key for key in same if not draft.guid or key not in self._with_guid), None)

    def _create(self, draft: PersonDraft, name: Texts, where: str) -> str:
        if not draft.guid and draft.id in self._by_id:
            self._log.note(where, "a person has the id of somebody with quite another name; kept as two persons")
        wanted = draft.guid or (f"id:{draft.id}" if draft.id else f"name:{_spoken(name)}")
        if wanted in self._speakers:
            wanted = f"{wanted}:{_spoken(name)}"
        key = self._keys.free(wanted)
        self._speakers[key] = msgspec.structs.replace(Speaker(key=key, name=name), **self._particulars(draft, where))
        if draft.guid:
            self._by_guid[draft.guid] = key
            self._with_guid.add(key)
        if draft.id:
            self._by_id.setdefault(draft.id, key)
            for word in _words(name):
                self._by_id_and_word.setdefault((draft.id, word), key)
        self._by_name.setdefault(_spoken(name), key)
        return key

    def _complete(self, key: str, draft: PersonDraft, name: Texts, where: str) -> None:
        speaker = self._speakers[key]
        if draft.guid:
            self._by_guid.setdefault(draft.guid, key)
            self._with_guid.add(key)
        if not set(name.values()) <= set(speaker.name.values()):
            self._log.note(where, "a person is spelt differently elsewhere in the file; the first spelling was kept")
        more = self._particulars(draft, where)
        missing = {field: value for field, value in more.items() if value and not getattr(speaker, field)}
        if draft.extra.keys() - speaker.extra.keys():
            missing["extra"] = {**more["extra"], **speaker.extra}
        if missing:
            self._speakers[key] = msgspec.structs.replace(speaker, **missing)

    def _particulars(self, draft: PersonDraft, where: str) -> dict[str, Any]:
        links, beyond = links_of(draft.links, self._base_url, self._tag, where, self._log)
        texts = {"bio": draft.bio, "organisation": draft.organisation, "tagline": draft.tagline}
        return {
            "photo_url": address(draft.photo, self._base_url, where=where, field="photo", log=self._log),
            "links": links,
            "extra": {**draft.extra, **beyond},
            **{field: self._text(field, value, where) for field, value in texts.items()},
        }

    def _text(self, field: str, value: object, where: str) -> Texts:
        return localized(value, self._tag, where=where, field=field, log=self._log)


def _spoken(name: Texts) -> str:
    return " ".join(next(iter(name.values()), "").casefold().split())


def _words(name: Texts) -> set[str]:
    """The name whole too: it may be without any letter."""
    return {_spoken(name), *re.findall(r"\w+", " ".join(name.values()).casefold())}
