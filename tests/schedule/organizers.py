"""Organizers who change whatever of the programme can be changed, in an order that only their seed knows."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.conftest import Demo, bearer
from tests.schedule.applying import Document

STATUSES = ("scheduled", "moved", "delayed", "cancelled")
MINUTES = (-90, -15, 0, 5, 30, 24 * 60)


class Organizer:
    """One of them; knows the programme as it was in the beginning, and the speakers that this one has added."""

    def __init__(self, api: httpx.AsyncClient, demo: Demo, programme: Document, seed: int) -> None:
        self._api = api
        self._headers = bearer(demo.file.organizer_token)
        self._sessions = programme["sessions"]
        self._rooms = [None, *(room["id"] for room in programme["rooms"])]
        self._tracks = [None, *(track["id"] for track in programme["tracks"])]
        self._speakers = [speaker["id"] for speaker in programme["speakers"]]
        self._source = random.Random(seed)

    async def change_something(self) -> None:
        """Makes one change, which may turn out to change nothing."""
        chosen = self._source.random()
        if chosen < 0.1:
            added = await self._send("POST", "/speakers", self._somebody(), 201)
            self._speakers.append(added["id"])
        elif chosen < 0.25:
            wanted = self._some_of(self._somebody())
            await self._send("PATCH", f"/speakers/{self._source.choice(self._speakers)}", wanted)
        else:
            session = self._source.choice(self._sessions[:12])  # few, so that organizers meet
            await self._send("PATCH", f"/sessions/{session['id']}", self._some_of(self._anything_of(session)))

    def _anything_of(self, session: Document) -> Document:
        starts_at = datetime.fromisoformat(session["starts_at"]) + timedelta(minutes=self._source.choice(MINUTES))
        return {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=self._source.choice((20, 45)), microseconds=7)).isoformat(),
            "room_id": self._source.choice(self._rooms),
            "track_id": self._source.choice(self._tracks),
            "status": self._source.choice(STATUSES),
            "title": self._text(),
            "subtitle": self._source.choice([{}, self._text()]),
            "abstract": self._source.choice([{}, self._text()]),
            "description": self._source.choice([{}, self._text()]),
            "language": self._source.choice([None, "fr", "ar", "en"]),
            "speaker_ids": self._source.sample(self._speakers, self._source.randint(0, 4)),
            "kind": self._source.choice(["", "Keynote", "Atelier"]),
            "url": self._source.choice([None, "https://example.org/a?b#c", "http://example.org"]),
        }

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

    async def _send(self, method: str, path: str, body: Document, status: int = 200) -> Any:
        answer = await self._api.request(method, path, json=body, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json()


async def read_programme(api: httpx.AsyncClient) -> Document:
    """As a fresh reader gets it, in all languages."""
    answer = await api.get("/schedule", params={"lang": "*"})
    assert answer.status_code == 200
    programme: Document = answer.json()
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
