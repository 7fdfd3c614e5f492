"""The reference page in a real browser."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from server.demo.load import SLUG
from tests.conftest import Demo
from tests.reference.chromium import Tab

MAIN = "main"
SHOWN = "[...document.querySelectorAll('.operation:not([hidden])')].map((drawn) => drawn.id)"


@pytest.fixture
def origin(api: httpx.AsyncClient) -> str:
    return f"http://{api.base_url.netloc.decode()}"


async def fill(tab: Tab, operation: str, **values: str) -> None:
    """Types into the fields of an operation's form; `token` is its token field."""
    await tab.run(f"document.getElementById('{operation}').open = true")
    for name, value in values.items():
        names = {"body": "[name=body]", "token": "[data-shared=token]"}
        selector = names.get(name, f'[name$=" {name}"]')
        await tab.run(f"""(() => {{
            const field = document.querySelector({json.dumps(f"#{operation} {selector}")});
            field.value = {json.dumps(value)};
            field.dispatchEvent(new Event("input", {{bubbles: true}}));
        }})()""")


async def send(tab: Tab, operation: str) -> tuple[str, str]:
    """Presses the operation's button; the answer's status line and its text."""
    await tab.run(f"document.querySelector('#{operation} form button').click()")
    await tab.settle(f"#{operation} .answer")
    status, text = await tab.run(
        f"['p', 'div'].map((part) => document.querySelector('#{operation} .answer > ' + part).textContent)"
    )
    return status, text


async def show(tab: Tab, origin: str, document: dict[str, Any]) -> None:
    """The page with another document than the server's."""
    tab.substitute = json.dumps(document).encode()
    await tab.call("Fetch.enable", patterns=[{"urlPattern": "*/openapi.json"}])
    await tab.open(f"{origin}/docs", drawn=MAIN)


def document(description: str, schemas: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
    operation = {
        "operationId": "postNode",
        "description": description,
        "security": [{"token": ["device", "organizer"]}],
        "requestBody": {"content": content},
        "responses": {"200": {"description": description, "content": content}},
    }
    paths = {"/nodes": {"post": operation}}
    return {"info": {"title": description, "version": "1"}, "paths": paths, "components": {"schemas": schemas}}


async def test_every_operation_is_drawn_without_complaint(api: httpx.AsyncClient, origin: str, tab: Tab) -> None:
    published = (await api.get(f"{origin}/openapi.json")).json()
    wanted = {
        (operation["operationId"], method.upper(), path)
        for path, item in published["paths"].items()
        for method, operation in item.items()
    }
    await tab.open(f"{origin}/docs", drawn=MAIN)
    drawn = await tab.run("""[...document.querySelectorAll(".operation")].map((drawn) =>
        [drawn.id, drawn.querySelector(".method").textContent, drawn.querySelector("summary code").textContent])""")

    assert {tuple(line) for line in drawn} == wanted
    assert len(drawn) == len(wanted)
    assert tab.complaints == []
    assert {request["url"].removeprefix(origin).split(",")[0] for request in tab.requests} <= {
        "/docs", "/docs/page.css", "/docs/page.js", "/openapi.json", "data:",
    }  # fmt: skip


async def test_a_file_from_elsewhere_is_refused_and_noticed(origin: str, tab: Tab) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    refused = await tab.run("""new Promise((resolve) => {
        addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        const link = Object.assign(document.createElement("link"), {rel: "stylesheet", href: "http://elsewhere.invalid/a.css"});
        document.head.append(link);
    })""")
    assert refused == "style-src-elem"
    assert any("elsewhere.invalid" in complaint for complaint in tab.complaints)


async def test_links_within_the_page_lead_somewhere(tab: Tab, origin: str) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    dead = await tab.run("""[...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href").slice(1))
        .filter((id) => !document.getElementById(id))""")
    assert dead == []


async def test_a_link_to_an_operation_opens_it(tab: Tab, origin: str) -> None:
    await tab.open(f"{origin}/docs#getEvent", drawn=MAIN)
    assert await tab.run("[...document.querySelectorAll('.operation[open]')].map((drawn) => drawn.id)") == ["getEvent"]


async def test_trying_to_read_an_event_shows_its_answer(api: httpx.AsyncClient, origin: str, tab: Tab) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    await fill(tab, "getEvent", event=SLUG, lang="fr")
    status, text = await send(tab, "getEvent")

    assert status.startswith("200 OK")
    assert json.loads(text) == (await api.get("", params={"lang": "fr"})).json()
    assert tab.complaints == []


async def test_a_refusal_is_shown_as_the_problem_it_is(origin: str, tab: Tab) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    await fill(tab, "getEvent", event="no/such event?")
    status, text = await send(tab, "getEvent")
    assert status.startswith("404 ")
    assert json.loads(text)["code"] in ("event.unknown", "path.unknown")


async def test_a_token_goes_into_the_header_and_nowhere_else(origin: str, tab: Tab, demo: Demo) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    await fill(tab, "listCheckinLists", event=SLUG, token=demo.device())
    status, text = await send(tab, "listCheckinLists")
    kept = await tab.run("JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.cookie])")
    seen = await tab.run("document.documentElement.outerHTML + document.documentElement.innerText")

    assert status.startswith("200 OK"), text
    assert [list_["key"] for list_ in json.loads(text)["lists"]]
    assert tab.requests[-1]["headers"]["Authorization"] == f"Bearer {demo.device()}"
    assert demo.device() not in kept
    assert demo.device() not in seen
    assert not [request for request in tab.requests if demo.device() in request["url"]]
    assert not [request for request in tab.requests[:-1] if "Authorization" in request["headers"]]


async def test_a_scan_can_be_sent_from_the_page(origin: str, tab: Tab, demo: Demo) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    offered = json.loads(await tab.run("document.querySelector('#postCheckin textarea').value"))
    assert set(offered) >= {"scan_id", "list", "code"}
    body = json.dumps({"scan_id": "from-the-page", "list": "main", "code": demo.badge()})
    await fill(tab, "postCheckin", event=SLUG, token=demo.device(), body=body)
    status, text = await send(tab, "postCheckin")
    assert status.startswith("200 OK")
    assert json.loads(text)["outcome"] == "admitted"


async def test_what_is_typed_shows_in_curl_and_in_the_other_forms(origin: str, tab: Tab, demo: Demo) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    await fill(tab, "getMe", event="it's {me}", token=demo.device())
    await fill(tab, "getSchedule", lang="ar")
    me, schedule = await tab.run("""["getMe", "getSchedule"].map((id) =>
        document.querySelector(`#${id} pre[aria-label="curl command"]`).textContent)""")
    path = f"{origin}/v1/events/it'\\''s%20%7Bme%7D"

    assert me == f"curl \\\n  --header \"Authorization: Bearer $TOKEN\" \\\n  '{path}/me'"
    assert schedule == f"curl '{path}/schedule?lang=ar'"
    assert await tab.run("document.querySelector('#postTicket [data-shared=token]').value") == demo.device()


async def test_copying_works_over_plain_http(origin: str, tab: Tab) -> None:
    await tab.open(f"{origin}/docs#getEvent", drawn=MAIN)
    await tab.run("document.querySelector('#getEvent button[type=button]').click()")
    assert await tab.run("document.querySelector('#getEvent button + span').textContent") == " Copied."
    assert str(await tab.run("getSelection().toString()")).startswith("curl 'http")


async def test_the_filter_leaves_what_matches_every_word(origin: str, tab: Tab) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    everything = await tab.run(SHOWN)
    await tab.run("document.getElementById('filter').value = 'PATCH announcements'")
    await tab.run("document.getElementById('filter').dispatchEvent(new Event('input'))")
    assert await tab.run(SHOWN) == ["patchAnnouncement"]
    assert await tab.run("document.querySelectorAll('.group:not([hidden])').length") == 1
    assert await tab.run("document.getElementById('shown').textContent") == f"1 of {len(everything)} operations"


@pytest.mark.parametrize("width", [320, 1200])
async def test_nothing_sticks_out_sideways(origin: str, tab: Tab, width: int) -> None:
    await tab.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    await tab.open(f"{origin}/docs", drawn=MAIN)
    await tab.run("document.querySelectorAll('details').forEach((drawn) => { drawn.open = true; })")
    assert await tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_every_field_has_a_label_and_every_region_a_name(origin: str, tab: Tab) -> None:
    await tab.open(f"{origin}/docs", drawn=MAIN)
    unlabelled = await tab.run("""[...document.querySelectorAll("input, select, textarea")]
        .filter((field) => !field.labels[0]?.textContent.trim()).map((field) => field.outerHTML)""")
    nameless = await tab.run("""[...document.querySelectorAll("[tabindex='0'], nav, section")]
        .filter((part) => !part.matches("[aria-label], [aria-labelledby]")).map((part) => part.outerHTML)""")
    assert unlabelled == []
    assert nameless == []


async def test_a_schema_that_contains_itself_is_drawn_once(origin: str, tab: Tab) -> None:
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "What it is called.", "enum": ["a", "b"], "maxLength": 9},
            "next": {"oneOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
            "all": {"type": "array", "items": {"$ref": "#/components/schemas/Forest"}, "minItems": 1},
            "self": {"$ref": "#/components/schemas/Loop"},
        },
    }
    forest = {"additionalProperties": {"$ref": "#/components/schemas/Node"}, "type": "object"}
    loop = {"$ref": "#/components/schemas/Loop"}
    await show(tab, origin, document("Recursion.", {"Node": node, "Forest": forest, "Loop": loop}))
    lines = await tab.run("[...document.querySelector('.operation .fields').children].map((line) => line.textContent)")

    assert len(lines) == 4
    assert lines[0] == 'name string, requiredone of "a", "b", at most 9 charactersWhat it is called.'
    assert lines[1] == "next Node or nullNode: its fields stand above"
    assert lines[2].startswith("all list of map of Nodeat least 1 items")
    assert await tab.run("document.querySelector('#postNode summary').textContent.includes('device or organizer')")
    assert tab.complaints == []


async def test_markup_in_the_document_stays_text(origin: str, tab: Tab) -> None:
    text = "<img src=x onerror='window.harmed = 1'><script>window.harmed = 1</script> `<b>code</b>`"
    await show(tab, origin, document(text, {"Node": {"type": "object", "properties": {text: {"type": "string"}}}}))

    assert await tab.run("[...document.querySelectorAll('img, b, script:not([src])')].length") == 0
    assert await tab.run("window.harmed ?? null") is None
    assert await tab.run("document.querySelector('.operation summary p').textContent") == text.replace("`", "")
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        await tab.run("document.body.innerHTML = '<b>markup</b>'")


async def test_a_document_that_cannot_be_read_is_said(origin: str, tab: Tab) -> None:
    tab.substitute = b"not JSON"
    await tab.call("Fetch.enable", patterns=[{"urlPattern": "*/openapi.json"}])
    await tab.open(f"{origin}/docs", drawn=MAIN)
    assert "could not be drawn" in await tab.run("document.querySelector('[role=alert]').textContent")
