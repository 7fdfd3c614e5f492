"""The keys of the sessions: one each, and the same one in every file of the event, whatever order the file has."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid5

from server.interchange.reading.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.interchange.reading.repairs import RepairLog
    from server.interchange.reading.spans import Span

_NAMESPACE = UUID("6f1d8a52-6a0e-5b7c-9a51-2f0f6a3c9d17")
"""Ours, drawn once. A different one would give every session without a guid a new identity."""

LARGEST_NUMBER = 2**31 - 1

_NUMBER = re.compile(r"[0-9]{1,10}")


class Identity(NamedTuple):
    """What identifies a session: the file's own names, else title, time and room."""

    where: str
    """Its place in the file, for the notes."""
    guid: str
    id: str
    span: Span
    title: str
    room: str

    def description(self) -> str:
        return f"{self.title}\n{self.span.starts_at.isoformat()}\n{self.room}"


def keys_of(sessions: Sequence[Identity], log: RepairLog) -> list[str]:
    """In the order given. The guid; without one `id:` and the id; without either a uuid5 of title, start and room.

    Of several sessions with one guid (or one id, without guids) the one with the lowest id, then the earliest, has the
    plain key; the others' keys are derived from the guid and their own id or description.
    """
    _note_double_ids(sessions, log)
    same: defaultdict[str, list[int]] = defaultdict(list)
    for index, session in enumerate(sessions):
        same[_plain_key(session, log)].append(index)
    keys = [""] * len(sessions)
    own = Keys(same)
    for plain, group in same.items():
        first, *others = sorted(group, key=lambda index: _rank(sessions[index]))
        keys[first] = plain
        for index in others:
            keys[index] = own.free(_derived_key(plain, sessions[index], sessions[first]))
            other = sessions[first].where
            log.note(sessions[index].where, f"the same guid or id as {other}; kept under a key of its own")
    return keys


def _plain_key(session: Identity, log: RepairLog) -> str:
    if session.guid:
        return session.guid
    if session.id:
        log.note(session.where, "no guid; its id is its key")
        return f"id:{session.id}"
    log.note(session.where, "neither guid nor id; its key is made of title, start and room: moved, it is new")
    return str(uuid5(_NAMESPACE, session.description()))


def _derived_key(plain: str, session: Identity, first: Identity) -> str:
    own = session.id if session.id != first.id else ""
    return str(uuid5(_NAMESPACE, f"{plain}\n{own or session.description()}"))


def _rank(session: Identity) -> tuple[int, str, str]:
    """Ids by number: `9` before `10`."""
    return len(session.id), session.id, session.description()


def numbers_of(sessions: Sequence[Identity], log: RepairLog) -> list[int | None]:
    """In the order given: the ids that are whole numbers and no other session's, for apps know a session by it."""
    numbers = [number_of(session.id) for session in sessions]
    often = Counter(numbers)
    for session, number in zip(sessions, numbers, strict=True):
        if number is None and session.id:
            log.note(session.where, f"its id is no whole number from 1 to {LARGEST_NUMBER}; kept as it is")
    return [number if often[number] == 1 else None for number in numbers]


def number_of(written: str) -> int | None:
    number = int(written) if _NUMBER.fullmatch(written) else 0
    return number if 0 < number <= LARGEST_NUMBER else None


def _note_double_ids(sessions: Sequence[Identity], log: RepairLog) -> None:
    guids: dict[str, str] = {}
    for session in sessions:
        number, guid = session.id, session.guid
        if number and guid and guids.setdefault(number, guid) != guid:
            log.note(session.where, "its id is that of another session too; told apart by guid, without a number")
