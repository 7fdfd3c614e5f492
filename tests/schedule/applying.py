"""The programme that an app holds, kept up to date by the events of channel `schedule` alone. Pure; what any app does.

A document is what `GET …/schedule?lang=*` answers, an event what the feed says. Both are JSON as decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Document = dict[str, Any]
Event = dict[str, Any]


class MissedEvents(Exception):
    """The event does not follow on the document: read the programme again."""


def apply(document: Document, event: Event) -> Document:
    """The programme after the event; the same document for one that it has heard of already. Raises `MissedEvents`."""
    place = document["feed"]
    if event["seq"] <= place["seq"]:
        return document
    if event["seq"] != place["seq"] + 1:
        raise MissedEvents(f"{event['seq']} does not follow {place['seq']}")
    data = event["data"]
    head = {
        "version": data["version"],
        "updated_at": data["updated_at"],
        "feed": {**place, "seq": event["seq"]},
    }
    if event["kind"] == "session.changed":
        return {**document, **head, **_with_session(document, data["session"])}
    if event["kind"] in ("speaker.added", "speaker.changed"):
        return {**document, **head, "speakers": _with(document["speakers"], data["speaker"])}
    raise MissedEvents(f"{event['kind']} is none that this app knows")


def apply_all(document: Document, events: Iterable[Event]) -> Document:
    for event in events:
        document = apply(document, event)
    return document


def _with_session(document: Document, session: Document) -> Document:
    """Sessions and days with this one in its place. The programme has no long descriptions."""
    brief = {name: value for name, value in session.items() if name != "description"}
    order = {room["id"]: number for number, room in enumerate(document["rooms"])}
    sessions = sorted(
        _with(document["sessions"], brief),
        key=lambda one: (_moment(one["starts_at"]), order.get(one["room_id"], len(order)), one["id"]),
    )
    zone = ZoneInfo(document["timezone"])
    days: dict[str, list[str]] = {}
    for one in sessions:
        days.setdefault(_moment(one["starts_at"]).astimezone(zone).date().isoformat(), []).append(one["id"])
    return {
        "sessions": sessions,
        "days": [{"date": day, "session_ids": days[day]} for day in sorted(days)],
    }


def _with(things: list[Document], thing: Document) -> list[Document]:
    """By id, with this one instead of its former self."""
    return sorted([*(one for one in things if one["id"] != thing["id"]), thing], key=lambda one: str(one["id"]))


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
