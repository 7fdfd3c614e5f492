"""A client's log: all that it applied, in order, for a test to look through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from loadtests.feed_client_state import Event, Place, Reading


class Noted(Struct, frozen=True):
    """A line of a client's log."""

    channel: str
    place: Place | None
    event: UUID | None
    """None: the data was read anew, or kept from before, as of this place."""


class LoggedReading(Reading):
    """A reading that remembers its way."""

    def __init__(self, channels: Iterable[str], places: Mapping[str, Place] | None = None) -> None:
        super().__init__(channels, places)
        self.log = [Noted(name, place, None) for name, place in self.places.items() if place is not None]

    def applied(self, event: Event) -> None:
        super().applied(event)
        self.log.append(Noted(event.channel, self.places[event.channel], event.id))

    def begun(self, channel: str, place: Place) -> None:
        super().begun(channel, place)
        self.log.append(Noted(channel, self.places[channel], None))


def faults_of(log: Sequence[Noted]) -> list[str]:
    """Where a client's log leaves an event out, has one twice, or goes on in another log without its data."""
    found, last = [], dict[str, Place | None]()
    for line in log:
        before = last.get(line.channel)
        if line.event is not None and (before is None or line.place != Place(before.epoch, before.seq + 1)):
            found.append(f"{line.channel}: {line.place} after {before}")
        last[line.channel] = line.place
    return found
