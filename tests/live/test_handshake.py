"""What is let through to the websocket: the feed of an event there is, from pages that may."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from server.config import Settings
from server.live.gateway import Gateway
from tests.conftest import running_gateway
from tests.sockets import phone


async def status(url: str, **options: object) -> int:
    """What the handshake is answered with."""
    try:
        async with phone(url, **options) as client:
            await client.hello("announcements")
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_pages_of_other_sites_may_not_open_the_feed(feed: str) -> None:
    host = urlsplit(feed).hostname
    for origin, expected in (
        (None, 101),
        (f"http://{host}", 101),
        (f"https://{host}:8443", 101),
        ("https://evil.example", 403),
        (f"https://{host}.evil.example", 403),
        (f"https://evil.example/{host}", 403),
        (f"https://{host}@evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        (f"{host}", 403),
    ):
        found = await status(feed, origin=None if origin is None else Origin(origin))
        assert found == expected, origin


async def test_listed_origins_may(settings: Settings) -> None:
    listed = msgspec.structs.replace(settings, allowed_origins=("https://app.example", "http://localhost:5173"))
    async with running_gateway(listed) as feed:
        for origin, expected in (
            ("https://app.example", 101),
            ("http://localhost:5173", 101),
            ("http://app.example", 403),
            ("https://app.example:444", 403),
            ("http://localhost:5174", 403),
        ):
            assert await status(feed, origin=Origin(origin)) == expected, origin
    async with running_gateway(msgspec.structs.replace(settings, allowed_origins=("*",))) as feed:
        assert await status(feed, origin=Origin("https://anywhere.example")) == 101


async def test_an_event_is_found_by_slug_or_id_and_no_other_way(feed: str, event_id: object) -> None:
    base = feed.removesuffix("digital-now/live")
    for path, expected in (
        (f"{event_id}/live", 101),
        ("digital-now/live?x=1", 101),
        ("nowhere/live", 404),
        ("%00/live", 404),
        (f"{'x' * 3000}/live", 404),
        ("00000000-0000-0000-0000-000000000000/live", 404),
        ("digital-now/live/more", 404),
        ("digital-now", 404),
        ("", 404),
    ):
        assert await status(base + path) == expected, path


async def test_the_gateway_tells_how_it_is(feed: str, gateways: list[Gateway]) -> None:
    """Over plain HTTP; one that is about to stop takes nobody new."""
    base = "http" + feed.removeprefix("ws").removesuffix("/v1/events/digital-now/live")
    async with httpx.AsyncClient() as client:
        for draining, ready, live in ((False, 200, 426), (True, 503, 503)):
            gateways[0].draining = draining
            assert (await client.get(f"{base}/health/live")).status_code == 200
            assert (await client.get(f"{base}/health/ready")).status_code == ready
            assert (await client.get(f"{base}/v1/events/digital-now/live")).status_code == live
            assert (await client.get(base)).status_code == 404
