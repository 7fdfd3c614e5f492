"""How often something may be done: so many times at once, then one after each pause. Pure: the caller brings the clock."""

from __future__ import annotations


class Allowance:
    """What one client, or one token, may still do."""

    __slots__ = ("_burst", "_left", "_pause", "_seen_at")

    def __init__(self, burst: float, pause: float, now: float) -> None:
        """`pause`: seconds after which one more is allowed, up to `burst`."""
        self._burst = burst
        self._pause = pause
        self._left = burst
        self._seen_at = now

    def take(self, now: float) -> bool:
        """Uses one up; False where there is none. Those refused are not counted, so waiting always helps."""
        self._refill(now)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def is_whole(self, now: float) -> bool:
        """Whether nothing is used up: forgetting it changes nothing."""
        self._refill(now)
        return self._left >= self._burst

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._seen_at) / self._pause)
        self._seen_at = now
