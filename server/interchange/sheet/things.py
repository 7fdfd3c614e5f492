"""Rooms, tracks, kinds and speakers of one workbook: those of their own sheets first, then those only sessions name."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

from server.interchange.programme import Kind, Room, Speaker, Texts, Track
from server.interchange.reading.keys import Keys
from server.interchange.reading.texts import UNDETERMINED, shown
from server.interchange.sheet.words import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from server.interchange.reading.repairs import RepairLog

Thing = TypeVar("Thing", Room, Track, Kind, Speaker)

_FIRST = (UNDETERMINED, "fr", "en", "ar")


def main_text(texts: Texts) -> str:
    """The text that stands for all: the same one whatever order the columns have."""
    tag = next((tag for tag in _FIRST if tag in texts), None) or min(texts, default="")
    return texts.get(tag, "")


def _folded(name: Texts) -> str:
    return " ".join(main_text(name).casefold().split())


KEY_OF_NAME: dict[str, Callable[[Texts], str]] = {
    "rooms": lambda name: f"name:{_folded(name)}",
    "tracks": main_text,
    "kinds": _folded,
    "speakers": lambda name: f"name:{_folded(name)}",
}
"""The key of what has only a name, by the sheet it belongs to: the one frab's readers give it."""


class Names:
    """Finds the key somebody means who writes a key or a name, in any language, without capitals and accents."""

    def __init__(self, things: Iterable[tuple[str, Texts]] = ()) -> None:
        self._keys: set[str] = set()
        self._by_name: dict[str, str] = {}
        self._shared: set[str] = set()
        for key, name in things:
            self.add(key, name)

    def add(self, key: str, name: Texts) -> None:
        self._keys.add(key)
        for each in _spellings(name):
            if self._by_name.setdefault(each, key) != key:
                self._shared.add(each)

    def find(self, written: str) -> str | None:
        return written if written in self._keys else self._by_name.get(_spelling(written))

    def is_shared(self, written: str) -> bool:
        """Several are called so; `find` answers with the first."""
        return written not in self._keys and _spelling(written) in self._shared

    def reference(self, key: str, name: str) -> str:
        """How a cell names the thing with this key: by its name where that means it alone."""
        return name if name and self.find(name) == key and not self.is_shared(name) else key


def _spelling(written: str) -> str:
    """As compared; a name without any letter or digit stands for itself."""
    return spoken(written) or written.strip().casefold()


def _spellings(name: Texts) -> set[str]:
    return {_spelling(written) for written in name.values()}


class Things(Generic[Thing]):
    """In the order of their sheet, then as they are first mentioned."""

    def __init__(self, sheet: str, make: Callable[[str, Texts], Thing], log: RepairLog) -> None:
        self._sheet = sheet
        self._make: Callable[[str, Texts], Thing] = make
        self._log = log
        self._keys = Keys()
        self._things: dict[str, Thing] = {}
        self._names = Names()
        self._listed = False
        self._meant: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def all(self) -> tuple[Thing, ...]:
        return tuple(self._things.values())

    def enlist(self, key: str, name: Texts, where: str) -> str:
        """One of the sheet's own; without an id its name is its key. Answers with its key."""
        self._listed = True
        if key in self._things:
            self._log.note(where, "the same id as an earlier row; kept under a key of its own")
        elif not key and self._names.find(main_text(name)) is not None:
            self._log.note(where, "the same name as an earlier row, and no id; kept under a key of its own")
        return self._add(key, name)

    def replace(self, thing: Thing) -> None:
        self._things[thing.key] = thing

    def get(self, key: str) -> Thing:
        return self._things[key]

    def learn(self, key: str, name: Texts) -> None:
        """Hear of every row that has an id beside a name before any is asked for: most rows decide what the id means."""
        if key and name:
            self._meant[key][_spelling(main_text(name))] += 1

    def mention(self, name: Texts, where: str, *, key: str = "") -> str | None:
        """The key of the one a session names, added where nobody knows it; None where nothing is named."""
        if key and name and not self._agrees(key, name):
            self._log.note(
                where, f"{shown(main_text(name))} is not the one that its id means elsewhere; the name was taken"
            )
            key = ""
        if key:
            return key if key in self._things else self._add(key, name or {UNDETERMINED: key})
        found = [known for written in name.values() if (known := self._names.find(written))]
        if found:
            if self._names.is_shared(main_text(name)):
                self._log.note(where, f"several {self._sheet} are called {shown(main_text(name))}; the first was taken")
            return found[0]
        if not name:
            return None
        if self._listed:
            self._log.note(where, f"{shown(main_text(name))} is not in the sheet `{self._sheet}`; added")
        return self._add("", name)

    def _agrees(self, key: str, name: Texts) -> bool:
        if key in self._meant:
            return self._meant[key].most_common(1)[0][0] == _spelling(main_text(name))
        return True

    def _add(self, key: str, name: Texts) -> str:
        key = self._keys.free(key or KEY_OF_NAME[self._sheet](name))
        self._things[key] = self._make(key, name)
        self._names.add(key, name)
        return key
