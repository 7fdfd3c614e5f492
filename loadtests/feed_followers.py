"""A crowd of phones that never give up: `python -m loadtests.feed_followers URL API_URL`, led by `FollowerCrowd`.

Each has a ticket of its own and follows several channels, keeps a ledger of each, comes back with its positions whenever its
connection ends, and reads over HTTP what it can no longer resume. Now and then it is cut off, for a moment or for long.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from loadtests import frames
from loadtests.feed_client_state import Joined
from loadtests.feed_clients import Client, Clients, carry_on, ready_frames, until
from loadtests.feed_crowd import Phones
from loadtests.feed_ledger import Counts, Ledger, Standing
from loadtests.line import Line, request_for
from server.auth import Principal
from server.feed.types import ME
from server.live import ticket as tickets

AT_ONCE = 500
TRY_SECONDS = 15.0
COME_BACK_SECONDS = 1.0
"""Whoever lost its connection comes back within it."""
AWAY, LONG_AWAY, LONG_SHARE = (0.0, 2.0), (5.0, 12.0), 0.1
"""Seconds that whoever was cut off stays away, and which part of them for long."""
CUT_SECONDS = 0.1
LINES = 8
PAGE = 500
PAGE_SECONDS = 15.0
RETRY_SECONDS = (0.1, 0.5)
SHOWN = 3
EVENT = b'{"type":"event","channel":"'


class Person(Struct, frozen=True):
    """Who has a phone."""

    subject: UUID
    token: str
    channels: list[str]
    absent: bool
    """Whether it is away from the beginning of the storm to its end."""


class Begin(Struct, frozen=True, tag=True):
    """Everybody comes."""

    event_id: UUID
    ticket_key: str
    """In hexadecimal digits."""
    path: str
    """Of the event."""
    people: list[Person]
    seconds: float
    """How long to wait for them."""


class Rage(Struct, frozen=True, tag=True):
    """From now on everybody is cut off again and again."""

    stay: float
    """Seconds that somebody stays, on average."""
    seed: int


class Calm(Struct, frozen=True, tag=True):
    """Nobody is cut off any more, and whoever is away comes back."""


class Judge(Struct, frozen=True, tag=True):
    """Waits until everybody has everything, and compares."""

    expected: dict[str, Standing]
    """By channel; `me:…` for the personal ones that hold something, `me` for those that do not."""
    seconds: float


class Present(Struct, frozen=True):
    """Answer to everything but `Judge`."""

    connected: int


class Judged(Struct, frozen=True):
    """Answer to `Judge`."""

    compared: int
    behind: int
    """Ledgers that do not reach the table's end."""
    different: int
    """That hold something else than the table, or more."""
    shown: list[str]
    counts: Counts
    cut: int
    """Connections that were cut off by the phones themselves."""
    lost: int
    """That ended otherwise."""
    retries: int
    codes: dict[int, int]


class FollowerCrowd(Phones):
    """The crowd seen from the load test."""

    def __init__(self, url: str, api_url: str) -> None:
        super().__init__("loadtests.feed_followers", url, api_url)

    def begin(self, begin: Begin) -> Present:
        return self._ask(begin, Present, begin.seconds + 60.0)

    def rage(self, rage: Rage) -> None:
        self._ask(rage, Present, 60.0)

    def calm(self) -> None:
        self._ask(Calm(), Present, 60.0)

    def judge(self, judge: Judge) -> Judged:
        return self._ask(judge, Judged, judge.seconds + 120.0)


class Page(Struct, frozen=True):
    """A stretch of a log over HTTP, whose events stay as they were sent."""

    epoch: str
    events: list[Raw]
    more: bool


pages = msgspec.json.Decoder(Page)


class Place(Struct, frozen=True):
    """Where the API is."""

    host: str
    port: int


class Follower(Client):
    """One phone."""

    __slots__ = ("away", "catching", "gone", "ledgers", "person", "present")

    _crowd: Followers

    def __init__(self, crowd: Followers, person: Person) -> None:
        super().__init__(crowd)
        self.person = person
        self.ledgers = {channel.encode(): Ledger() for channel in person.channels}
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with its connection."""
        self.away: float | None = None
        """How long it stays away when its connection ends; None: only as long as it must."""
        self.present = asyncio.Event()
        """Not set: it does not come back yet."""
        self.present.set()
        self.catching: list[asyncio.Task[None]] = []

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if not self.gone.done():
            self.gone.set_result(None)

    def _hello(self) -> bytes:
        channels: list[dict[str, object]] = []
        for name, ledger in self.ledgers.items():
            position = {} if ledger.epoch is None else {"epoch": ledger.epoch, "seq": ledger.seq}
            channels.append({"name": name.decode(), **position})
        ticket = self._crowd.ticket_for(self.person)
        return msgspec.json.encode({"type": "hello", "version": 1, "ticket": ticket, "channels": channels})

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.TEXT and payload.startswith(EVENT):
            end = payload.find(b'"', len(EVENT))
            seq = frames.sequence_of(payload)
            if seq is not None:
                self.ledgers[payload[len(EVENT) : end]].hear(seq, payload, self._crowd.counts)
        else:
            super()._take(opcode, payload)

    def _settle(self, payload: bytes) -> None:
        for joined in ready_frames.decode(payload).channels:
            self._enter_channel(joined)
        self._join(True)  # noqa: FBT003 - the future's own value

    def _enter_channel(self, joined: Joined) -> None:
        ledger, counts = self.ledgers[joined.name.encode()], self._crowd.counts
        if joined.epoch is None or joined.seq is None:
            counts.forbidden += 1
        elif joined.resumed:
            counts.resumes += 1
            ledger.resume()
        else:
            if joined.epoch != ledger.epoch or joined.reason == "ahead":
                counts.replaced += ledger.epoch is not None
                ledger.begin(joined.epoch)
            if ledger.seq >= joined.seq:
                ledger.resume()
            else:
                counts.catch_ups += 1
                ledger.start_catching_up(joined.seq)
                reading = self._crowd.catch_up(self.person, joined.name, ledger, joined.seq)
                self.catching.append(asyncio.create_task(reading))

    def put_down(self) -> None:
        """Its connection has ended: what it was reading it asks for again."""
        for task in self.catching:
            task.cancel()
        self.catching.clear()
        for ledger in self.ledgers.values():
            ledger.held = None


class Followers(Clients):
    """All phones of this process."""

    COMMANDS = Begin | Rage | Calm | Judge

    def __init__(self, url: str, api_url: str) -> None:
        super().__init__(url, 0, bare=False)
        parts = urlsplit(api_url)
        self.counts = Counts()
        self._api = Place(parts.hostname or "127.0.0.1", parts.port or 80)
        self._lines: asyncio.Queue[Line] = asyncio.Queue()
        self._followers: list[Follower] = []
        self._lives: list[asyncio.Task[None]] = []
        self._cutting: asyncio.Task[None] | None = None
        self._calmed = asyncio.Event()
        self._cut = 0
        self._begin: Begin

    def ticket_for(self, person: Person) -> str:
        """As the API gives it out, without asking for it each time."""
        principal = Principal("attendee", self._begin.event_id, person.subject, "")
        return tickets.issue(bytes.fromhex(self._begin.ticket_key), principal)

    # What they are told.

    async def carry_out(self, command: Begin | Rage | Calm | Judge) -> Struct:
        match command:
            case Begin():
                await self._bring(command)
            case Rage():
                self._cutting = asyncio.create_task(self._cut_off(command))
            case Calm():
                self._calm()
            case Judge():
                return await self._judge(command)
        return Present(sum(one.transport is not None for one in self._followers))

    async def _bring(self, begin: Begin) -> None:
        self._begin = begin
        for _ in range(LINES):
            self._lines.put_nowait(Line(self._api))
        self._followers = [Follower(self, person) for person in begin.people]
        self._clients = [*self._followers]
        places = asyncio.Semaphore(AT_ONCE)
        self._lives = [asyncio.create_task(self._live(one, places)) for one in self._followers]
        await until(lambda: all(map(_is_in, self._followers)), begin.seconds)

    async def _cut_off(self, rage: Rage) -> None:
        source = random.Random(rage.seed)
        for one in self._followers:
            if one.person.absent:
                one.present.clear()
                self._cut_one(one, 0.0)
        due = 0.0
        while True:
            await asyncio.sleep(CUT_SECONDS)
            due += len(self._followers) * CUT_SECONDS / rage.stay
            for one in source.sample(self._followers, min(int(due), len(self._followers))):
                self._cut_one(one, source.uniform(*(LONG_AWAY if source.random() < LONG_SHARE else AWAY)))
            due -= int(due)

    def _cut_one(self, one: Follower, away: float) -> None:
        if one.transport is not None:
            self._cut += 1
            one.away = away
            one.leave()

    def _calm(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
        self._calmed.set()
        for one in self._followers:
            one.present.set()

    # A phone's life.

    async def _live(self, one: Follower, places: asyncio.Semaphore) -> None:
        """For ever: comes, stays until its connection ends, comes back."""
        loop = asyncio.get_running_loop()
        while True:
            await one.present.wait()
            one.joined, one.gone = loop.create_future(), loop.create_future()
            try:
                async with places, asyncio.timeout(TRY_SECONDS):
                    await self._open(one)
                    await one.joined
            except OSError:  # a time-out is one too
                self.retries += 1
                one.leave()
                one.put_down()
                await asyncio.sleep(random.uniform(*RETRY_SECONDS))
                continue
            await one.gone
            one.put_down()
            away, one.away = one.away, None
            if away is None:
                await asyncio.sleep(random.uniform(0, COME_BACK_SECONDS))
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._calmed.wait(), away)

    async def catch_up(self, person: Person, channel: str, ledger: Ledger, until: int) -> None:
        """Reads a log over HTTP from where the phone is to where its socket goes on."""
        where = f"{self._begin.path}/feed/{quote(channel)}?epoch={ledger.epoch}&limit={PAGE}&after="
        while ledger.seq < until:
            page = await self._page(f"{where}{ledger.seq}", person.token)
            if page is None:
                continue
            for event in page.events:
                payload = bytes(event)
                ledger.read(frames.sequence_of(payload) or 0, payload, self.counts)
            if not page.more and ledger.seq < until:
                self.counts.gaps += 1  # the socket goes on behind what there is
                break
        ledger.caught_up(self.counts)

    async def _page(self, path: str, token: str) -> Page | None:
        """None: try again."""
        line = await self._lines.get()
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                status, body = await line.exchange(request_for("GET", path, token))
        except (OSError, EOFError):
            line.close()
            status, body = b"", b""
        except asyncio.CancelledError:
            line.close()  # its answer is still to come
            raise
        finally:
            self._lines.put_nowait(line)
        if status == b"200":
            return pages.decode(body)
        self.counts.replaced += status == b"410"
        self.counts.forbidden += status in (b"401", b"403", b"404")
        await asyncio.sleep(random.uniform(*RETRY_SECONDS))
        return None

    # Comparing.

    async def _judge(self, judge: Judge) -> Judged:
        await until(lambda: not any(self._behind(judge)), judge.seconds)
        behind, different = list(self._behind(judge)), list(self._different(judge))
        return Judged(
            compared=sum(len(one.ledgers) for one in self._followers),
            behind=len(behind),
            different=len(different),
            shown=[*behind[:SHOWN], *different[:SHOWN]],
            counts=self.counts,
            cut=self._cut,
            lost=self.lost,
            retries=self.retries,
            codes=dict(self.codes),
        )

    def _pairs(self, judge: Judge) -> Iterator[tuple[str, Ledger, Standing]]:
        for one in self._followers:
            for name, ledger in one.ledgers.items():
                channel = name.decode()
                own = f"{ME}:{one.person.subject}" if channel == ME else channel
                yield own, ledger, judge.expected.get(own) or judge.expected[channel]

    def _behind(self, judge: Judge) -> Iterator[str]:
        for channel, ledger, wanted in self._pairs(judge):
            if ledger.seq < wanted.seq:
                yield f"{channel}: {ledger.seq} of {wanted.seq}"

    def _different(self, judge: Judge) -> Iterator[str]:
        for channel, ledger, wanted in self._pairs(judge):
            if ledger.seq >= wanted.seq and Standing(ledger.epoch or "", ledger.seq, ledger.digest) != wanted:
                yield f"{channel}: {ledger.epoch} {ledger.seq} {ledger.digest:08x} is not {wanted}"


def _is_in(one: Follower) -> bool:
    return one.joined is not None and one.joined.done() and one.transport is not None


def main(argv: Sequence[str]) -> None:
    carry_on(Followers(argv[0], argv[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
