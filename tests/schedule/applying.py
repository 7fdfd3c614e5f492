"""The programme that an app holds, kept up to date by the events of channel `schedule` alone. Pure; what any app does.

A document is what `GET …/schedule?lang=*` answers, an event what the feed says. Both are JSON as decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
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
    subject, _, what = event["kind"].partition(".")
    head = {
        "version": data["version"],
        "updated_at": data["updated_at"],
        "feed": {**place, "seq": event["seq"]},
    }
    if event["kind"] == "schedule.released":
        return {**document, **head}
    if f"{subject}s" not in document or what not in ("added", "changed", "removed"):
        raise MissedEvents(f"{event['kind']} is none that this app knows")
    after = {**document, **head}
    if subject == "day":
        heads = [one for one in after["days"] if one["id"] not in (None, data["id"])]
        after["days"] = heads if data["day"] is None else [*heads, data["day"]]
    else:
        others = [
            one for one in after[f"{subject}s"] if one["id"] != (data["id"] if "id" in data else data[subject]["id"])
        ]
        thing = data.get(subject)
        after[f"{subject}s"] = others if thing is None else [*others, _brief(thing) if subject == "session" else thing]
    return {**after, **_in_order(after)}


def apply_all(document: Document, events: Iterable[Event]) -> Document:
    for event in events:
        document = apply(document, event)
    return document


def _brief(session: Document) -> Document:
    """The programme has no long descriptions."""
    return {name: value for name, value in session.items() if name != "description"}


def _in_order(document: Document) -> Document:
    """Everything where a fresh reader finds it: the sessions depend on the rooms' order, the days on the sessions."""
    ordered = {
        noun: sorted(document[noun], key=lambda one: (one["position"], one["id"]))
        for noun in ("rooms", "tracks", "kinds")
    }
    ordered["speakers"] = sorted(document["speakers"], key=lambda one: str(one["id"]))
    order = {room["id"]: number for number, room in enumerate(ordered["rooms"])}
    ordered["sessions"] = sorted(
        document["sessions"],
        key=lambda one: (_moment(one["starts_at"]), order.get(one["room_id"], len(order)), one["id"]),
    )
    return {**ordered, "days": _days(document, ordered["sessions"])}


def _days(document: Document, sessions: list[Document]) -> list[Document]:
    begins, zone = time.fromisoformat(document["day_begins"]), ZoneInfo(document["timezone"])
    unknown = {"id": None, "name": {}, "starts_at": None, "ends_at": None}
    heads = {one["date"]: one for one in document["days"] if one["id"] is not None}
    ids: dict[str, list[str]] = {day: [] for day in heads}
    for one in sessions:
        local = _moment(one["starts_at"]).astimezone(zone)
        day = local.date() - timedelta(days=local.time() < begins)
        ids.setdefault(day.isoformat(), []).append(one["id"])
    return [{"date": day, **unknown, **heads.get(day, {}), "session_ids": ids[day]} for day in sorted(ids)]


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
