"""What a client of the live feed keeps, and what follows from what it hears. Pure: no clock, no socket, no server.

The shapes are the client's own, with the fields it reads: an app has nothing of the server but the document of the feed.

A client's position in a channel is the epoch and the number of the last event it has *applied*. The rules are few:

* an event that is applied already is dropped; the next one is applied; any later one says that some were lost, and the channel
  is asked for again from the position;
* a heartbeat that names a later end says the same;
* `ready` says whether the server goes on from the position. If not, and it is the same log, what is missing is read by HTTP; if
  it is another log, the position means nothing: the data is read anew, and one goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

import msgspec
from msgspec import Raw, Struct


class Place(Struct, frozen=True):
    """How far a channel was read."""

    epoch: str
    seq: int


class Event(Struct, frozen=True, tag_field="type", tag="event"):
    channel: str
    seq: int
    id: UUID
    at: datetime
    kind: str
    data: Raw


class State(Struct, frozen=True, tag_field="type", tag="state"):
    channel: str
    key: str
    data: Raw
    """`null`: the key is no more."""


class Joined(Struct, frozen=True):
    name: str
    epoch: str | None
    """None: a state channel, or one that is not for this reader."""
    seq: int | None
    resumed: bool
    reason: str | None


class Ready(Struct, frozen=True, tag_field="type", tag="ready"):
    heartbeat_seconds: int
    channels: list[Joined]


class Heartbeat(Struct, frozen=True, tag_field="type", tag="heartbeat"):
    seq: dict[str, int]


class Bye(Struct, frozen=True, tag_field="type", tag="bye"):
    code: int
    retry_after_ms: tuple[int, int] | None


class Page(Struct, frozen=True):
    """A stretch of a log as HTTP answers it."""

    epoch: str
    seq: int
    """The log's end."""
    events: list[Event]
    more: bool


class StatePage(Struct, frozen=True):
    states: list[State]


class Hear(Struct, frozen=True):
    """Apply an event, then call `Reading.applied`."""

    event: Event


class Show(Struct, frozen=True):
    """Show a key's new value; None: forget all that is known of the channel."""

    channel: str
    state: State | None


class Ask(Struct, frozen=True):
    """Subscribe to these channels from their positions."""

    channels: list[str]


class CatchUp(Struct, frozen=True):
    """Read the page that follows this place by HTTP, and hand it to `Reading.on_page`."""

    channel: str
    place: Place


class Begin(Struct, frozen=True):
    """Read the channel's data anew, then call `Reading.begun`. The log's end was at `at` before; None: ask for it first."""

    channel: str
    at: Place | None


Wish = Hear | Show | Ask | CatchUp | Begin
Frame = Ready | Event | State | Heartbeat | Bye


class _Kind(Struct, frozen=True):
    type: str


_kinds = msgspec.json.Decoder(_Kind)
_decoders = {struct.__struct_config__.tag: msgspec.json.Decoder(struct) for struct in get_args(Frame)}


def read_frame(message: str | bytes) -> Frame | None:
    """A frame; None for a sort of frame that is newer than this client."""
    decoder = _decoders.get(_kinds.decode(message).type)
    frame: Frame | None = decoder.decode(message) if decoder else None
    return frame


class Reading:
    """The positions of one client."""

    def __init__(self, channels: Iterable[str], places: Mapping[str, Place] | None = None) -> None:
        """`places`: from where to go on; a channel without one begins with its data."""
        self.places: dict[str, Place | None] = {name: (places or {}).get(name) for name in channels}
        self.forbidden: set[str] = set()
        self._asked: set[str] = set()

    def ask(self, channels: Iterable[str]) -> list[dict[str, object]]:
        """What hello and subscribe say of these channels. Until `ready` answers, a gap is no reason to ask again."""
        wanted: list[dict[str, object]] = []
        for name in channels:
            place = self.places.get(name)
            self._asked.add(name)
            wanted.append({"name": name} | ({"epoch": place.epoch, "seq": place.seq} if place else {}))
        return wanted

    def on_frame(self, frame: Frame | None) -> list[Wish]:
        """What to do now, in this order."""
        match frame:
            case Event():
                return self._on_event(frame)
            case State():
                return [Show(frame.channel, frame)]
            case Ready():
                return [wish for one in frame.channels for wish in self._on_joined(one)]
            case Heartbeat():
                behind = [name for name, end in frame.seq.items() if self._misses(name, end)]
                return [Ask(behind)] if behind else []
        return []

    def _on_event(self, event: Event) -> list[Wish]:
        place = self.places.get(event.channel)
        if place is None or event.seq <= place.seq:
            return []
        if event.seq == place.seq + 1:
            return [Hear(event)]
        return [Ask([event.channel])] if self._misses(event.channel, event.seq) else []

    def _misses(self, channel: str, end: int) -> bool:
        place = self.places.get(channel)
        return place is not None and end > place.seq and channel not in self._asked

    def _on_joined(self, joined: Joined) -> list[Wish]:
        self._asked.discard(joined.name)
        if joined.reason == "forbidden":
            self.forbid(joined.name)
            return []
        if joined.epoch is None or joined.seq is None:
            return [Show(joined.name, None)]
        place = self.places.get(joined.name)
        if place is not None and place.epoch == joined.epoch:
            if joined.resumed:
                return []
            if joined.reason == "too_old":
                return [CatchUp(joined.name, place)]
        return [Begin(joined.name, Place(joined.epoch, joined.seq))]

    def on_page(self, channel: str, page: Page | None) -> list[Wish]:
        """What follows from a page; None: the log is another one now."""
        place = self.places.get(channel)
        if page is None or place is None or page.epoch != place.epoch:
            return [Begin(channel, None)]
        events = [event for event in page.events if event.seq > place.seq]
        if [event.seq for event in events] != list(range(place.seq + 1, place.seq + 1 + len(events))):
            return [Begin(channel, None)]
        wishes: list[Wish] = [*map(Hear, events)]
        if page.more and events:
            wishes.append(CatchUp(channel, Place(page.epoch, events[-1].seq)))
        return wishes

    def by_http(self) -> list[Wish]:
        """What to do where no socket tells anything: go on in every channel from where one is."""
        return [Begin(name, None) if place is None else CatchUp(name, place) for name, place in self.places.items()]

    def applied(self, event: Event) -> None:
        """The application has taken the event; only now it counts as read."""
        place = self.places[event.channel]
        assert place is not None, "events are heard after a beginning"
        self.places[event.channel] = Place(place.epoch, event.seq)

    def begun(self, channel: str, place: Place) -> None:
        """The application has read the channel's data anew, as of this place or a later one."""
        self.places[channel] = place

    def forbid(self, channel: str) -> None:
        """The channel is not for this reader."""
        self.places.pop(channel, None)
        self.forbidden.add(channel)

    def acknowledgement(self) -> dict[str, int]:
        return {name: place.seq for name, place in self.places.items() if place is not None}


def after_close(code: int) -> Literal["resume", "act", "stop"]:
    """What a close code asks for; every end that is none of the feed's own is as one of 40xx."""
    verdicts: dict[int, Literal["act", "stop"]] = {41: "act", 45: "stop"}
    return verdicts.get(code // 100, "resume")
