"""The feed in a real browser: its websocket, its EventSource, and what the latter does by itself when it is cut off."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from server.child import Child
from server.config import Settings
from server.demo.load import SLUG
from server.live import stream as stream_module
from server.live.__main__ import run_gateway
from tests.conftest import Publish
from tests.reference.chromium import Tab
from tests.reference.conftest import browser, tab
from tests.waiting import PATIENCE

__all__ = ["browser", "tab"]

OPEN_SOCKET = """
const socket = new WebSocket(URL_OF_FEED);
window.frames_ = [];
socket.onopen = () => socket.send(JSON.stringify({type: "hello", version: 1, channels: [{name: "announcements"}]}));
socket.onmessage = (message) => {
  const frame = JSON.parse(message.data);
  if (frame.type !== "heartbeat") window.frames_.push(frame);
};
"""
OPEN_SOURCE = """
window.source_ = new EventSource(URL_OF_FEED);
window.frames_ = [];
for (const kind of ["ready", "event", "bye"])
  window.source_.addEventListener(kind, (message) => window.frames_.push(JSON.parse(message.data)));
"""


async def frames(tab: Tab, count: int) -> list[dict[str, Any]]:
    """Everything that has come, when there are so many that are no good-bye."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found: list[dict[str, Any]] = await tab.run("window.frames_")
            if len([one for one in found if one["type"] != "bye"]) >= count:
                return found
            await asyncio.sleep(0.02)


def told(found: list[dict[str, Any]]) -> list[str]:
    return [f"{one['type']} {one.get('seq', '')}".strip() for one in found]


async def open_page(tab: Tab, api: httpx.AsyncClient, script: str, url: str) -> None:
    """Of the server's own host, as an app of the organizer's would be."""
    await tab.call("Page.navigate", url=f"http://{api.base_url.netloc.decode()}/health/live")
    await tab.run(
        "new Promise((resolve) => document.readyState === 'complete' ? resolve(1) : (onload = () => resolve(1)))"
    )
    await tab.run(script.replace("URL_OF_FEED", json.dumps(url)))


@asynccontextmanager
async def gateway_at(settings: Settings, port: int) -> AsyncIterator[int]:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(100)
    child = Child()
    task = asyncio.create_task(run_gateway(settings, listening, child))
    try:
        yield listening.getsockname()[1]
    finally:
        child.stopping.set()
        await task
        listening.close()


async def test_a_page_s_websocket_hears_everything(
    feed: str, tab: Tab, api: httpx.AsyncClient, publish: Publish
) -> None:
    await open_page(tab, api, OPEN_SOCKET, feed)
    await frames(tab, 1)
    await publish(count=2, data="مرحبا")
    found = await frames(tab, 3)
    assert told(found) == ["ready", "event 1", "event 2"]
    assert found[1]["data"] == "مرحبا"


@pytest.mark.parametrize("how", ["stopped", "cut off"])
async def test_a_page_s_event_source_comes_back_where_it_was(
    settings: Settings, tab: Tab, api: httpx.AsyncClient, publish: Publish, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """By the browser's own means, at another gateway."""
    monkeypatch.setattr(stream_module, "RETRY_MILLISECONDS", (50, 50))
    async with gateway_at(settings, 0) as port:
        await open_page(
            tab, api, OPEN_SOURCE, f"http://127.0.0.1:{port}/v1/events/{SLUG}/live/stream?channels=announcements"
        )
        await frames(tab, 1)
        await publish(count=2)
        await frames(tab, 3)
        if how == "cut off":
            await tab.call(
                "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
            )
    await publish(count=2)
    async with gateway_at(settings, port):
        if how == "cut off":
            await tab.call(
                "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
            )
        found = await frames(tab, 6)
        await publish()
        found = await frames(tab, 7)
        assert told([one for one in found if one["type"] == "event"]) == [f"event {seq}" for seq in range(1, 6)]
        again = [one for one in found if one["type"] == "ready"][-1]
        assert again["channels"][0]["resumed"]
        await tab.run("window.source_.close()")
