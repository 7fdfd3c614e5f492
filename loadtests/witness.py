"""Puts many questions to the door at once and remembers what it was told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from loadtests import checkins
from loadtests.evidence import Asked
from loadtests.line import request_for
from loadtests.record import Record
from loadtests.server_under_test import Server
from loadtests.volley import Heard, Volley, unhelpful


class Venue(Struct, frozen=True):
    """Where and as whom questions are put."""

    path: str
    """Of the event."""
    organizer: str
    """Its token."""
    devices: Mapping[str, str]
    """Name → token, of those that may let people out too."""
    codes: Sequence[str]
    """Of everybody's badge."""
    dsn: str


def venue_of(server: Server) -> Venue:
    found = server.credentials
    devices = {device.name: device.token for device in found.devices if device.profile != "kiosk"}
    return Venue(server.path, found.organizer_token, devices, server.badges(), server.dsn)


class Witness:
    """Everything that was heard in one proof."""

    def __init__(self, volley: Volley, venue: Venue, checkin_list: str = "main") -> None:
        self.record = Record()
        self.asked: list[Asked] = []
        self.overloaded: list[Asked] = []
        """Questions that were told to come back later, once for each time."""
        self.unhelpful: list[str] = []
        """Answers that nobody should get; see `volley.unhelpful`."""
        self.longest = 0.0
        """Seconds that somebody waited."""
        self._volley = volley
        self._venue = venue
        self._list = checkin_list

    async def ask(self, questions: Sequence[Asked], rate: float = math.inf) -> list[Heard]:
        """Puts the questions, all at once or so many a second, and returns what came, as it came."""
        self.asked += questions
        requests = (self.request(asked) for asked in questions)
        heard = await self._volley.send(requests, len(questions), rate)
        for one in heard:
            self._note(questions[one.place], one)
        self.unhelpful += unhelpful(heard)
        return heard

    def request(self, asked: Asked) -> bytes:
        path, token = f"{self._venue.path}/checkins", self._venue.devices[asked.device]
        return request_for("POST", path, token, checkins.question(asked, self._list))

    def _note(self, asked: Asked, heard: Heard) -> None:
        self.record.send(asked, heard.began)
        self.longest = max(self.longest, heard.seconds)
        if heard.status == 200:
            self.record.hear(asked, heard.body, heard.began, heard.ended)
        elif heard.status == 503:
            self.overloaded.append(asked)
