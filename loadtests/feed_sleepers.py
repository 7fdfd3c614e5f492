"""A crowd of phones of which some stop reading: `python -m loadtests.feed_sleepers URL COUNT SLEEPERS`, led by `SleepyCrowd`.

A sleeper is not polite about it: nothing is taken from its socket any more, whose buffer is small, so the server's kernel and
then the server have to keep what is for it. Deliveries are counted of those who are awake.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence

from msgspec import Struct

from loadtests import frames
from loadtests.feed_clients import Client, Clients, carry_on, until
from loadtests.feed_crowd import Collect, Connect, Crowd, Delivered, Drop, Look, Standing

RECEIVE_BUFFER = 4096


class Sleep(Struct, frozen=True, tag=True):
    """The sleepers stop reading."""

    wake_after: list[float]
    """Seconds after which one of them reads again, one for each of the first; the others sleep on."""


class Wake(Struct, frozen=True, tag=True):
    """All sleepers read again, hear how they stand, and come back where they were closed."""

    seconds: float
    """How long to wait until all have everything."""
    seq: int
    """The last event there is."""


class Slept(Struct, frozen=True):
    """Answer to `Wake`."""

    told: int
    """Sleepers who read on the wire that they were closed, with 4001."""
    otherwise: int
    """Who read another code."""
    in_time: int
    """Those of `wake_after` who woke before they were closed: they have everything, over the same connection."""
    resumed: int
    """Who came back and went on from where they were."""
    behind: int
    """Who do not have everything in the end."""


SleepyCommand = Connect | Drop | Collect | Look | Sleep | Wake

SLOW = 4001


class SleepyCrowd(Crowd):
    """The crowd seen from the load test."""

    MODULE = "loadtests.feed_sleepers"

    def __init__(self, url: str, count: int, sleepers: int) -> None:
        super().__init__(url, count, str(sleepers))
        self.awake = count - sleepers

    def sleep(self, wake_after: Sequence[float]) -> None:
        self._ask(Sleep([*wake_after]), Standing, 30.0)

    def wake(self, seq: int, *, seconds: float) -> Slept:
        return self._ask(Wake(seconds, seq), Slept, 2 * seconds + 60.0)


class Sleeper(Client):
    """A phone that stops reading now and then."""

    __slots__ = ("asleep", "code", "lost", "woke")

    def __init__(self, crowd: Sleepers) -> None:
        super().__init__(crowd)
        self.begin()

    def begin(self) -> None:
        """Of a round."""
        self.asleep = self.woke = self.lost = False
        self.code: int | None = None

    def sleep(self) -> None:
        if self.transport is not None:
            self.asleep = True
            self.transport.pause_reading()

    def wake(self) -> None:
        if self.asleep and self.transport is not None:
            self.asleep, self.woke = False, True
            self.transport.resume_reading()

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.CLOSE:
            self.code = int.from_bytes(payload[:2], "big")
        super()._take(opcode, payload)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        super().connection_lost(error)


class Sleepers(Clients):
    """All phones of this process; the last of them are the sleepers."""

    COMMANDS = SleepyCommand

    def __init__(self, url: str, count: int, sleepers: int) -> None:
        super().__init__(url, count, bare=False)
        self._sleepers = [Sleeper(self) for _ in range(sleepers)]
        self._clients[count - sleepers :] = self._sleepers
        self._woken: list[Sleeper] = []

    async def _open(self, client: Client) -> None:
        if not isinstance(client, Sleeper):
            await super()._open(client)
            return
        small = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        small.setblocking(False)  # noqa: FBT003 - the call's own form
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(small, (self.host, self.port))
            await loop.create_connection(lambda: client, sock=small)
        except BaseException:
            small.close()
            raise

    def note(self, client: Client, seq: int) -> None:
        if isinstance(client, Sleeper):
            self.gaps += client.seq is not None and seq != client.seq + 1
            client.seq = seq
        else:
            super().note(client, seq)

    @property
    def counted(self) -> int:
        """Those who are awake."""
        return len(self._clients) - len(self._sleepers)

    async def collect(self, wanted: Collect) -> Delivered:
        delivered = await super().collect(wanted)
        del self.arrivals[wanted.seq]  # there are many announcements, and 4,500 times for each
        return delivered

    def _sleep(self, wake_after: Sequence[float]) -> Standing:
        for client in self._sleepers:
            client.begin()
            client.sleep()
        self._woken = self._sleepers[: len(wake_after)]
        for client, seconds in zip(self._woken, wake_after, strict=True):
            asyncio.get_running_loop().call_later(seconds, client.wake)
        return self.look()

    async def _wake(self, wanted: Wake) -> Slept:
        in_time = [client for client in self._woken if client.woke and not client.lost]
        for client in self._sleepers:
            client.wake()
        await until(lambda: not self._reading(wanted.seq), wanted.seconds)
        codes = [client.code for client in self._sleepers if client.code is not None]
        back = [client for client in self._sleepers if client.transport is None]
        places = asyncio.Semaphore(500)
        resumed = sum([bool(one) for one in await asyncio.gather(*(self._arrive(one, places) for one in back))])
        await until(lambda: not self._behind(wanted.seq), wanted.seconds)
        return Slept(
            told=codes.count(SLOW),
            otherwise=len(codes) - codes.count(SLOW),
            in_time=sum(not client.lost for client in in_time),
            resumed=resumed,
            behind=self._behind(wanted.seq),
        )

    def _reading(self, seq: int) -> bool:
        """Whether somebody is neither closed nor at the end."""
        return any(client.transport is not None and (client.seq or 0) < seq for client in self._sleepers)

    def _behind(self, seq: int) -> int:
        return sum((client.seq or 0) < seq for client in self._sleepers)

    async def carry_out(self, command: SleepyCommand) -> Struct:
        match command:
            case Sleep(wake_after):
                return self._sleep(wake_after)
            case Wake():
                return await self._wake(command)
            case _:
                return await super().carry_out(command)


def main(argv: list[str]) -> None:
    carry_on(Sleepers(argv[0], int(argv[1]), int(argv[2])))


if __name__ == "__main__":
    main(sys.argv[1:])
