"""Writing to the feed's logs and states. Everybody's actions call these inside their own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from server.db import Database, Tx, encode_json, telling
from server.feed import queries, topics
from server.feed.types import HINT_CHANNEL, ME, STATE_CHANNELS, Emitted, new_epoch
from server.ids import new_id


async def open_channels(tx: Tx, event_id: UUID, channels: Iterable[str]) -> None:
    """Makes these channels exist, empty, so that their position can be told before anything happens."""
    await queries.open_channels(tx, event_id, channels=list(channels), epoch=new_epoch())


async def emit(tx: Tx, event_id: UUID, *, channel: str, kind: str, data: object) -> Emitted:
    """Appends an event to a channel's log. Others see it, whole, when `tx` commits; until then they wait to append theirs."""
    emitted = await queries.append(
        tx,
        event_id,
        channel=channel,
        new_epoch=new_epoch(),
        event=new_id(),
        kind=kind,
        data=encode_json(data),
        hint=_hint(),
    )
    _tell()
    return emitted


async def emit_to_each(tx: Tx, event_id: UUID, subjects: Iterable[UUID], *, kind: str, data: object) -> None:
    """Appends an event to the own log, channel `me`, of each of these people; nobody is told twice, and no people are no error.

    Whoever emits to several channels in one transaction comes to this one last: so nobody waits in a circle.
    """
    channels = [topics.own(ME, subject) for subject in sorted(set(subjects))]
    if channels:
        await queries.append_personal(
            tx,
            event_id,
            channels=channels,
            events=[new_id() for _ in channels],
            kind=kind,
            data=encode_json(data),
            hint=_hint(),
        )
        _tell()


async def set_states(tx: Tx, event_id: UUID, channel: str, states: Mapping[str, object]) -> int:
    """Sets the values of keys of a state channel, all in one statement; returns how many of them changed.

    None takes a key away: its readers get `null` for it once, later ones never hear of it. A value that is the same to the
    letter as the present one is no change; where none of them changes nothing is written, locked or told.

    Changes of one channel wait for each other until the commit, so keep `tx` short, never make it that of a check-in, and
    touch several channels in a fixed order. Which change is the later one is decided here: whoever derives a value from
    other rows while others do the same must take a lock of its own before reading them, or an older value may come last.

    Raises `ValueError` for a channel that is a log: counting on without an event would tear it.
    """
    if channel not in STATE_CHANNELS:
        raise ValueError(f"{channel} is no state channel")
    changed = await queries.write_states(
        tx,
        event_id,
        channel=channel,
        new_epoch=new_epoch(),
        keys=list(states),
        data=[None if value is None else encode_json(value) for value in states.values()],
        hint=_hint(),
    )
    if changed:
        _tell()
    return changed


async def renew_epochs(db: Database) -> int:
    """Gives every log another epoch, because somebody knows that the database was put back to an earlier moment; returns how many
    logs there are. (`Watch` notices a dump that was restored, and another timeline, by itself.)"""
    async with db.tx() as tx:
        return await queries.renew_epochs(tx, epoch=new_epoch())


def _hint() -> str | None:
    """By which notification the processes hear of it; None: they are told otherwise after the commit."""
    return HINT_CHANNEL if telling() is None else None


def _tell() -> None:
    mine = telling()
    if mine is not None:
        mine.wanted = True
