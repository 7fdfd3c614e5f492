"""Organizers who change whatever of the programme can be changed, in an order that only their seed knows."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.conftest import Demo, bearer
from tests.schedule.applying import Document
from tests.waiting import PATIENCE

STATUSES = ("scheduled", "moved", "delayed", "cancelled")
IN_THE_WAY = (
    "schedule.room_taken",
    "schedule.still_in_use",
    "schedule.day_is_there",
    "schedule.nothing_drafted",
    "schedule.draft_disagrees",
)
"""What an organizer is told who meets another."""
MINUTES = (-90, -15, 0, 5, 30, 24 * 60)


class Organizer:
    """One of them; knows the programme as it was in the beginning, and what this one has added."""

    def __init__(self, api: httpx.AsyncClient, demo: Demo, programme: Document, seed: int) -> None:
        self._api = api
        self._headers = bearer(demo.file.organizer_token)
        self._sessions = programme["sessions"][:12]  # few, so that organizers meet
        self._known = {
            noun: [one["id"] for one in programme[noun]] for noun in ("rooms", "tracks", "kinds", "speakers")
        }
        self._added: dict[str, list[str]] = {noun: [] for noun in (*self._known, "days", "sessions")}
        self._source = random.Random(seed)

    async def change_something(self) -> None:
        """Makes one change, which may turn out to change nothing."""
        chosen = self._source.random()
        if chosen < 0.2:
            await self._add(self._source.choice(list(self._added)))
        elif chosen < 0.4:
            await self._change_thing(self._source.choice(("rooms", "tracks", "kinds", "speakers", "days")))
        elif chosen < 0.5:
            await self._remove(self._source.choice([noun for noun, ids in self._added.items() if ids] or ["none"]))
        elif chosen < 0.6:
            await self._release()
        else:
            session = self._source.choice(self._sessions)
            await self._send("PATCH", f"/sessions/{session['id']}", self._some_of(self._anything_of(session)))

    async def _add(self, noun: str) -> None:
        added = await self._send("POST", f"/{noun}", self._thing(noun))
        if added is not None:
            self._added[noun].append(added["id"])

    async def _change_thing(self, noun: str) -> None:
        ids = [*self._known.get(noun, ()), *self._added[noun]]
        if ids:
            await self._send("PATCH", f"/{noun}/{self._source.choice(ids)}", self._some_of(self._thing(noun)))

    async def _remove(self, noun: str) -> None:
        """One that this organizer has added; others may be in use."""
        if noun in self._added:
            gone = self._added[noun].pop(self._source.randrange(len(self._added[noun])))
            await self._send("DELETE", f"/{noun}/{gone}", None)

    async def _release(self) -> None:
        """Several things at a time, of which one is new."""
        session = self._source.choice(self._sessions)
        await self._send("POST", "/draft/rooms", self._thing("rooms"))
        await self._send("PATCH", f"/draft/sessions/{session['id']}", {"title": self._text(), "shares_room": True})
        await self._send("POST", "/draft/release", {"name": "1.1", "force": True})

    def _thing(self, noun: str) -> Document:
        if noun == "days":
            return {"date": f"2026-12-{self._source.randint(17, 21)}", "name": self._text()}
        if noun == "sessions":
            return self._anything_of(self._source.choice(self._sessions)) | {"title": self._text()}
        if noun == "speakers":
            return self._somebody()
        more = {"rooms": {"capacity": self._source.choice([None, 40])}, "tracks": {"color": "#0072b2"}}.get(noun, {})
        return {"name": self._text(), "position": self._source.randint(0, 9), **more}

    def _anything_of(self, session: Document) -> Document:
        starts_at = datetime.fromisoformat(session["starts_at"]) + timedelta(minutes=self._source.choice(MINUTES))
        speakers = self._source.sample(self._known["speakers"], self._source.randint(0, 4))
        return {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=self._source.choice((20, 45)), microseconds=7)).isoformat(),
            "room_id": self._one_of("rooms"),
            "track_id": self._one_of("tracks"),
            "kind_id": self._one_of("kinds"),
            "shares_room": self._source.random() < 0.9,
            "status": self._source.choice(STATUSES),
            "title": self._text(),
            "subtitle": self._source.choice([{}, self._text()]),
            "abstract": self._source.choice([{}, self._text()]),
            "description": self._source.choice([{}, self._text()]),
            "languages": self._source.choice([[], ["fr"], ["ar", "fr"], ["en"]]),
            "speaker_ids": speakers,
            "url": self._source.choice([None, "https://example.org/a?b#c", "http://example.org"]),
            "links": self._source.choice(
                [[], [{"url": "https://example.org/slides", "title": self._text(), "kind": "file"}]]
            ),
        }

    def _one_of(self, noun: str) -> str | None:
        return self._source.choice([None, *self._known[noun]])

    def _somebody(self) -> Document:
        return {
            "name": self._text(),
            "organisation": self._source.choice([{}, self._text()]),
            "bio": self._source.choice([{}, self._text()]),
        }

    def _some_of(self, fields: Document) -> Document:
        names = self._source.sample(list(fields), self._source.randint(1, min(3, len(fields))))
        if "ends_at" in names:
            names.append("starts_at")  # or it could end before it starts
        return {name: fields[name] for name in names}

    def _text(self) -> dict[str, str]:
        words = ("Nom", "اسم", "name", "\u2067x", '"quoted"', "é")
        return {language: self._source.choice(words) for language in self._source.sample(["fr", "ar", "en"], 2)}

    async def _send(self, method: str, path: str, body: Document | None) -> Any:
        """What comes back; None where there is nothing, or where others were quicker or are in the way."""
        answer = await self._api.request(method, path, json=body, headers=self._headers)
        assert answer.status_code in (200, 201, 204, 409), answer.text
        assert answer.status_code != 409 or answer.json()["code"] in IN_THE_WAY, answer.text
        return answer.json() if answer.status_code in (200, 201) else None


async def read_programme(api: httpx.AsyncClient) -> Document:
    """As a fresh reader gets it, in all languages."""
    answer = await api.get("/schedule", params={"lang": "*"})
    assert answer.status_code == 200
    programme: Document = answer.json()
    return programme


async def read_at(api: httpx.AsyncClient, seq: int) -> Document:
    """The programme as soon as the server has heard that channel `schedule` is at `seq`: somebody else has changed it."""
    async with asyncio.timeout(PATIENCE):
        while (programme := await read_programme(api))["feed"]["seq"] < seq:  # noqa: ASYNC110 - it has no event of its own
            await asyncio.sleep(0.005)
    return programme


async def read_events(api: httpx.AsyncClient, after: Document) -> list[Document]:
    """What channel `schedule` has said since a programme was read."""
    events: list[Document] = []
    place = after["feed"]
    while True:
        seq = events[-1]["seq"] if events else place["seq"]
        answer = await api.get("/feed/schedule", params={"epoch": place["epoch"], "after": seq, "limit": 50})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        events += page["events"]
        if not page["more"]:
            return events
