"""The heartbeat: clients on a wheel of 25 places, one place a second, so that 5,000 beats never fall into one moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from server.live.hub import Log
from server.live.protocol import HEARTBEAT_SECONDS, Heartbeat
from server.live.session import Closing, Session
from server.live.wire import text_frame


class Heart:
    """Who gets a heartbeat when."""

    def __init__(self) -> None:
        self._wheel: list[dict[Session, None]] = [{} for _ in range(HEARTBEAT_SECONDS)]
        self._places: dict[Session, int] = {}
        self._next_place = itertools.count()
        self._now = 0

    def add(self, session: Session) -> None:
        place = next(self._next_place) % HEARTBEAT_SECONDS
        self._wheel[place][session] = None
        self._places[session] = place

    def remove(self, session: Session) -> None:
        place = self._places.pop(session, None)
        if place is not None:
            self._wheel[place].pop(session, None)

    def tick(self) -> Iterator[tuple[Session, Closing]]:
        """Sends this second's heartbeats; yields those that should be closed instead."""
        frames: dict[frozenset[tuple[str, Log]], bytes] = {}
        at = datetime.now(UTC)
        for session in list(self._wheel[self._now]):
            try:
                session.check()
            except Closing as closing:
                yield session, closing
                continue
            key = frozenset(
                (name, cursor.log) for name, cursor in session.cursors.items()
            )  # `me` is another log for each
            if key not in frames:
                ends = {channel: cursor.log.seq for channel, cursor in session.cursors.items()}
                frames[key] = text_frame(msgspec.json.encode(Heartbeat(at, ends)))
            if session.takes():
                session.write(frames[key])
        self._now = (self._now + 1) % HEARTBEAT_SECONDS
