"""The keys of a JSON programme's sessions: one each, and the same one in every later file of the event."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid5

from server.interchange.reading.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from server.interchange.json_lists.draft import SessionDraft
    from server.interchange.reading.repairs import RepairLog
    from server.interchange.reading.spans import Span

_NAMESPACE = UUID("0b1f6d2e-8c55-5d0f-b3a4-7f3d1c9a2e61")
"""Ours, drawn once. A different one would give every session without an id a new identity."""


class Placed(NamedTuple):
    """A session with what identifies it: the file's own id, else title, day and room."""

    draft: SessionDraft
    span: Span
    title: str
    room: str

    def rank(self) -> tuple[object, ...]:
        return self.span.starts_at, self.room, self.title, self.span.ends_at


def once_each(sessions: Sequence[Placed], log: RepairLog) -> list[Placed]:
    """Without those that are in the file again: same id, title, time and room. Views by room list a plenary in each."""
    found: dict[object, Placed] = {}
    for session in sessions:
        identity = (session.draft.id, *session.rank())
        if identity in found and session.draft.id:
            log.note(session.draft.where, "listed more than once; taken once")
            continue
        found[identity if session.draft.id else id(session.draft)] = session
    return list(found.values())


def keys_of(sessions: Sequence[Placed], zone: ZoneInfo, *, repeats: bool, log: RepairLog) -> list[str]:
    """In the order given. The id; where sessions have none, a uuid5 of the title.

    Of several with one id or title the earliest has that key. With `repeats` the others have the id with `-2`, `-3`… in
    the order of time: it is one talk given again. Else a uuid5 of title, day and room tells them apart.
    """
    same: defaultdict[str, list[int]] = defaultdict(list)
    for index, session in enumerate(sessions):
        same[session.draft.id or str(uuid5(_NAMESPACE, session.title.casefold()))].append(index)
    keys = [""] * len(sessions)
    own = Keys(same)
    for plain, group in same.items():
        first, *others = sorted(group, key=lambda index: sessions[index].rank())
        keys[first] = plain
        for number, index in enumerate(others, start=2):
            again = (
                f"{plain}-{number}"
                if repeats and sessions[index].draft.id
                else _told_apart(plain, sessions[index], zone)
            )
            keys[index] = own.free(again)
            if sessions[index].draft.id and not repeats:
                log.note(sessions[index].draft.where, "the same id as another session; kept under a key of its own")
    for session in sessions:
        if not session.draft.id:
            log.note(session.draft.where, "no id; its key is made of its title: with another title, it is new")
    return keys


def _told_apart(plain: str, session: Placed, zone: ZoneInfo) -> str:
    day = session.span.starts_at.astimezone(zone).date()
    return str(uuid5(_NAMESPACE, f"{plain}\n{session.title.casefold()}\n{day}\n{session.room}"))
