"""The reference page's files: what is sent with them, what they refer to, and their colours."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from server.reference import routes

FILES = {"/docs": "text/html", "/docs/page.js": "text/javascript", "/docs/page.css": "text/css"}
FOLDER = Path(routes.__file__).parent
SOURCES = {name: (FOLDER / name).read_text(encoding="utf-8") for name in ("page.html", "page.js", "page.css")}
ELSEWHERE = re.compile(r"\b[a-z]+://|(?<=[\"'(=])\s*//[\w.]|@import|data:[a-z]", re.IGNORECASE)
AS_MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\b|Function\("
)
KEEPING = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|history\.|caches\b")


@pytest.fixture
def origin(api: httpx.AsyncClient) -> str:
    return f"http://{api.base_url.netloc.decode()}"


@pytest.mark.parametrize("path", FILES)
async def test_every_file_comes_with_its_type_and_forbids_what_it_does_not_need(
    api: httpx.AsyncClient, origin: str, path: str
) -> None:
    response = await api.get(origin + path)
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{FILES[path]}; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert policy.pop("default-src") == "'none'"
    assert {policy.pop(f"{kind}-src") for kind in ("script", "style", "connect")} == {"'self'"}
    assert {policy.pop(name) for name in ("base-uri", "form-action", "frame-ancestors", "trusted-types")} == {"'none'"}
    assert policy == {"img-src": "data:", "require-trusted-types-for": "'script'"}, "nothing more is allowed"


@pytest.mark.parametrize("path", FILES)
async def test_a_file_that_the_browser_holds_is_not_sent_again(api: httpx.AsyncClient, origin: str, path: str) -> None:
    first = await api.get(origin + path)
    again = await api.get(origin + path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    changed = await api.get(origin + path, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"] == "no-cache"
    assert (changed.status_code, changed.content) == (200, first.content)


async def test_files_have_tags_of_their_own(api: httpx.AsyncClient, origin: str) -> None:
    assert len({(await api.get(origin + path)).headers["etag"] for path in FILES}) == len(FILES)


@pytest.mark.parametrize(
    "name", ["page.html", "routes.py", "__init__.py", "..%2Froutes.py", "%2e%2e%2fapp.py", "page.js%00"]
)
async def test_nothing_else_is_served(api: httpx.AsyncClient, origin: str, name: str) -> None:
    response = await api.get(f"{origin}/docs/{name}")
    assert response.status_code == 404
    assert response.json()["code"] == "path.unknown"


async def test_the_page_is_no_part_of_the_document_it_shows(api: httpx.AsyncClient, origin: str) -> None:
    assert not [path for path in (await api.get(f"{origin}/openapi.json")).json()["paths"] if path.startswith("/docs")]


@pytest.mark.parametrize("name", SOURCES)
def test_the_page_refers_to_nothing_elsewhere(name: str) -> None:
    assert not ELSEWHERE.findall(SOURCES[name])


@pytest.mark.parametrize(
    "broken",
    [
        '<script src="https://cdn.example/page.js"></script>',
        '<script src="//cdn.example/page.js"></script>',
        "fetch('wss://example.org')",
        "body { background: url(//example.org/dot.png) }",
        "@import 'more.css';",
        '<img src="data:image/png;base64,AAAA">',
    ],
)
def test_a_reference_to_elsewhere_is_noticed(broken: str) -> None:
    assert ELSEWHERE.search(broken)


def test_the_script_makes_no_markup_of_texts_and_keeps_nothing() -> None:
    assert not AS_MARKUP.findall(SOURCES["page.js"])
    assert not KEEPING.findall(SOURCES["page.js"])
    assert AS_MARKUP.search('place.innerHTML = "<b>" + text')
    assert KEEPING.search('localStorage.setItem("token", token)')


def test_colours_have_enough_contrast_by_day_and_by_night() -> None:
    day, night = re.findall(r":root \{(.*?)\}", SOURCES["page.css"], re.DOTALL)
    assert not too_faint(colours(day))
    assert not too_faint(colours(night))
    assert too_faint({**colours(day), "soft": "#8a929c"}) == {"soft on page", "soft on raised"}


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", block))


def too_faint(scheme: dict[str, str]) -> set[str]:
    """Pairs below the ratios of WCAG 2.2 level AA: 4.5 for text (1.4.3), 3 for the edge of a field (1.4.11)."""
    found = set()
    for name, colour in scheme.items():
        for ground in {"page", "raised"} - {name}:
            needed = {"page": 0, "raised": 0, "line": 0, "edge": 3}.get(name, 4.5)
            lighter, darker = sorted((luminance(colour), luminance(scheme[ground])), reverse=True)
            if (lighter + 0.05) / (darker + 0.05) < needed:
                found.add(f"{name} on {ground}")
    return found


def luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rgb` or `#rrggbb`."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
