"""Finding something by what one types, over real HTTP, in the sample event."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Demo, bearer


async def search(api: httpx.AsyncClient, q: str, **more: Any) -> dict[str, Any]:
    answer = await api.get("/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_try(api: httpx.AsyncClient) -> None:
    for q in (
        "banque",
        "ia",
        "intelligence",
        "inteligence artif",
        "الذكاء",
        "ذكاء",
        "salle",
        "digital",
        "zzz",
        "...",
        "l'avenir de la",
        "finnance",
    ):
        found = await search(api, q, lang="fr", limit=4)
        print(q, found["words"], found["corrected"])
        for one in found["results"]:
            print("   ", one["about"], one["title"], "|", one["subtitle"], "|", one["snippet"])
