"""Who may do what: every right of every profile, as agreed, and asked over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, get_args

import httpx
import pytest
from litestar import Litestar, Request, get

from server.auth import Principal
from server.device.errors import ProfileForbids
from server.device.guard import require_right
from server.device.policy import RIGHTS, check_right, may
from server.device.types import Profile, Right
from server.errors import EXCEPTION_HANDLERS
from server.ids import new_id
from tests.conftest import Demo, bearer
from tests.device.conftest import Organizer, paired

AGREED = """
                 scan  scan+search  kiosk  supervisor
check_in          yes          yes    yes         yes
check_out         yes          yes     no         yes
check_in_batch    yes          yes     no         yes
read_lists        yes          yes    yes         yes
snapshot          yes          yes     no         yes
personal_data      no          yes     no         yes
search             no          yes     no         yes
undo_own          yes          yes     no         yes
undo_any           no           no     no         yes
see_conflicts      no           no     no         yes
see_statistics     no           no     no         yes
"""


def agreed() -> dict[tuple[str, str], bool]:
    header, *lines = (line.split() for line in AGREED.strip().splitlines())
    return {
        (profile, right): said == "yes"
        for right, *answers in lines
        for profile, said in zip(header, answers, strict=True)
    }


def differences(rights: Mapping[Profile, frozenset[Right]]) -> list[tuple[str, str]]:
    """Where these rights are not those agreed on."""
    found = {(profile, right): right in held for profile, held in rights.items() for right in get_args(Right)}
    table = agreed()
    return sorted(key for key in found.keys() | table.keys() if found.get(key) != table.get(key))


def test_every_profile_has_exactly_its_rights() -> None:
    assert set(RIGHTS) == set(get_args(Profile))
    assert differences(RIGHTS) == []


def test_a_right_too_many_or_too_few_is_noticed() -> None:
    for profile in get_args(Profile):
        for right in get_args(Right):
            other = RIGHTS | {profile: RIGHTS[profile] ^ {right}}
            assert differences(other) == [(profile, right)]


@pytest.mark.parametrize("profile", [None, "", "Supervisor", "scan ", "organizer"])
def test_a_profile_nobody_knows_has_no_rights(profile: str | None) -> None:
    for right in get_args(Right):
        assert not may(profile, right)
        with pytest.raises(ProfileForbids):
            check_right(profile, right)


class Tokens:
    """Finds whoever a token names."""

    async def find(self, event_id: Any, kind: Any, token: str) -> Principal | None:
        return Principal(kind, event_id, new_id(), "", profile=self.profile if kind == "device" else None)

    profile: str | None = None


class Nothing:
    """An event of any name; hears of devices and forgets them."""

    event_id = new_id()

    async def get(self, _slug: str) -> Nothing:
        return self

    def note(self, *_: object) -> None:
        pass


@pytest.fixture
async def guarded() -> AsyncIterator[tuple[httpx.AsyncClient, Tokens]]:
    """One path a right, for devices and, below `/with`, for organizers too."""

    def handler(right: Right, prefix: str, *others: Any) -> Any:
        @get(f"/{{event:str}}{prefix}/{right}", guards=[require_right(right, *others)])
        async def answer(request: Request[Any, Any, Any]) -> str:
            return str(request.user.kind)

        return answer

    rights = get_args(Right)
    handlers = [handler(right, "", *()) for right in rights] + [
        handler(right, "/with", "organizer") for right in rights
    ]
    app = Litestar(handlers, exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None)
    tokens = Tokens()
    app.state.update(events=Nothing(), principals=tokens, seen=Nothing())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        yield client, tokens


async def test_the_guard_asks_for_the_right(guarded: tuple[httpx.AsyncClient, Tokens], demo: Demo) -> None:
    client, tokens = guarded
    for (profile, right), allowed in agreed().items():
        tokens.profile = profile
        for prefix in ("", "/with"):
            response = await client.get(f"/event{prefix}/{right}", headers=bearer(demo.device()))
            assert response.status_code == (200 if allowed else 403), (profile, right, response.text)
            assert allowed or response.json()["code"] == "device.profile_forbids"


async def test_the_guard_lets_others_pass_only_where_they_are_named(
    guarded: tuple[httpx.AsyncClient, Tokens], demo: Demo
) -> None:
    client, _ = guarded
    organizer, attendee = bearer(demo.file.organizer_token), bearer(demo.attendees[0]["token"])
    for right in get_args(Right):
        assert (await client.get(f"/event/with/{right}", headers=organizer)).status_code == 200
        for path, headers in ((f"/event/{right}", organizer), (f"/event/with/{right}", attendee)):
            response = await client.get(path, headers=headers)
            assert (response.status_code, response.json()["code"]) == (403, "auth.forbidden")
        assert (await client.get(f"/event/{right}")).status_code == 401


def test_the_guard_says_whose_tokens_it_takes() -> None:
    """The OpenAPI document reads it there."""
    assert vars(require_right("search"))["kinds"] == ("device",)
    assert vars(require_right("search", "organizer"))["kinds"] == ("device", "organizer")


async def test_a_device_is_told_its_rights(organizer: Organizer) -> None:
    made = await asyncio.gather(*(organizer.add(profile=profile) for profile in get_args(Profile)))
    for one in made:
        token = await paired(organizer.api, one["pairing"]["code"])
        me = (await organizer.api.get("/devices/me", headers=bearer(token))).json()
        assert me["profile"] == one["device"]["profile"]
        assert me["rights"] == sorted(
            right for (profile, right), yes in agreed().items() if yes and profile == me["profile"]
        )
