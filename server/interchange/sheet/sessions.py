"""The sessions of a workbook: what each row says, checked, with the key of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from server.interchange.errors import UnreadableSchedule
from server.interchange.programme import SPEAKER, Kind, Room, Session, Speaker, Status, Texts, Track
from server.interchange.reading.repairs import RepairLog
from server.interchange.reading.session_keys import LARGEST_NUMBER, Identity, keys_of, number_of
from server.interchange.reading.texts import UNDETERMINED, shown
from server.interchange.sheet.cell_lists import Mention, read_keys, read_languages, read_mentions
from server.interchange.sheet.checked import extra_of, links_of, url_of
from server.interchange.sheet.things import Things, main_text
from server.interchange.sheet.words import NO, STATES, YES, spoken

if TYPE_CHECKING:
    from server.interchange.reading.spans import Span
    from server.interchange.sheet.columns import Record
    from server.interchange.sheet.rows import Calendar


class Desk(NamedTuple):
    """What the sessions of one workbook share while they are mended."""

    log: RepairLog
    calendar: Calendar
    rooms: Things[Room]
    tracks: Things[Track]
    kinds: Things[Kind]
    speakers: Things[Speaker]


class _Row(NamedTuple):
    record: Record
    span: Span
    status: Status
    number: int | None


def sessions_of(records: list[Record], desk: Desk) -> tuple[Session, ...]:
    """Raises `UnreadableSchedule` where no row is left."""
    rows = _rows(records, desk)
    if not rows:
        raise UnreadableSchedule(_emptiness(records))
    identities = [_identity(row) for row in rows]
    keys = keys_of(identities, RepairLog())
    for key, row, each in zip(keys, rows, identities, strict=True):
        _note_key(key, row.record, each, desk.log)
        _learn(row.record, desk)
    return tuple(_session(key, row, desk) for key, row in zip(keys, rows, strict=True))


def _emptiness(records: list[Record]) -> str:
    if not records:
        return "sessions, row 1: no session below the heads of the columns; write one in each row"
    return (
        f"{records[0].where}: no session from here on, {len(records)} rows in all, has a usable date and start and a public "
        "status; complete them"
    )


def _rows(records: list[Record], desk: Desk) -> list[_Row]:
    rows = []
    numbers: set[int] = set()
    for record in records:
        if desk.calendar.heading(record):
            continue
        state = record.text("status")
        status = STATES.get(spoken(state), "scheduled") if state else "scheduled"
        if status is None:
            desk.log.note(record.where, f"its status is {shown(state)}; left out")
            continue
        if state and spoken(state) not in STATES:
            desk.log.note(record.where, f"status {shown(state)} is not known; taken as scheduled")
        span = desk.calendar.span(record)
        if span is None:
            desk.log.note(record.where, "no usable date and start; left out")
            continue
        rows.append(_Row(record, span, status, _number(record, numbers, desk.log)))
    return rows


def _number(record: Record, taken: set[int], log: RepairLog) -> int | None:
    """What is no number, or the number of an earlier row too, is reported."""
    written = record.text("number")
    number = number_of(written)
    if not written:
        return None
    if number is None:
        log.note(record.where, f"`number`, {shown(written)}, is no number from 1 to {LARGEST_NUMBER}; left out")
    elif number in taken:
        log.note(record.where, f"number {number} is that of an earlier row too; left out")
    else:
        taken.add(number)
        return number
    return None


def _identity(row: _Row) -> Identity:
    record = row.record
    number = "" if row.number is None else str(row.number)
    room = record.text("room_id") or main_text(record.texts("room"))
    return Identity(record.where, record.text("id"), number, row.span, main_text(record.texts("title")), room)


def _note_key(key: str, record: Record, identity: Identity, log: RepairLog) -> None:
    if not identity.guid and not identity.id:
        log.note(record.where, "neither id nor number; its key is made of title, start and room: moved, it is new")
    elif key not in {identity.guid, f"id:{identity.id}"}:
        log.note(record.where, "the same id as another row; kept under a key of its own")


def _learn(record: Record, desk: Desk) -> None:
    for field, things in (("room", desk.rooms), ("track", desk.tracks), ("kind", desk.kinds)):
        things.learn(record.text(f"{field}_id"), record.texts(field))
    for key, name, _ in _people(record, RepairLog()):
        desk.speakers.learn(key, name)


def _session(key: str, row: _Row, desk: Desk) -> Session:
    record, log = row.record, desk.log
    people = _speakers(record, desk)
    return Session(
        key=key,
        number=row.number,
        title=record.texts("title") or {UNDETERMINED: _stand_in(record, log)},
        subtitle=record.texts("subtitle"),
        abstract=record.texts("abstract"),
        description=record.texts("description"),
        starts_at=row.span.starts_at,
        ends_at=row.span.ends_at,
        room=desk.rooms.mention(record.texts("room"), record.where, key=record.text("room_id")),
        track=desk.tracks.mention(record.texts("track"), record.where, key=record.text("track_id")),
        kind=desk.kinds.mention(record.texts("kind"), record.where, key=record.text("kind_id")),
        speakers=tuple(people),
        roles={speaker: role for speaker, role in people.items() if role != SPEAKER},
        languages=_languages(record, log),
        service=_flag(record, "service", log),
        url=url_of(record, "url", log),
        logo_url=url_of(record, "logo_url", log),
        links=links_of(record, log),
        license=record.text("license"),
        do_not_record=_flag(record, "do_not_record", log),
        status=row.status,
        extra=extra_of(record, log),
    )


def _stand_in(record: Record, log: RepairLog) -> str:
    log.note(record.where, "no title; its place in the file stands for it")
    return record.where


def _people(record: Record, log: RepairLog) -> list[tuple[str, Texts, Mention]]:
    """Key, name and mention of each speaker of a row; columns in several languages name the same ones in the same order."""
    keys = read_keys(record.text("speaker_ids"))
    columns = {tag: read_mentions(cell) for tag, cell in record.texts("speakers").items()}
    if len(columns) > 1 and len({len(mentions) for mentions in columns.values()}) > 1:
        log.note(record.where, "its speakers are not as many in one language as in another; the first column was taken")
        columns = dict(list(columns.items())[:1])
    count = max((len(mentions) for mentions in columns.values()), default=len(keys))
    if keys and len(keys) != count:
        log.note(record.where, "its `speaker_ids` are not as many as its speakers; left out")
        keys = []
    found = []
    for at in range(count):
        mentions = {tag: column[at] for tag, column in columns.items()}
        name = {tag: mention.name for tag, mention in mentions.items() if mention.name}
        first = next((mention for mention in mentions.values() if mention.name), Mention(""))
        found.append((keys[at] if keys else "", name, first))
    return found


def _speakers(record: Record, desk: Desk) -> dict[str, str]:
    """The roles of a row's speakers by key, in the order they are named."""
    roles: dict[str, str] = {}
    for key, name, mention in _people(record, desk.log):
        known = len(desk.speakers.all())
        speaker = desk.speakers.mention(name, record.where, key=key)
        if speaker is None:
            continue
        if mention.organisation:
            _note_organisation(speaker, mention.organisation, record, desk, new=len(desk.speakers.all()) > known)
        roles.setdefault(speaker, mention.role)
    return roles


def _note_organisation(key: str, organisation: str, record: Record, desk: Desk, *, new: bool) -> None:
    if new:
        speaker = desk.speakers.get(key)
        desk.speakers.replace(msgspec.structs.replace(speaker, organisation={UNDETERMINED: organisation}))
        desk.log.note(record.where, f"{shown(organisation)} behind a speaker's name was taken as the organisation")
    elif organisation not in desk.speakers.get(key).organisation.values():
        desk.log.note(record.where, f"{shown(organisation)} behind a speaker's name is no role; left out")


def _languages(record: Record, log: RepairLog) -> tuple[str, ...]:
    tags, others = read_languages(record.text("languages"))
    for other in others:
        log.note(record.where, f"language {shown(other)} is no language tag; left out")
    return tags


def _flag(record: Record, field: str, log: RepairLog) -> bool:
    written = record.text(field)
    word = spoken(written) or written
    if written and word not in YES and word not in NO:
        log.note(record.where, f"`{field}`, {shown(written)}, is neither yes nor no; taken as no")
    return word in YES
