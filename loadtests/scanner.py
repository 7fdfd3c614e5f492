"""A reference scanner: what the app on a phone at a door has to do, and nothing more.

It asks the server as long as that answers in time. When it does not (no connection, no answer within `patience`, 503) the
scanner decides by itself, from what it knows (`scanner_rules`). Each scan has a number and is in a file (`scanner_queue`)
before the person is told anything; it leaves the queue when the server says that it is stored, and the server's `mark` proves
that none is missing. A scan that the server answers with an error stays for a person to look at.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from loadtests.scanner_network import Network, NoAnswer, Reply, encode
from loadtests.scanner_queue import Queue
from loadtests.scanner_rules import Knowledge
from server.checkin.batch import MAX_SCANS, BatchAnswer, BatchResult
from server.checkin.events import Passed
from server.checkin.snapshot import Snapshot, SnapshotDelta
from server.checkin.types import Answer, CheckIn, Direction, Mark, Outcome, Reason
from server.device.types import Paired
from server.errors import Problem

PATIENCE = 1.5
"""Seconds that a person waits at a door for the server's answer."""
TRANSFER_SECONDS = 30.0
"""For a snapshot or a batch, for which nobody waits at a door."""
PAUSE_SECONDS = 2.0
"""After a question without an answer: nobody shall wait out `PATIENCE` for each scan while the network is gone."""
BUSY = 503

Clock = Callable[[], datetime]

_snapshots = msgspec.json.Decoder(Snapshot | SnapshotDelta)
_answers = msgspec.json.Decoder(Answer)
_batches = msgspec.json.Decoder(BatchAnswer)
_marks = msgspec.json.Decoder(Mark)
_problems = msgspec.json.Decoder(Problem)


class Refused(Exception):
    """The server will not have this, whoever asks how often. `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.problem = problem


class Shown(Struct, frozen=True):
    """What the person at the door sees."""

    scan_id: str
    outcome: Outcome
    reason: Reason | None
    by_itself: bool
    """The scanner has decided."""


class Proof(Struct, frozen=True):
    """How much of what was scanned is stored, by the server's own count."""

    mark: int
    last: int
    """The number of the last scan."""
    problems: dict[int, Problem]

    @property
    def everything(self) -> bool:
        return self.mark == self.last


def now() -> datetime:
    """A clock that is right."""
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


async def pair(network: Network, event: str, code: str) -> Paired:
    """Becomes the device that waits for this code. `event` is the event's path, `/v1/events/…`. Raises `Refused`, `NoAnswer`."""
    return msgspec.json.decode(
        _read(await network.send("POST", f"{event}/devices/pair", "", encode({"code": code}))), type=Paired
    )


class Scanner:
    """One phone."""

    def __init__(
        self,
        network: Network,
        event: str,
        token: str,
        queue: Queue,
        *,
        clock: Clock = now,
        make_id: Callable[[], str] = new_id,
        patience: float = PATIENCE,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        """`event` is the event's path, `/v1/events/…`. What a crash has left in `queue` was told to nobody: nobody passed."""
        self.queue = queue
        self.knowledge = Knowledge()
        self.conflicts: list[BatchResult] = []
        """What this scanner did that does not go together with what others did."""
        self.wrong_clock: set[str] = set()
        """Scans for which the server did not believe the clock."""
        self.lost: list[int] = []
        """Numbers of scans that the server had said to have stored, and had not."""
        self._network = network
        self._event = event
        self._token = token
        self._clock = clock
        self._make_id = make_id
        self._patience = patience
        self._pause = pause
        self._alone_until = 0.0
        self._cursor: str | None = None
        for scan in queue.undecided():
            queue.decide(scan.number or 0, "refused", None)

    async def start(self) -> None:
        """Learns what it needs to be alone. Numbers go on behind those of a phone that was this device before.

        Raises `Refused`, `NoAnswer`.
        """
        if self.queue.last == 0:
            self.queue.begin_after((await self.prove()).mark)
        await self.refresh()

    async def refresh(self) -> None:
        """Takes what has changed since the last time. Raises `Refused`, `NoAnswer`."""
        path = "/checkins/snapshot" + (f"?cursor={self._cursor}" if self._cursor else "")
        found = _snapshots.decode(await self._ask("GET", path))
        self._cursor = found.cursor
        if isinstance(found, Snapshot):
            self.knowledge.load(found)
        else:
            self.knowledge.apply(found)
        for scan in self.queue.waiting():
            self.knowledge.replay(scan, scan.decided or "refused")

    def hear(self, passed: Passed) -> None:
        """What the feed says of one list. What this scanner has not brought yet still holds."""
        self.knowledge.hear(passed)
        for scan in self.queue.waiting():
            if scan.list == passed.list:
                self.knowledge.replay(scan, scan.decided or "refused")

    # At the door.

    async def scan(self, checkin_list: str, code: str, direction: Direction = "entry") -> Shown:
        """What to show to whoever has this code.

        Raises `Refused`, and `NoAnswer` where there is not even a snapshot to decide by: then nobody passes.
        """
        scan = self.queue.remember(
            lambda number: CheckIn(
                scan_id=self._make_id(),
                list=checkin_list,
                code=code,
                direction=direction,
                scanned_at=self._clock(),
                number=number,
            )
        )
        try:
            return await self._ask_about(scan)
        except NoAnswer:
            return self._decide(scan)

    async def _ask_about(self, scan: CheckIn) -> Shown:
        if self._time() < self._alone_until:
            raise NoAnswer("the network was gone a moment ago")
        try:
            answer = _answers.decode(await self._ask("POST", "/checkins", encode(scan), within=self._patience))
        except NoAnswer:
            self._alone_until = self._time() + self._pause
            raise
        except Refused as refusal:
            self.queue.fail(scan.number or 0, refusal.problem)
            raise
        self.queue.store([scan.number or 0])
        self.knowledge.replay(scan, answer.outcome)
        return Shown(answer.scan_id, answer.outcome, answer.reason, by_itself=False)

    def _decide(self, scan: CheckIn) -> Shown:
        try:
            decision = self.knowledge.decide(scan.list, scan.code, scan.direction, scan.scanned_at or self._clock())
        except KeyError:
            self.queue.decide(scan.number or 0, "refused", None)
            raise NoAnswer(f"nobody answers, and no snapshot tells of the list `{scan.list}`") from None
        self.queue.decide(scan.number or 0, decision.decided, self.knowledge.synced_at)
        self.knowledge.note(scan.list, decision)
        return Shown(scan.scan_id, decision.outcome, decision.reason, by_itself=True)

    # Afterwards.

    async def upload(self, batch: int = MAX_SCANS) -> None:
        """Brings what waits, `batch` at a time, until nothing does. Raises `NoAnswer` (what waits, waits on), `Refused`."""
        while waiting := self.queue.waiting()[:batch]:
            answer = _batches.decode(await self._ask("POST", "/checkins/batch", encode({"scans": waiting})))
            self._merge(waiting, answer)

    async def prove(self) -> Proof:
        """How much is stored. What the server has lost waits again. Raises `NoAnswer`, `Refused`."""
        mark = _marks.decode(await self._ask("GET", "/checkins/mark")).mark
        self.lost += self.queue.prove(mark)
        return Proof(mark, self.queue.last, dict(self.queue.problems))

    def _merge(self, scans: Sequence[CheckIn], answer: BatchAnswer) -> None:
        busy = False
        stored = []
        for scan, result in zip(scans, answer.results, strict=True):
            if result.error is None:
                stored.append(scan.number or 0)
                self._learn(scan, result)
            elif result.error.status == BUSY:
                busy = True
            else:
                self.queue.fail(scan.number or 0, result.error)
        self.queue.store(stored)
        if answer.mark is not None:
            self.lost += self.queue.prove(answer.mark)
        if busy:
            raise NoAnswer("the server has too much to do")

    def _learn(self, scan: CheckIn, result: BatchResult) -> None:
        """What the others did stands in the next snapshot; this is what no snapshot says."""
        if result.conflict:
            self.conflicts.append(result)
        if result.clock is not None:
            self.wrong_clock.add(scan.scan_id)
        if result.reason in ("revoked", "cancelled"):
            badge = self.knowledge.badge_of(scan.code)
            if badge is not None:
                self.knowledge.void.add(badge)

    async def _ask(self, method: str, path: str, body: bytes = b"", within: float = TRANSFER_SECONDS) -> bytes:
        try:
            async with asyncio.timeout(within):
                return _read(await self._network.send(method, self._event + path, self._token, body))
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error

    def _time(self) -> float:
        return asyncio.get_running_loop().time()


def _read(reply: Reply) -> bytes:
    """The body of an answer; raises `Refused` for a problem, `NoAnswer` where the server asks to come again."""
    if reply.status == BUSY or (reply.status >= 500 and not reply.body):
        raise NoAnswer("the server has too much to do")
    if reply.status >= 400:
        raise Refused(_problems.decode(reply.body))
    return reply.body
