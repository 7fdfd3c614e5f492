"""A real browser for the tests: headless Chromium, driven over its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/ describes the messages.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # its sandbox refuses to start as root; it only ever sees our own pages
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)
SETTLED = """new Promise((resolve) => {
  const element = () => document.querySelector(SELECTOR);
  const check = () => element()?.getAttribute("aria-busy") === "false" && (observer.disconnect(), resolve(true));
  const observer = new MutationObserver(check);
  observer.observe(document, {subtree: true, childList: true, attributes: true});
  check();
})"""


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class Tab:
    """One page of the browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""
        self._loaded = asyncio.Event()
        self.substitute: bytes | None = None
        """What the page gets instead of the server's OpenAPI document, once `Fetch.enable` was sent."""
        self.complaints: list[str] = []
        """Whatever would stand in the developer's console as an error or a warning."""
        self.requests: list[dict[str, Any]] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result. Raises `RuntimeError` with the browser's reason."""
        answer = await (await self._send(method, params))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def attach(self) -> None:
        """Makes the page, with storage of its own that ends with the connection."""
        context = await self.call("Target.createBrowserContext", disposeOnDetach=True)
        target = await self.call("Target.createTarget", url="about:blank", browserContextId=context["browserContextId"])
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def open(self, url: str, *, drawn: str) -> None:
        """Loads a page and waits until the element of that selector says that it is not busy any more."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await self._loaded.wait()
        await self.settle(drawn)

    async def settle(self, selector: str) -> None:
        await self.run(SETTLED.replace("SELECTOR", json.dumps(selector)))

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to. Raises `RuntimeError`."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = await self.call("Runtime.evaluate", expression=script, **options)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "the script failed"))
        return answer["result"].get("value")

    async def listen(self) -> None:
        """Takes what the browser says until the connection ends."""
        async for text in self._connection:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            else:
                await self._hear(message["method"], message["params"])

    async def _hear(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Fetch.requestPaused":
            await self._fulfil(params["requestId"])

    async def _send(self, method: str, params: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        number = next(self._ids)
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params}
        await self._connection.send(json.dumps({**message, "sessionId": self._session} if self._session else message))
        return answer

    async def _fulfil(self, request_id: str) -> None:
        """Does not wait for the result, which only the loop that called this could take."""
        body = base64.b64encode(self.substitute or b"").decode()
        headers = [{"name": "Content-Type", "value": "application/json"}]
        params = {"requestId": request_id, "responseCode": 200, "responseHeaders": headers, "body": body}
        await self._send("Fetch.fulfillRequest", params)


@asynccontextmanager
async def running_browser(program: str, profile: Path) -> AsyncIterator[str]:
    """A browser with a profile of its own; yields where it takes commands."""
    arguments = (*ARGUMENTS, f"--user-data-dir={profile}", "about:blank")
    silent, read = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    at_home = {**os.environ, "HOME": str(profile)}  # it writes there too, and would make one that is not there
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=silent, stderr=read, env=at_home)
    assert process.stderr is not None
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    reader = asyncio.create_task(_read(process.stderr, address))
    try:
        yield await address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reader


@asynccontextmanager
async def open_tab(address: str) -> AsyncIterator[Tab]:
    """An empty page in the browser that takes commands there; gone at the end."""
    async with connect(address, max_size=None, proxy=None) as connection:
        tab = Tab(connection)
        listener = asyncio.create_task(tab.listen())
        await tab.attach()
        yield tab
    await listener


async def _read(stream: asyncio.StreamReader, address: asyncio.Future[str]) -> None:
    """Finds where the browser takes commands, and goes on reading so that it never waits for a full pipe."""
    said = b""
    async for line in stream:
        said += line
        if line.startswith(b"DevTools listening on ") and not address.done():
            address.set_result(line.split()[-1].decode())
    if not address.done():
        address.set_exception(RuntimeError(f"The browser ended early: {said.decode(errors='replace')}"))
