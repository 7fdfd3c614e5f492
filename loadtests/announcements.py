"""Announcements as organizers send them, and the event that a phone gets."""

from __future__ import annotations

import http.client
import time

import msgspec
from msgspec import Struct

from loadtests.line import request_for
from loadtests.scenario import Aborted
from loadtests.server_under_test import Server


class Sent(Struct, frozen=True):
    """An announcement on its way. Times by the kernel's monotonic clock."""

    seq: int
    sent: float
    """Before the request was written."""
    accepted: float
    """When the answer, 201, had been read: the announcement was committed."""
    event: str
    """The frame's text that phones get, rebuilt from the answer."""


BODY = {
    "fr": "La conférence de 14 h 30 aura lieu dans la grande salle, au premier étage.",
    "ar": "ستقام محاضرة الساعة الثانية والنصف بعد الظهر في القاعة الكبرى بالطابق الأول.",
    "en": "The 2.30 pm talk will be held in the great hall on the first floor.",
}


def body(number: int, *, times: int = 1) -> bytes:
    """An ordinary announcement in three languages, about 600 bytes; a longer one says everything so many times."""
    return msgspec.json.encode(
        {
            "title": {
                "fr": f"Changement de salle n° {number}",
                "ar": f"تغيير القاعة رقم {number}",
                "en": f"Room change no. {number}",
            },
            "body": {language: " ".join([text] * times) for language, text in BODY.items()},
        }
    )


def requests_for(server: Server, count: int) -> list[bytes]:
    """That many announcements as raw requests."""
    token = server.credentials.organizer_token
    return [request_for("POST", f"{server.path}/announcements", token, body(number)) for number in range(1, count + 1)]


class Organizer:
    """Sends announcements over one keep-alive connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        self._connection.connect()
        self._token = server.credentials.organizer_token

    def announce(self, number: int, *, times: int = 1) -> Sent:
        """Raises `Aborted` for any answer but 201."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        content = body(number, times=times)
        sent = time.monotonic()
        self._connection.request("POST", f"{self._server.path}/announcements", content, headers)
        response = self._connection.getresponse()
        answer = response.read()
        accepted = time.monotonic()
        if response.status != http.HTTPStatus.CREATED:
            raise Aborted(
                f"an announcement was answered with {response.status}: {answer[:200].decode('utf-8', 'replace')}"
            )
        published = msgspec.json.decode(answer)
        return Sent(published["seq"], sent, accepted, event_text(published))

    def close(self) -> None:
        self._connection.close()


def event_text(published: dict[str, object]) -> str:
    """The same event as the feed sends it."""
    data = {name: value for name, value in published.items() if name != "seq"}
    event = {
        "type": "event",
        "channel": "announcements",
        "seq": published["seq"],
        "id": published["id"],
        "at": published["published_at"],
        "kind": "announcement.published",
        "data": data,
    }
    return msgspec.json.encode(event).decode()
