"""What a phone has read of a channel, as a number and a digest, and the same of the table. Pure.

A phone that kept 100,000 events could be compared with the table event by event; 5,000 phones keep a digest of all they have
read, in the order in which they read it. It covers of each event what the table holds: its id, its kind and its data, to the
letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from msgspec import Struct

ID, ID_LENGTH, KIND = b'"id":"', 36, b'","kind":"'


class Entry(Struct, frozen=True):
    """A row of the table."""

    channel: str
    seq: int
    id: str
    kind: str
    data: str


class Standing(Struct, frozen=True):
    """How far a channel has come, or a phone in it."""

    epoch: str
    seq: int
    digest: int


class Counts(Struct):
    """What all phones together went through."""

    deliveries: int = 0
    over_http: int = 0
    """Of them."""
    gaps: int = 0
    """Times something was left out."""
    reorders: int = 0
    """Times something came again, or too late."""
    resumes: int = 0
    """Channels that were gone on with after a connection's end."""
    catch_ups: int = 0
    """Channels whose log was too long to be gone on with, and was read over HTTP."""
    replaced: int = 0
    """Times a channel's log was said to be another one."""
    forbidden: int = 0


class Ledger:
    """One phone's reading of one channel."""

    __slots__ = ("digest", "epoch", "heard", "held", "seq")

    def __init__(self) -> None:
        self.epoch: str | None = None
        """None: not known yet."""
        self.seq = 0
        """The last event that was read."""
        self.digest = 0
        self.heard = 0
        """The last event that came over the present socket, or before which it began. Pages may be ahead of it."""
        self.held: list[tuple[int, bytes]] | None = None
        """What came over the socket while the phone was catching up; None: it is not."""

    def begin(self, epoch: str) -> None:
        """Forgets everything: this is another log."""
        self.epoch, self.seq, self.digest, self.held = epoch, 0, 0, None

    def resume(self) -> None:
        """The socket goes on from where the phone is."""
        self.heard, self.held = self.seq, None

    def start_catching_up(self, until: int) -> None:
        """The socket goes on after `until`; what is between comes over HTTP."""
        self.heard, self.held = until, []

    def hear(self, seq: int, payload: bytes, counts: Counts) -> None:
        """An event came over the socket."""
        if seq <= self.heard:
            counts.reorders += 1
            return
        counts.gaps += seq != self.heard + 1
        self.heard = seq
        if self.held is not None:
            self.held.append((seq, payload))
        elif seq > self.seq:  # what a page brought already is no repetition
            self._read(seq, payload, counts)

    def read(self, seq: int, payload: bytes, counts: Counts) -> None:
        """An event stood in a page."""
        if seq <= self.seq:
            counts.reorders += 1
            return
        counts.over_http += 1
        self._read(seq, payload, counts)

    def caught_up(self, counts: Counts) -> None:
        """There are no more pages; goes on with what was held."""
        held, self.held = self.held or [], None
        for seq, payload in held:
            if seq > self.seq:
                self._read(seq, payload, counts)

    def _read(self, seq: int, payload: bytes, counts: Counts) -> None:
        counts.gaps += seq != self.seq + 1
        counts.deliveries += 1
        self.seq = seq
        self.digest = digest_of(payload, self.digest)


def digest_of(payload: bytes, before: int) -> int:
    """The digest with one more event, which is as it came over the socket or as it stood in a page."""
    at = payload.find(ID) + len(ID)
    return crc32(payload[payload.find(KIND, at) :], crc32(payload[at : at + ID_LENGTH], before))


def standings(rows: Iterable[Entry], epochs: dict[str, str]) -> tuple[dict[str, Standing], int]:
    """How far every channel has come by the table, and how many numbers are missing in it. `epochs` names the channels; rows come
    in the order of their numbers."""
    found = {channel: Standing(epoch, 0, 0) for channel, epoch in epochs.items()}
    holes = 0
    for row in rows:
        before = found[row.channel]
        holes += row.seq - before.seq - 1
        digest = crc32(
            f'{KIND.decode()}{row.kind}","data":{row.data}}}'.encode(), crc32(row.id.encode(), before.digest)
        )
        found[row.channel] = Standing(before.epoch, row.seq, digest)
    return found, holes
