"""Conventions of our own files, known to their writers and to the readers: columns of rooms, slugs of tracks.

Apps draw one column per room and cut off what overlaps in it. So of sessions at the same time in one room the later ones
stand in columns of their own, called `Atlas (2)`, `Atlas (3)`…; their guids are derived from the room's, by which a
reader joins them again.
"""

from __future__ import annotations

import re
from uuid import UUID, uuid5

_NAMESPACE = UUID("0d9b8d3e-9f55-5b0a-8f1c-5a6a4c7d2e11")
"""Ours, drawn once. A different one would give the columns of published files new identities."""

NOWHERE = str(uuid5(_NAMESPACE, "nowhere"))
"""The guid of the column of sessions without a room."""

NO_TRACK = "no-track"
"""The slug that version 2 has for sessions without a track, as it requires one."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLUG = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
"""What the XSD and both JSON Schemas allow: two letters at least."""

_DERIVED = "track-"


def column_guid(guid: str, number: int) -> str:
    """Of the room's second, third… column."""
    return str(uuid5(_NAMESPACE, f"{guid}\n{number}"))


class Columns:
    """Which room a guid is a further column of, for all the rooms added, and by which name version 1 calls it then."""

    def __init__(self) -> None:
        self._rooms: dict[str, tuple[str, str, int]] = {}
        self._names: dict[str, str] = {}
        self._expect(NOWHERE, NOWHERE, 2)

    def add(self, guid: str, key: str) -> None:
        self._expect(guid, key, 2)

    def room_of(self, guid: str, name: str) -> str | None:
        """The key of the room, `NOWHERE` for none; None where neither guid nor, without a guid, the name is a column's."""
        if not guid:
            return self._names.get(name)
        key = NOWHERE if guid == NOWHERE else None
        if guid in self._rooms:
            first, key, number = self._rooms[guid]
            self._expect(first, key, number + 1)
        if key is not None:
            self._names.setdefault(name, key)
        return key

    def _expect(self, guid: str, key: str, number: int) -> None:
        self._rooms.setdefault(column_guid(guid, number), (guid, key, number))


def slug_of_session(guid: str) -> str:
    """The JSON formats require a slug; sessions whose source has none get this one."""
    return f"session-{guid}"


def is_uuid(key: str) -> bool:
    """Written as the standard wants it, in small letters."""
    return _UUID.fullmatch(key) is not None


def is_slug(key: str) -> bool:
    """Whether the key of a track may stand in a file as its slug: where the standard allows it and nobody misreads it."""
    return _SLUG.fullmatch(key) is not None and key != NO_TRACK and not is_uuid(key) and not _is_derived(key)


def slug_of(key: str) -> str:
    """The slug of a track known by a slug or by a UUID, which may not begin with a letter as slugs do."""
    return _DERIVED + key if is_uuid(key) else key


def key_of_slug(slug: str) -> str:
    return slug.removeprefix(_DERIVED) if _is_derived(slug) else slug


def _is_derived(slug: str) -> bool:
    return slug.startswith(_DERIVED) and is_uuid(slug.removeprefix(_DERIVED))
