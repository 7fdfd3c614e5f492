"""Making, changing and removing check-in lists."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec import UNSET

from server.checkin.events import LISTS_CHANGED, ListsChanged
from server.checkin.recount import recount
from server.checkin_list import queries
from server.checkin_list.errors import BY_CONSTRAINT, ListInUse, UnknownList
from server.checkin_list.types import ChangeList, CheckinListDetails, CreateList
from server.db import Database, Tx
from server.feed import CHECKIN, emit
from server.ids import new_id
from server.instants import check_instant


async def create_list(db: Database, event_id: UUID, command: CreateList) -> CheckinListDetails:
    """Makes a list. Raises `ListTaken`, `InvalidRequest`."""
    for name in ("opens_at", "closes_at"):
        check_instant(getattr(command, name), name)
    list_id = new_id()
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.insert_list(tx, event_id, list_id, new=command)
        await queries.replace_tickets(tx, event_id, list_id, tickets=command.tickets)
        return await _tell(tx, event_id, command.key)


async def change_list(db: Database, event_id: UUID, key: str, command: ChangeList) -> CheckinListDetails:
    """Changes a list. Raises `UnknownList`, `InvalidRequest`.

    A capacity below the number of those inside is taken: nobody is sent out, and nobody let in until there is room.
    """
    given = {name: value for name in ChangeList.__struct_fields__ if (value := getattr(command, name)) is not UNSET}
    for name in ("opens_at", "closes_at"):
        check_instant(given.get(name), name)
    tickets = given.pop("tickets", None)
    async with db.tx(BY_CONSTRAINT) as tx:
        before = await _lock(tx, event_id, key)
        after = msgspec.structs.replace(before, **given)
        await queries.update_list(tx, event_id, details=after)
        if after.room_id is None and after.capacity is not None and before.capacity is None:
            await recount(tx, event_id, before.list_id, capacity=after.capacity)
        if tickets is not None:
            await queries.replace_tickets(tx, event_id, before.list_id, tickets=tickets)
        return await _tell(tx, event_id, key)


async def delete_list(db: Database, event_id: UUID, key: str) -> None:
    """Removes a list at which nobody was scanned. Raises `UnknownList`, `ListInUse`."""
    async with db.tx() as tx:
        found = await _lock(tx, event_id, key)
        if await queries.has_scans(tx, event_id, found.list_id):
            raise ListInUse
        await queries.delete_list(tx, event_id, found.list_id)
        await emit(tx, event_id, channel=CHECKIN, kind=LISTS_CHANGED, data=ListsChanged([key]))


async def find_list(tx: Tx, event_id: UUID, key: str) -> CheckinListDetails:
    """The list of this key. Raises `UnknownList`."""
    found = [] if "\x00" in key else await queries.list_details(tx, event_id, key=key)  # no database text holds a NUL
    if not found:
        raise UnknownList
    return found[0]


async def _tell(tx: Tx, event_id: UUID, key: str) -> CheckinListDetails:
    await emit(tx, event_id, channel=CHECKIN, kind=LISTS_CHANGED, data=ListsChanged([key]))
    return await find_list(tx, event_id, key)


async def _lock(tx: Tx, event_id: UUID, key: str) -> CheckinListDetails:
    if "\x00" in key or await queries.lock_list(tx, event_id, key=key) is None:
        raise UnknownList
    return await find_list(tx, event_id, key)
