"""A scanner that listens: what others do at the doors reaches it while it has a network, not only with the next snapshot."""

from __future__ import annotations

import msgspec

from loadtests.feed_client import FeedClient, Manners
from loadtests.feed_client_http import FeedHttp
from loadtests.feed_client_state import Event
from loadtests.scanner import Scanner
from server.checkin.events import PASSED, Passed

_passed = msgspec.json.Decoder(Passed)


def listener(scanner: Scanner, http: FeedHttp, live_url: str, manners: Manners | None = None) -> FeedClient:
    """Applies what channel `checkin` says while it runs. What is neither a passing nor this scanner's own business is asked for.

    It raises what `Scanner.refresh` raises, but comes back after `NoAnswer`.
    """

    async def hear(event: Event) -> None:
        if event.kind == PASSED:
            scanner.hear(_passed.decode(event.data))
        else:
            await scanner.refresh()

    async def refetch(_channel: str) -> None:
        await scanner.refresh()

    return FeedClient(http, live_url, ["checkin"], on_event=hear, refetch=refetch, manners=manners)
