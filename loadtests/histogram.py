"""Latencies in log-linear buckets: constant memory, any range, an error below 1 %, mergeable between processes.

The layout is that of HdrHistogram with seven bits of precision: values below 256 µs have a bucket each, above that every
doubling is cut into 128 equal buckets.
"""

from __future__ import annotations

import math

from msgspec import Struct

BITS = 7
_HALF = 1 << BITS
MICROSECONDS = 1_000_000
CURVE_STEPS = 60


class Packed(Struct, frozen=True):
    """A histogram as JSON. Times in microseconds."""

    buckets: list[tuple[int, int]]
    """Index and count, in the order of time."""
    least: int
    most: int


class Histogram:
    """Counts of durations. Durations go in and come out in seconds."""

    __slots__ = ("_counts", "count", "least", "most")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.least = 0
        self.most = 0
        """Exact, in microseconds."""

    def record(self, seconds: float) -> None:
        """Counts one duration. A negative one, from clocks read in a race, counts as 0."""
        value = max(0, int(seconds * MICROSECONDS))
        index = index_of(value)
        self._counts[index] = self._counts.get(index, 0) + 1
        self.least = value if self.count == 0 else min(self.least, value)
        self.most = max(self.most, value)
        self.count += 1

    def percentile(self, percent: float) -> float:
        """The duration in seconds that `percent` of all did not exceed; 0 when nothing was recorded.

        It is the upper end of its bucket, never above the true longest: a percentile is never shown too small.
        """
        wanted = max(1, math.ceil(self.count * percent / 100))
        seen = 0
        for index in sorted(self._counts):
            seen += self._counts[index]
            if seen >= wanted:
                return min(upper_end(index), self.most) / MICROSECONDS
        return 0.0

    @property
    def longest(self) -> float:
        return self.most / MICROSECONDS

    def merge(self, other: Histogram) -> None:
        """Adds what another one has counted."""
        if not other.count:
            return
        self.least = min(self.least, other.least) if self.count else other.least
        self.most = max(self.most, other.most)
        self.count += other.count
        for index, count in other._counts.items():
            self._counts[index] = self._counts.get(index, 0) + count

    def curve(self) -> list[tuple[float, float]]:
        """Points (how rare, seconds) for a plot of percentiles: 1 stands for 90 %, 2 for 99 %, 3 for 99.9 %. The last
        point is the longest of all."""
        if not self.count:
            return []
        last = math.log10(self.count)
        steps = [last * step / CURVE_STEPS for step in range(CURVE_STEPS)]
        return [*((rare, self.percentile(100 * (1 - 10**-rare))) for rare in steps), (last, self.longest)]

    def pack(self) -> Packed:
        return Packed(sorted(self._counts.items()), self.least, self.most)

    @classmethod
    def unpack(cls, packed: Packed) -> Histogram:
        histogram = cls()
        histogram._counts = dict(packed.buckets)
        histogram.count = sum(histogram._counts.values())
        histogram.least, histogram.most = packed.least, packed.most
        return histogram


def index_of(value: int) -> int:
    """The bucket of a value."""
    shift = max(0, value.bit_length() - BITS - 1)
    return shift * _HALF + (value >> shift)


def upper_end(index: int) -> int:
    """The largest value of a bucket."""
    shift = max(0, index // _HALF - 1)
    return ((index - shift * _HALF + 1) << shift) - 1
