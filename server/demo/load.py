"""The sample event into the database, whole or not at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO
from uuid import UUID

import msgspec
from msgspec import Struct

from server.attendee.codes import new_short_code
from server.attendee.signed_codes import new_seed, public_key_of, sign
from server.auth import hash_token, new_token
from server.badge import queries as badge_queries
from server.checkin_list import queries as list_queries
from server.checkin_list.types import CreateList
from server.db import Database, Tx
from server.demo.credentials import BoothCredential, DemoFile, DeviceCredential, Options
from server.demo.exhibitors import Exhibitor, load_exhibitors
from server.demo.people import TICKETS, Person, generate_people
from server.demo.programme import load_event, load_programme
from server.device.types import Profile
from server.event import queries as event_queries
from server.event.types import EventRow
from server.feed import open_channels, topics
from server.feed.types import LEADS
from server.folding import words_of
from server.ids import new_id
from server.interchange.programme import Programme
from server.schedule.storing import store_programme
from server.search.storing import renew
from server.search.types import Touched

SLUG = "digital-now"
GATES = ("Porte Océan", "Porte Jardin", "Porte Tramway", "Porte Exposants")
DEVICES = 20
PROFILES: dict[int, Profile] = {1: "supervisor", 19: "kiosk", 20: "scan"}
"""Of devices by their number; all others are `scan+search`."""
CSV_HEADER = ("id", "name", "email", "company", "language", "ticket", "badge_code", "short_code", "token")
CHUNK = 5000
FIRST_KEY = 0
_TICKET_POSITIONS = {ticket.key: position for position, ticket in enumerate(TICKETS)}

LISTS = (
    CreateList(key="main", name={"fr": "Entrée principale", "ar": "المدخل الرئيسي", "en": "Main door"}),
    CreateList(
        key="lounge",
        name={"fr": "Salon VIP", "ar": "قاعة كبار الضيوف", "en": "VIP lounge"},
        tickets=["vip", "speaker", "press"],
    ),
    CreateList(
        key="lunch",
        name={"fr": "Déjeuner", "ar": "الغداء", "en": "Lunch"},
        kind="meal",
        reentry="never",
        tickets=["vip", "speaker", "press", "exhibitor", "staff"],
    ),
)
"""Each room of the programme gets a list too, `room-1` and so on."""

Progress = Callable[[int, int], None]
"""Called with how many attendees are in, of how many."""


async def load_demo(
    db: Database, options: Options, programme: Programme | None, folder: Callable[[UUID], Path], progress: Progress
) -> DemoFile:
    """Loads the event in one transaction and writes its tokens into `folder(event id)` before the commit.

    `programme` replaces the sample one. Raises `asyncpg.UniqueViolationError` where the event is there already.
    """
    event = _event(options.starts_on, programme)
    place = folder(event.event_id)
    place.mkdir(parents=True, mode=0o700)
    async with db.tx() as tx:
        await event_queries.insert_event(tx, event)
        await open_channels(tx, event.event_id, topics.EVENT_CHANNELS)
        await store_programme(tx, event.event_id, programme or load_programme(options.starts_on))
        organizer_token = await _load_organizer(tx, event.event_id)
        await _load_tickets(tx, event.event_id)
        await _load_lists(tx, event.event_id)
        exhibitors = load_exhibitors(options.exhibitors, options.seed)
        booths = await _load_exhibitors(tx, event.event_id, exhibitors)
        devices = await _load_devices(tx, event.event_id)
        seed = await _load_badge_key(tx, event.event_id)
        people = generate_people(options.attendees, options.seed, [exhibitor.name for exhibitor in exhibitors])
        lines = _attendee_lines(event.event_id, seed, people)
        await _load_attendees(tx, event.event_id, lines, options.attendees, place / "attendees.csv", progress)
        demo = DemoFile(event=SLUG, organizer_token=organizer_token, devices=devices, exhibitors=booths)
        _write_secret(place / "demo.json", msgspec.json.format(msgspec.json.encode(demo)))
        _write_secret(place / "options.json", msgspec.json.encode(options))
    return demo


async def delete_demo(db: Database, event_id: UUID) -> None:
    """Deletes the event and everything in it, check-ins included."""
    async with db.tx() as tx:
        await event_queries.delete_event(tx, event_id)


def _event(starts_on: date, programme: Programme | None) -> EventRow:
    content = load_event()
    days = content.days
    if programme is not None:
        days = max((session.starts_at.date() - starts_on).days for session in programme.sessions) + 1
    return EventRow(
        new_id(),
        SLUG,
        content.name,
        content.theme,
        content.organiser,
        msgspec.to_builtins(content.venue),
        content.timezone,
        _languages(list(content.languages), programme),
        content.default_language,
        starts_on,
        starts_on + timedelta(days=days - 1),
        time.fromisoformat(programme.day_begins) if programme else time(),
    )


def _languages(own: list[str], programme: Programme | None) -> list[str]:
    """The event's languages, and those a foreign programme is written in: its readers can ask for them."""
    used = {tag for session in (programme.sessions if programme else ()) for tag in session.title if tag != "und"}
    return own + sorted(used.difference(own))


async def _load_organizer(tx: Tx, event_id: UUID) -> str:
    token = new_token("organizer")
    await event_queries.insert_organizer(
        tx, event_id, organizer_id=new_id(), name="Club des Dirigeants", token_hash=hash_token(token)
    )
    return token


async def _load_tickets(tx: Tx, event_id: UUID) -> None:
    await tx.copy_records_to_table(
        "ticket_type",
        columns=["event_id", "ticket", "name", "position"],
        records=[(event_id, ticket.key, ticket.name, position) for position, ticket in enumerate(TICKETS)],
    )
    await open_channels(tx, event_id, [topics.announcements_to(topics.TICKET + ticket.key) for ticket in TICKETS])


async def _load_lists(tx: Tx, event_id: UUID) -> None:
    rooms = [
        CreateList(key=f"room-{number}", name=room.name, kind="room", room_id=room.room_id)
        for number, room in enumerate(await list_queries.list_rooms(tx, event_id), start=1)
    ]
    for new in (*LISTS, *rooms):
        list_id = new_id()
        await list_queries.insert_list(tx, event_id, list_id, new=new)
        await list_queries.replace_tickets(tx, event_id, list_id, tickets=new.tickets)


async def _load_exhibitors(tx: Tx, event_id: UUID, exhibitors: list[Exhibitor]) -> list[BoothCredential]:
    columns = ["key", "name", "booth", "pavilion", "sector", "city", "description", "website"]
    ids = [new_id() for _ in exhibitors]
    booths = [
        BoothCredential(name=exhibitor.name, booth=exhibitor.booth, token=new_token("exhibitor"))
        for exhibitor in exhibitors
    ]
    await tx.copy_records_to_table(
        "exhibitor",
        columns=["event_id", "exhibitor_id", *columns],
        records=[
            (event_id, exhibitor_id, *(getattr(exhibitor, column) for column in columns))
            for exhibitor_id, exhibitor in zip(ids, exhibitors, strict=True)
        ],
    )
    await renew(tx, event_id, Touched(exhibitors=ids))
    await open_channels(tx, event_id, [topics.own(LEADS, exhibitor_id) for exhibitor_id in ids])
    await tx.copy_records_to_table(
        "exhibitor_staff",
        columns=["event_id", "staff_id", "exhibitor_id", "name", "token_hash"],
        records=[
            (event_id, new_id(), exhibitor_id, booth.name, hash_token(booth.token))
            for exhibitor_id, booth in zip(ids, booths, strict=True)
        ],
    )
    return booths


async def _load_devices(tx: Tx, event_id: UUID) -> list[DeviceCredential]:
    gate_ids = {gate: new_id() for gate in GATES}
    await tx.copy_records_to_table(
        "gate",
        columns=["event_id", "gate_id", "name"],
        records=[(event_id, gate_id, gate) for gate, gate_id in gate_ids.items()],
    )
    devices = [
        DeviceCredential(
            name=f"Scanner {number:02}",
            gate=GATES[(number - 1) % len(GATES)],
            profile=PROFILES.get(number, "scan+search"),
            token=new_token("device"),
        )
        for number in range(1, DEVICES + 1)
    ]
    await tx.copy_records_to_table(
        "device",
        columns=["event_id", "device_id", "gate_id", "name", "profile", "token_hash", "paired_at"],
        records=[
            (
                event_id,
                new_id(),
                gate_ids[device.gate],
                device.name,
                device.profile,
                hash_token(device.token),
                datetime.now(UTC),
            )
            for device in devices
        ],
    )
    return devices


async def _load_badge_key(tx: Tx, event_id: UUID) -> bytes:
    """The event's first key."""
    seed = new_seed()
    await badge_queries.insert_key(tx, event_id, key_id=FIRST_KEY, public_key=public_key_of(seed), private_seed=seed)
    return seed


async def _load_attendees(
    tx: Tx, event_id: UUID, lines: Iterator[_Line], total: int, path: Path, progress: Progress
) -> None:
    """Streams the attendees into the table and the file, a chunk at a time; memory does not grow with their number."""
    with _open_secret(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_HEADER)
        done = 0
        while chunk := [line for line, _ in zip(lines, range(CHUNK), strict=False)]:
            await _copy_attendees(tx, event_id, chunk)
            writer.writerows(line.csv() for line in chunk)
            done += len(chunk)
            progress(done, total)
        file.flush()
        os.fsync(file.fileno())


class _Line(Struct, frozen=True, gc=False):
    id: UUID
    name: str
    name_ar: str
    email: str
    company: str
    language: str
    ticket: str
    badge_code: str
    short_code: str
    token: str
    number: int

    def csv(self) -> tuple[object, ...]:
        return tuple(getattr(self, column) for column in CSV_HEADER)


def _attendee_lines(event_id: UUID, seed: bytes, people: Iterable[Person]) -> Iterator[_Line]:
    used: set[str] = set()
    for number, person in enumerate(people, start=1):
        short_code = new_short_code()
        while short_code in used:  # 34 billion codes: 150,000 attendees meet here once in three events
            short_code = new_short_code()
        used.add(short_code)
        yield _Line(
            new_id(),
            person.name,
            person.name_ar,
            person.email,
            person.company,
            person.language,
            person.ticket,
            sign(seed, event_id, FIRST_KEY, number, _TICKET_POSITIONS[person.ticket]),
            short_code,
            new_token("attendee"),
            number,
        )


async def _copy_attendees(tx: Tx, event_id: UUID, lines: list[_Line]) -> None:
    await tx.copy_records_to_table(
        "attendee",
        columns=["event_id", "attendee_id", "name", "name_ar", "email", "company", "language", "ticket", "token_hash"],
        records=[
            (
                event_id,
                line.id,
                line.name,
                line.name_ar,
                line.email,
                line.company,
                line.language,
                line.ticket,
                hash_token(line.token),
            )
            for line in lines
        ],
    )
    await tx.copy_records_to_table(
        "badge",
        columns=["event_id", "code", "short_code", "attendee_id", "number"],
        records=[(event_id, line.badge_code, line.short_code, line.id, line.number) for line in lines],
    )
    await tx.copy_records_to_table(
        "attendee_word",
        columns=["event_id", "word", "attendee_id"],
        records=[
            (event_id, word, line.id)
            for line in lines
            for word in words_of(f"{line.name} {line.name_ar} {line.company}")
        ],
    )


def _open_secret(path: Path) -> TextIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="")


def _write_secret(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
