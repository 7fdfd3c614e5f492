"""Rooms and tracks of one file: which mentions mean the same one, and the key of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from server.interchange.frab.columns import NO_TRACK, NOWHERE, Columns, key_of_slug
from server.interchange.programme import Kind, Room, Texts, Track
from server.interchange.reading.keys import Keys
from server.interchange.reading.texts import UNDETERMINED, localized, shown
from server.interchange.reading.values import capacity, color, text

if TYPE_CHECKING:
    from server.interchange.frab.draft import RoomDraft, TrackDraft
    from server.interchange.reading.repairs import RepairLog


def _spoken(name: Texts) -> str:
    """The name as mentions compare it: the first language, capitals apart."""
    return next(iter(name.values()), "").casefold()


class Rooms:
    """In the order of the file. A guid names a room, unless the file gives one guid to rooms of different names."""

    def __init__(self, log: RepairLog, tag: str = UNDETERMINED) -> None:
        self._log = log
        self._tag = tag
        self._keys = Keys()
        self._columns = Columns()
        self._noted: set[str] = set()
        self._rooms: dict[str, Room] = {}
        self._by_guid: dict[str, str] = {}
        self._with_guid: set[str] = set()
        self._by_guid_and_name: dict[tuple[str, str], str] = {}
        self._by_name: dict[str, str] = {}
        self._by_slug: dict[str, str] = {}

    def add(self, draft: RoomDraft, where: str) -> str | None:
        """The key of the room meant; a room not yet known is added. None where the draft names nothing.

        Or nowhere: our own files have a column for sessions without a room, and further columns of one room.
        """
        name = localized(draft.name, self._tag, where=where, field="room", log=self._log)
        column = self._columns.room_of(draft.guid, _spoken(name))
        if column is not None:
            return None if column == NOWHERE else column
        key = self._find(draft, _spoken(name))
        if key is not None:
            self._complete(key, draft, where)
        if key is None and (name or draft.guid or draft.slug):
            key = self._create(draft, name or {UNDETERMINED: draft.slug or draft.guid}, where)
        return key

    def all(self) -> tuple[Room, ...]:
        return tuple(self._rooms.values())

    def _find(self, draft: RoomDraft, spoken: str) -> str | None:
        if draft.guid in self._by_guid:
            return self._by_guid_and_name.get((draft.guid, spoken)) if spoken else self._by_guid[draft.guid]
        key = self._by_name.get(spoken) or self._by_slug.get(draft.slug)
        if draft.guid and key is not None:
            if key in self._with_guid:
                return None
            self._name_by_guid(draft.guid, spoken, key)
        return key

    def _create(self, draft: RoomDraft, name: Texts, where: str) -> str:
        spoken, title = _spoken(name), shown(next(iter(name.values())))
        shared = draft.guid in self._by_guid
        if shared:
            self._log.note(where, f"room {title} has the guid of another room; kept apart by its name")
        elif draft.guid and spoken in self._by_name:
            self._log.note(where, f"another room is called {title} too, with its own guid; both are kept")
        key = self._keys.free(f"name:{spoken}" if shared or not draft.guid else draft.guid)
        self._rooms[key] = msgspec.structs.replace(Room(key=key, name=name), **self._particulars(draft, where))
        if draft.guid:
            self._name_by_guid(draft.guid, spoken, key)
        self._by_name.setdefault(spoken, key)
        if draft.slug:
            self._by_slug.setdefault(draft.slug, key)
        return key

    def _name_by_guid(self, guid: str, spoken: str, key: str) -> None:
        self._by_guid.setdefault(guid, key)
        self._by_guid_and_name[guid, spoken] = key
        self._columns.add(guid, key)
        self._with_guid.add(key)

    def _complete(self, key: str, draft: RoomDraft, where: str) -> None:
        room, more = self._rooms[key], self._particulars(draft, where)
        missing = {field: value for field, value in more.items() if value and not getattr(room, field)}
        if draft.extra.keys() - room.extra.keys():
            missing["extra"] = {**draft.extra, **room.extra}
        if missing:
            self._rooms[key] = msgspec.structs.replace(room, **missing)

    def _particulars(self, draft: RoomDraft, where: str) -> dict[str, Any]:
        return {
            "description": localized(draft.description, self._tag, where=where, field="description", log=self._log),
            "capacity": self._capacity(draft, where),
            "floor": text(draft.floor) or None,
            "extra": draft.extra,
        }

    def _capacity(self, draft: RoomDraft, where: str) -> int | None:
        seats = capacity(draft.capacity)
        if seats is None and draft.capacity not in (None, "", 0) and draft.guid + str(draft.name) not in self._noted:
            self._noted.add(draft.guid + str(draft.name))  # once, not at every session of the room
            self._log.note(where, "`capacity` of a room is no number of seats; left out")
        return seats


class Tracks:
    """In the order of the file: the list of the conference first, then what only the sessions name.

    A slug, else a guid, names a track; a name alone means the first track of that name.
    """

    def __init__(self, log: RepairLog, tag: str = UNDETERMINED) -> None:
        self._log = log
        self._tag = tag
        self._keys = Keys()
        self._tracks: dict[str, Track] = {}
        self._by_mark: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._marked: set[str] = set()
        self._listed = False

    def enlist(self, draft: TrackDraft, where: str) -> None:
        """A track of the conference's own list."""
        self._listed = True
        if self._add(draft, where) is None:
            self._log.note(where, "a track without a name; left out")

    def add(self, draft: TrackDraft, where: str) -> str | None:
        """The key of the track a session names; one not listed is added. None where the draft names nothing."""
        if draft.slug == NO_TRACK and not draft.name:
            return None
        before = len(self._tracks)
        key = self._add(draft, where)
        if key is not None and self._listed and len(self._tracks) > before:
            self._log.note(where, f"track {shown(key)} is not in the list of tracks; added")
        return key

    def all(self) -> tuple[Track, ...]:
        return tuple(self._tracks.values())

    def _add(self, draft: TrackDraft, where: str) -> str | None:
        name = localized(draft.name, self._tag, where=where, field="track", log=self._log)
        spoken, marks = _spoken(name), [mark for mark in (draft.guid, draft.slug.casefold()) if mark]
        if not marks and not spoken:
            return None
        key = next((self._by_mark[mark] for mark in marks if mark in self._by_mark), None)
        namesake = self._by_name.get(spoken)
        if key is None and namesake is not None and not (marks and namesake in self._marked):
            key = namesake
        if key is None and not spoken and draft.slug.casefold() in self._by_name:
            key = self._by_name[draft.slug.casefold()]
        if key is None:
            key = self._create(draft, name, where)
        self._by_mark.update((mark, key) for mark in marks if mark not in self._by_mark)
        if marks:
            self._marked.add(key)
        return key

    def _create(self, draft: TrackDraft, name: Texts, where: str) -> str:
        key = self._keys.free(key_of_slug(draft.slug) or next(iter(name.values()), draft.guid))
        shade = color(draft.color)
        if shade is None and text(draft.color):
            self._log.note(where, "the colour of a track is not written `#rrggbb`; left out")
        self._tracks[key] = Track(
            key=key,
            name=name or {UNDETERMINED: key},
            description=localized(draft.description, self._tag, where=where, field="description", log=self._log),
            color=shade,
            extra=draft.extra,
        )
        self._by_name.setdefault(_spoken(name) or key.casefold(), key)
        return key


class Kinds:
    """The kinds of session of one file, each known by its name, capitals apart."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def add(self, name: Texts) -> str | None:
        """The key of the kind meant; None where the file names none."""
        key = _spoken(name)
        if not key:
            return None
        self._kinds.setdefault(key, Kind(key=key, name=name))
        return key

    def all(self) -> tuple[Kind, ...]:
        return tuple(self._kinds.values())
