"""What becomes of a programme when a newer file of it comes. Pure.

It is compared with the file before it: only what it changed is changed, so whatever an organizer has changed meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.interchange.programme import SPEAKER, Programme, Repair
from server.schedule.policy import (
    TIMES,
    crowded,
    difference,
    ends_too_early,
    status_after,
    with_roles_of_speakers,
)
from server.schedule.rows import (
    ROWS,
    Edit,
    Link,
    Row,
    SessionRow,
    SourceRow,
    State,
    Subject,
    id_of,
)
from server.texts import Texts, pick

_ROW_FIELD = {"room": "room_id", "track": "track_id", "kind": "kind_id", "speakers": "speaker_ids"}
"""Where a session's row calls something otherwise than a file does."""

TEXTS = {"name", "description", "title", "subtitle", "abstract", "organisation", "tagline", "bio"}
"""Fields in several languages."""
_FOLLOWS_FROM_TIMES = {"scheduled", "moved", "delayed"}
"""What a session's status becomes by itself."""

_REFERS_TO: dict[str, Subject] = {"room": "room", "track": "track", "kind": "kind"}


class Merged(Struct, frozen=True):
    """What a file changes."""

    edits: list[Edit]
    sources: list[SourceRow]
    """What it says, for the next one to be compared with."""
    repairs: list[Repair]
    overruled: list[Repair]
    """What an organizer had changed and the file changes too: the file's word was taken."""


_AT = datetime(2000, 1, 1, tzinfo=UTC)
BLANK: dict[Subject, dict[str, Any]] = {
    "room": {"key": "", "name": {}},
    "track": {"key": "", "name": {}},
    "kind": {"key": "", "name": {}},
    "speaker": {"key": "", "name": {}},
    "session": {"key": "", "title": {}, "starts_at": _AT, "ends_at": _AT},
}
"""What a thing says of itself of which nothing is said."""
NAMED = ("room", "track", "kind")
NEVER_UNSAID = {"key", "name", "title", "starts_at", "ends_at", "status", "number"}
"""What every format knows."""


class _Merge:
    """One file on its way into a programme."""

    def __init__(
        self,
        state: State,
        sources: Iterable[SourceRow],
        held: set[UUID],
        new_id: Callable[[], UUID],
        default_language: str,
    ) -> None:
        self._state = state
        self._held = held
        self._new_id = new_id
        self._last = {(one.subject, one.key): one for one in sources}
        self._ids: dict[tuple[Subject, str], UUID] = {}
        self._after = {subject: dict(state.of(subject)) for subject in ROWS}
        self._missing: list[tuple[Subject, UUID]] = []
        self._own: dict[tuple[Subject, str], str] = {
            (subject, str(one)): getattr(row, "key")  # noqa: B009 - a union of rows
            for subject in ROWS
            if subject != "day"
            for one, row in state.of(subject).items()
        }
        """Where a file is one of ours, it calls things by our ids: the key under which their source has them."""
        self._default = default_language
        self._spoken: set[str] = set()
        """Languages in which the file says anything: of the others it does not say that there is nothing."""
        self.sources: list[SourceRow] = []
        self.repairs: list[Repair] = []
        self.overruled: list[Repair] = []

    def take(self, programme: Programme) -> None:
        self._spoken = _languages_of(programme)
        self._take("day", {one.date: one for one in programme.days})
        self._take("room", {one.key: one for one in programme.rooms})
        self._take("track", {one.key: one for one in programme.tracks})
        self._take("kind", {one.key: one for one in programme.kinds})
        self._take("speaker", {one.key: one for one in sorted(programme.speakers, key=lambda one: one.key)})
        self._take("session", {one.key: one for one in programme.sessions})
        self._settle_numbers()
        self._share_rooms(
            {self._ids["session", one.key] for one in programme.sessions if ("session", one.key) in self._ids}
        )
        self._take_away()

    def edits(self) -> list[Edit]:
        found = []
        for subject in ROWS:
            before, after = self._state.of(subject), self._after[subject]
            for thing_id in dict.fromkeys([*before, *after]):
                edit = difference(subject, thing_id, before.get(thing_id), after.get(thing_id))
                if edit is not None:
                    found.append(edit)
        return found

    def _take(self, subject: Subject, items: Mapping[str, Struct]) -> None:
        known = self._known(subject)
        ordered = "position" in ROWS[subject].__struct_fields__
        items = self._under_known_keys(subject, items, known)
        unsaid = self._unsaid(subject, items)
        for position, (key, item) in enumerate(items.items()):
            said = self._in_own_keys(subject, key, _said(item))
            if ordered:
                said["position"] = position
            last = self._last.get((subject, key))
            if last is not None:
                said |= {name: last.state[name] for name in unsaid if name in last.state}
            self.sources.append(SourceRow(subject, key, said, missing=False))
            row = known.get(key)
            wanted = self._fields(subject, said)
            if row is None and last is not None and not last.missing:
                continue  # an organizer has taken it away, and the file never knew otherwise
            after = self._new(subject, key, wanted) if row is None else self._changed(subject, row, wanted, said, last)
            self._after[subject][id_of(after)] = after
            self._ids[subject, key] = id_of(after)
        for (of, key), last in self._last.items():
            if of == subject and key not in items:
                self._miss(last, known.get(key))
        if ordered:
            self._put_in_order(subject, {key: self._ids[subject, key] for key in items if (subject, key) in self._ids})

    def _put_in_order(self, subject: Subject, ids: Mapping[str, UUID]) -> None:
        """As the file has them, unless that is no other order than before: then what was put or added here stays where it is.

        Kinds keep theirs: in most formats they only come where sessions name them.
        """
        rows: dict[UUID, Any] = self._after[subject]
        before = self._state.of(subject)
        there = [key for key, one in ids.items() if one in before]
        new = [key for key, one in ids.items() if one not in before]
        if [*ids] == [*self._order_before(subject, there, ids), *new]:
            last = max((row.position for one, row in rows.items() if one in before), default=-1)
            places = {ids[key]: last + 1 + number for number, key in enumerate(new)}
        else:
            places = {one: number for number, one in enumerate(ids.values()) if subject != "kind" or one not in before}
        for one, position in places.items():
            rows[one] = replace(rows[one], position=position)

    def _order_before(self, subject: Subject, keys: list[str], ids: Mapping[str, UUID]) -> list[str]:
        """These in the order of the last file, if it had them all, else in that in which they are shown."""
        lasts = {key: last for key in keys if (last := self._last.get((subject, key))) and not last.missing}
        if len(lasts) == len(keys):
            return sorted(keys, key=lambda key: lasts[key].state["position"])
        rows: dict[UUID, Any] = self._after[subject]
        return sorted(keys, key=lambda key: (rows[ids[key]].position, ids[key]))

    def _miss(self, last: SourceRow, row: Row | None) -> None:
        """What the file no longer has."""
        if row is not None:
            self._missing.append((last.subject, id_of(row)))
            self._ids[last.subject, last.key] = id_of(row)  # the file before this one may have named it
        if not last.missing:
            self.sources.append(replace(last, missing=True))
            if isinstance(row, SessionRow):  # gone from the file, but phones shall see that it is
                self._after["session"][row.session_id] = replace(row, status="cancelled")

    def _under_known_keys(
        self, subject: Subject, items: Mapping[str, Struct], known: Mapping[str, Row]
    ) -> dict[str, Struct]:
        """A file of ours calls things by our ids; one of a poorer format knows kinds, tracks and rooms by their names alone."""
        found: dict[str, Struct] = {}
        by_name = {
            name.casefold(): key
            for key, row in known.items()
            if subject in NAMED and key not in items
            for name in getattr(row, "name").values()  # noqa: B009 - a union of rows
        }
        for key, item in items.items():
            own = self._own.get((subject, key), key)
            if own not in known and subject in NAMED:
                names = (name.casefold() for name in getattr(item, "name").values())  # noqa: B009 - any of the three
                own = next((by_name[name] for name in names if name in by_name), own)
            if own in found or (own != key and own in items):
                own = key
            self._own[subject, key] = own
            found[own] = item
        return found

    def _in_own_keys(self, subject: Subject, key: str, said: dict[str, Any]) -> dict[str, Any]:
        """What a file says, with the keys that the file before it used."""
        if subject == "day":
            return said
        said["key"] = key
        if subject == "session":
            for name, of in _REFERS_TO.items():
                said[name] = said[name] and self._own.get((of, said[name]), said[name])
            said["speakers"] = [self._own.get(("speaker", one), one) for one in said["speakers"]]
            said["roles"] = {self._own.get(("speaker", one), one): role for one, role in said["roles"].items()}
        return said

    def _unsaid(self, subject: Subject, items: Mapping[str, Struct]) -> set[str]:
        """Fields that several things had in the file before and none has in this one: its format does not know them."""
        if subject == "day" or not items:
            return set()
        blank = _said(next(iter(items.values())).__class__(**BLANK[subject]))
        before = [one.state for (of, _), one in self._last.items() if of == subject and not one.missing]
        found = set()
        for name in blank.keys() - NEVER_UNSAID:
            had = sum(one.get(name, blank[name]) != blank[name] for one in before)
            if had > 1 and all(_said(item)[name] == blank[name] for item in items.values()):
                found.add(name)
                self.repairs.append(
                    Repair(
                        where=f"each {subject}",
                        what=f"no `{name}` in the whole file; the {had} that are known are kept",
                    )
                )
        return found

    def _known(self, subject: Subject) -> dict[str, Row]:
        """What there is already, by its key."""
        rows = self._state.of(subject).values()
        if subject == "day":
            return {str(getattr(row, "date")): row for row in rows}  # noqa: B009 - a union of rows
        return {getattr(row, "key"): row for row in rows}  # noqa: B009 - the same

    def _fields(self, subject: Subject, said: Mapping[str, Any]) -> dict[str, Any]:
        """What a file says as a row would hold it."""
        if subject == "day":
            typed = {"date": date.fromisoformat(said["date"]), "name": said["name"]}
            return typed | {name: _moment(said[name]) for name in TIMES}
        found = dict(said)
        if "links" in found:
            found["links"] = [Link(one["url"], one["title"], one["kind"]) for one in found["links"]]
        if subject == "session":
            found |= {name: _moment(said[name]) for name in TIMES}
            for name, of in _REFERS_TO.items():
                found[_ROW_FIELD[name]] = self._ids.get((of, found.pop(name) or ""))
            found["speaker_ids"] = [
                self._ids["speaker", key] for key in found.pop("speakers") if ("speaker", key) in self._ids
            ]
            roles = {key: role for key, role in said["roles"].items() if role != SPEAKER}
            found["roles"] = {
                str(self._ids["speaker", key]): role for key, role in roles.items() if ("speaker", key) in self._ids
            }
            found["number"] = said["number"] or 0
        return found

    def _settle_numbers(self) -> None:
        """Who asks for a number that is taken stays with the own, or gets a new one (0). Who had it before this file keeps it;
        only sessions that the file no longer has yield theirs to those it has."""
        before, after = self._state.session, self._after["session"]
        missing = {thing_id for subject, thing_id in self._missing if subject == "session"}

        def rank(one: Row) -> int:
            had = before.get(id_of(one))
            return 2 if id_of(one) in missing else int(had is None or had.number != getattr(one, "number"))  # noqa: B009

        taken: set[int] = set()
        for one in sorted(after.values(), key=rank):
            assert isinstance(one, SessionRow)  # noqa: S101 - for the type checker
            had = before.get(one.session_id)
            wanted = [one.number, had.number if had else 0]
            number = next((number for number in wanted if number not in taken), 0)
            taken |= {number} - {0}
            after[one.session_id] = replace(one, number=number)

    def _new(self, subject: Subject, key: str, wanted: Mapping[str, Any]) -> Row:
        fields = {name: wanted[name] for name in ROWS[subject].__struct_fields__ if name in wanted}
        given = {ROWS[subject].__struct_fields__[0]: self._new_id(), **fields}
        if subject != "day":
            given["key"] = key
        return ROWS[subject](**given)

    def _changed(
        self, subject: Subject, row: Row, wanted: Mapping[str, Any], said: Mapping[str, Any], last: SourceRow | None
    ) -> Row:
        """The row with what the file says otherwise than the one before it."""
        fields = {_ROW_FIELD.get(name, name) for name in said if last is None or last.state.get(name) != said[name]}
        if last is not None and last.missing and subject == "session":
            fields.add("status")
        fields -= {"key", "position"}
        if wanted.get("number") == 0:
            fields.discard("number")
        new = {name: wanted[name] for name in fields if name in row.__struct_fields__}
        for name in new.keys() & TEXTS:
            new[name] = self._texts(getattr(row, name), new[name], last.state[name] if last else {})
        if "links" in new:
            new["links"] = self._links(row.links, new["links"], last.state["links"] if last else [])  # type: ignore[union-attr]
        if ends_too_early(
            replace(row, **new)
        ):  # one end is the file's, the other was changed here: they do not go together
            new |= {name: wanted[name] for name in TIMES}
        if last is not None:
            self._note_overruled(subject, row, new, last)
        after = replace(row, **new)
        if isinstance(row, SessionRow) and isinstance(after, SessionRow):
            after = with_roles_of_speakers(after)
            if "status" not in fields:
                after = replace(after, status=status_after(row, after))
        return after

    def _texts(self, now: Texts, said: Texts, before: Texts) -> Texts:
        """A text with what the file says otherwise than the one before it, language by language: a file in one language does not
        take the translations away."""
        changed = {tag for tag in {*said, *before} if said.get(tag) != before.get(tag)}
        gone = {tag for tag in changed if tag not in said and tag in self._spoken}
        if not gone and len(said) == 1 and all(self._is_seen(now, tag, text) for tag, text in said.items()):
            return now
        return {tag: text for tag, text in now.items() if tag not in gone} | {
            tag: text for tag, text in said.items() if tag in changed
        }

    def _links(self, now: list[Link], said: list[Link], before: list[dict[str, Any]]) -> list[Link]:
        """What the file says; a link that is there already keeps its names in languages in which the file says nothing."""
        there = {one.url: one.title for one in now}
        said_before = {one["url"]: one["title"] for one in before}
        return [
            replace(one, title=self._texts(there.get(one.url, {}), one.title, said_before.get(one.url, {})))
            for one in said
        ]

    def _is_seen(self, now: Texts, tag: str, text: str) -> bool:
        """Whether a reader in that language gets this text already: a file in one language had it from here."""
        return tag not in now and pick(now, tag, self._default) == text

    def _note_overruled(self, subject: Subject, row: Row, new: Mapping[str, Any], last: SourceRow) -> None:
        before = self._fields(subject, last.state)
        for name in sorted(new):
            now = getattr(row, name)
            if name == "status" and (last.missing or {now, before[name]} <= _FOLLOWS_FROM_TIMES):
                continue  # nobody said so: an earlier file did not have the session, or moved it
            if name not in ("position", "number") and now not in (before.get(name), new[name]):
                self.overruled.append(
                    Repair(
                        where=_title(row),
                        what=f"`{name}` was changed here, and the file changes it too; the file's was taken",
                    )
                )

    def _share_rooms(self, imported: set[UUID]) -> None:
        """Real programmes have two sessions in a room at a time: both are kept, and one is said to share it."""
        sessions: dict[UUID, Any] = self._after["session"]
        while clashes := crowded(sessions.values()):
            for one, there in clashes:
                marked = there if one.session_id not in imported and there.session_id in imported else one
                if sessions[marked.session_id].shares_room:
                    continue
                sessions[marked.session_id] = replace(sessions[marked.session_id], shares_room=True)
                other = one if marked is there else there
                self.repairs.append(
                    Repair(
                        where=_title(marked),
                        what=f"is in the same room at the same time as “{_title(other)}”; both are kept, and share it",
                    )
                )

    def _take_away(self) -> None:
        """Rooms, tracks, kinds, speakers and days that the file no longer has and that nothing refers to."""
        used = set(self._held)
        for one in self._after["session"].values():
            assert isinstance(one, SessionRow)  # noqa: S101 - for the type checker
            used |= {one.room_id, one.track_id, one.kind_id, *one.speaker_ids} - {None}  # type: ignore[arg-type]
        for subject, thing_id in self._missing:
            if subject != "session" and thing_id not in used:
                self._after[subject].pop(thing_id, None)


def merge(
    state: State,
    sources: Iterable[SourceRow],
    programme: Programme,
    *,
    held: set[UUID],
    new_id: Callable[[], UUID],
    default_language: str,
) -> Merged:
    """What `programme` changes of `state`. `sources` is what the file before it said, `held` what must stay though no session
    names it, `default_language` the event's. A session that the file no longer has is cancelled; what else it no longer has
    goes, unless something refers to it.
    """
    merging = _Merge(state, sources, held, new_id, default_language)
    merging.take(programme)
    return Merged(merging.edits(), merging.sources, merging.repairs, merging.overruled)


def _said(item: Struct) -> dict[str, Any]:
    """What a file says of a thing, as it is stored and compared with the next one: a moment is the same however its zone is
    written, and a tuple a list."""
    said: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(item))
    return said | {name: msgspec.to_builtins(_moment(said[name])) for name in TIMES if name in said}


def _languages_of(programme: Programme) -> set[str]:
    things = (programme.rooms, programme.tracks, programme.kinds, programme.speakers, programme.sessions)
    return {
        tag
        for noun in things
        for thing in noun
        for name in TEXTS & set(thing.__struct_fields__)
        for tag in getattr(thing, name)
    }


def _moment(written: str | None) -> Any:
    return None if written is None else msgspec.convert(written, type=datetime).astimezone(UTC)


def _title(row: Row) -> str:
    texts: Texts = row.title if isinstance(row, SessionRow) else row.name
    return next(iter(texts.values()), str(id_of(row)))
