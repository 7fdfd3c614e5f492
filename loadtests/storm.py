"""Scanners that go on whatever happens to the server, and remember every answer they got.

It runs in a thread of its own: the main thread kills and starts the server meanwhile, and must be the one that does,
because the kernel ties a child's life to the thread that started it.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Sequence

from loadtests import checkins
from loadtests.evidence import Asked
from loadtests.generator import now
from loadtests.line import Line, request_for
from loadtests.record import Record
from loadtests.server_under_test import Server

EXITS = 0.15
REPEATS = 0.15
"""Shares of scans that are an exit, and that repeat an earlier scan of the same device word for word."""
ANSWER_SECONDS = 12.0
"""Longer than the server's own patience with its database."""
PAUSE_SECONDS = 0.05
TRIES = 40
"""How often an old question is put again at the end before it counts as unanswered."""


class Storm:
    """All scanners, one connection each."""

    def __init__(self, server: Server, codes: Sequence[str], seed: int) -> None:
        self.record = Record()
        self.asked: dict[tuple[str, str], Asked] = {}
        self.unknown = 0
        """Times a scanner learned nothing: a broken connection, 503."""
        self.unanswered = 0
        """Old questions that got no answer at the end."""
        self.refused: list[str] = []
        """Answers that no scanner should get: neither 200 nor 503."""
        self._server = server
        self._codes = codes
        self._seed = seed
        self._path = f"{server.path}/checkins"
        self._devices = {device.name: device.token for device in server.credentials.devices}
        self._outwards = {device.name for device in server.credentials.devices if device.profile != "kiosk"}
        """Those that may let people out too: a kiosk stands by itself."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storm")

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Returns when every scanner has its last answer, or has given it up."""
        self._over.set()
        self._thread.join()

    def ask_again(self) -> None:
        """Puts every question once more, to a server that is left in peace."""

        async def everybody() -> None:
            by_device = [[asked for asked in self.asked.values() if asked.device == name] for name in self._devices]
            await asyncio.gather(*(self._repeat(questions) for questions in by_device))

        asyncio.run(everybody())

    def _run(self) -> None:
        async def everybody() -> None:
            scanners = (self._scan(name, number) for number, name in enumerate(self._devices))
            await asyncio.gather(*scanners)

        asyncio.run(everybody())

    async def _scan(self, device: str, number: int) -> None:
        source = random.Random(self._seed * 1000 + number)
        exits = EXITS if device in self._outwards else 0.0
        line = Line(self._server)
        own: list[Asked] = []
        while not self._over.is_set():
            if own and source.random() < REPEATS:
                asked = source.choice(own)
            else:
                direction = "exit" if source.random() < exits else "entry"
                asked = Asked(device, checkins.scan_id(source), source.choice(self._codes), direction)
                own.append(asked)
                self.asked[asked.key] = asked
            if not await self._ask(line, asked):
                await asyncio.sleep(source.uniform(0, PAUSE_SECONDS))
        line.close()

    async def _repeat(self, questions: Sequence[Asked]) -> None:
        line = Line(self._server)
        for asked in questions:
            for _ in range(TRIES):
                if await self._ask(line, asked):
                    break
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                self.unanswered += 1
        line.close()

    async def _ask(self, line: Line, asked: Asked) -> bool:
        """Whether an answer came."""
        request = request_for("POST", self._path, self._devices[asked.device], checkins.question(asked, "main"))
        began = now()
        self.record.send(asked, began)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, body = await line.exchange(request)
        except (OSError, EOFError):  # a time-out is an OSError too
            line.close()
            self.unknown += 1
            return False
        if status == b"200":
            self.record.hear(asked, body, began, now())
            return True
        self.unknown += 1
        if status != b"503":
            self.refused.append(f"{status.decode('ascii', 'replace')} {body[:200].decode('utf-8', 'replace')}")
        return False
