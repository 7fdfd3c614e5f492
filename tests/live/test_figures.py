"""What a gateway tells Prometheus is what it does."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx
from prometheus_client.parser import text_string_to_metric_families

from server.live.gateway import Gateway
from tests.conftest import Demo, Publish
from tests.live.conftest import TicketFor
from tests.live.streams import listening
from tests.sockets import phone
from tests.waiting import until


async def figures(feed: str) -> dict[str, float]:
    url = feed.replace("ws://", "http://").partition("/v1/")[0]
    async with httpx.AsyncClient() as outside:
        answer = await outside.get(f"{url}/metrics")
    assert answer.status_code == 200
    return {
        "/".join([sample.name, *(sample.labels.values())]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_connections_events_and_endings_are_counted(
    feed: str, gateways: list[Gateway], demo: Demo, ticket_for: TicketFor, publish: Publish
) -> None:
    async with AsyncExitStack() as stack:
        anybody, device, newer = [await stack.enter_async_context(phone(feed)) for _ in range(3)]
        listener = await stack.enter_async_context(listening(feed))
        await listener.message()
        await anybody.hello("announcements")
        for one in (device, newer):
            await one.hello("checkin", ticket=await ticket_for("device", demo.device()))
        assert (await device.ending())[0] == 4102
        await publish(count=3)
        await anybody.events(3)
        await until(lambda: len(gateways[0].sessions) == 3)  # the one that was closed is gone
        found = await figures(feed)
    assert found["digitalnow_live_connections/websocket"] == 2
    assert found["digitalnow_live_connections/stream"] == 1
    assert found["digitalnow_live_holders/device"] == 1
    assert found["digitalnow_live_holders/nobody"] == 2
    assert found["digitalnow_live_closed_total/4102/replaced by a newer connection"] == 1
    assert found["digitalnow_live_events_total"] == 3
    assert found["digitalnow_live_queries_total"] >= 3
    assert found["process_open_fds"] > 0
