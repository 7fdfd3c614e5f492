"""What a scenario has to ask as an organizer before anything is measured."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Sequence
from typing import Any

import msgspec

from loadtests.server_under_test import Server

KNOWN_SECONDS = 1.5
"""By then every process knows a new list."""


def make_lists(server: Server, keys: Sequence[str]) -> None:
    """Lists for everybody's ticket, and waits until the API knows them."""
    for key in keys:
        ask_organizer(server, "/checkins/lists", {"key": key, "name": {"en": key}})
    time.sleep(KNOWN_SECONDS)


def ask_organizer(server: Server, path: str, body: object) -> Any:
    """What the server answers to an organizer's POST."""
    request = urllib.request.Request(
        f"http://{server.host}:{server.port}{server.path}{path}",
        msgspec.json.encode(body),
        {"Authorization": f"Bearer {server.credentials.organizer_token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return msgspec.json.decode(answer.read())
