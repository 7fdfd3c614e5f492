"""Rooms, tracks, kinds and speakers of an iCalendar file: which mentions are the same one, and the key of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.interchange.programme import Texts


class _Named(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> Texts: ...


Thing = TypeVar("Thing", bound=_Named)


class Register(Generic[Thing]):
    """In the order of the file. A name, capitals and spaces apart, is one thing; so is a key that the file gives."""

    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}
        self._by_name: dict[str, str] = {}

    def keyed(self, thing: Thing) -> str:
        """One whose key the file says; met again, it stays as it was met first."""
        if thing.key not in self._things:
            self._things[thing.key] = thing
            for text in thing.name.values():
                self._by_name.setdefault(_spoken(text), thing.key)
        return thing.key

    def named(self, name: Texts, create: Callable[[str, Texts], Thing]) -> str:
        """The key of the one with that name in any language; created under `name:…` where there is none."""
        known = next((key for text in name.values() if (key := self._by_name.get(_spoken(text)))), None)
        if known is not None:
            return known
        return self.keyed(create(f"name:{_spoken(next(iter(name.values())))}", name))

    def all(self) -> tuple[Thing, ...]:
        return tuple(self._things.values())


def _spoken(name: str) -> str:
    return " ".join(name.casefold().split())
