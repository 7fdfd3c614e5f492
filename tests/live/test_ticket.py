"""The ticket: only one's own, only in time, and nothing else passes for one."""

from __future__ import annotations

import base64
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from server.auth import Kind, Principal
from server.ids import new_id
from server.live.ticket import LIFETIME_SECONDS, MAX_LENGTH, TicketExpired, TicketInvalid, issue, verify

KEY = bytes(range(32))
NOW = 1_800_000_000.0
BASE64URL = string.ascii_letters + string.digits + "-_"


def make_principal(kind: Kind = "device") -> Principal:
    since = datetime(2026, 12, 18, 8, 0, 0, 123_456, UTC) if kind == "device" else None
    return Principal(kind, new_id(), new_id(), "", new_id() if kind == "exhibitor" else None, since=since)


@pytest.mark.parametrize("kind", ["organizer", "device", "exhibitor", "attendee"])
def test_a_ticket_says_whose_it_is(kind: Kind) -> None:
    principal = make_principal(kind)
    ticket = issue(KEY, principal, now=NOW)
    assert verify(KEY, ticket, now=NOW + LIFETIME_SECONDS - 1).principal == principal
    assert len(ticket) < MAX_LENGTH / 2


def test_a_ticket_does_not_carry_the_name() -> None:
    principal = Principal("attendee", new_id(), new_id(), "Salma Bennani")
    body = issue(KEY, principal, now=NOW).partition(".")[0]
    assert b"Salma" not in base64.urlsafe_b64decode(body + "==")
    assert verify(KEY, issue(KEY, principal, now=NOW), now=NOW).principal.name == ""


def test_every_changed_character_is_noticed() -> None:
    ticket = issue(KEY, make_principal(), now=NOW)
    for place, character in enumerate(ticket):
        for other in BASE64URL + ".=+/ ":
            if other != character:
                with pytest.raises(TicketInvalid):
                    verify(KEY, ticket[:place] + other + ticket[place + 1 :], now=NOW)


def test_a_shortened_or_lengthened_ticket_is_noticed() -> None:
    ticket = issue(KEY, make_principal(), now=NOW)
    for cut in range(len(ticket)):
        with pytest.raises(TicketInvalid):
            verify(KEY, ticket[:cut], now=NOW)
    for more in ("A", "=", ".", " ", "\n", "\x00", "é"):
        for changed in (ticket + more, more + ticket):
            with pytest.raises(TicketInvalid):
                verify(KEY, changed, now=NOW)


def test_the_halves_of_two_tickets_make_none() -> None:
    one, other = (issue(KEY, make_principal(), now=NOW).split(".") for _ in range(2))
    with pytest.raises(TicketInvalid):
        verify(KEY, f"{one[0]}.{other[1]}", now=NOW)


def test_a_ticket_ends_with_its_last_second() -> None:
    ticket = issue(KEY, make_principal(), now=NOW)
    for late in (LIFETIME_SECONDS, LIFETIME_SECONDS + 1, 10**9):
        with pytest.raises(TicketExpired):
            verify(KEY, ticket, now=NOW + late)


def test_an_expired_forgery_is_called_a_forgery() -> None:
    with pytest.raises(TicketInvalid):
        verify(KEY, issue(bytes(32), make_principal(), now=NOW), now=NOW + LIFETIME_SECONDS)


def test_another_installation_s_ticket_is_worth_nothing() -> None:
    with pytest.raises(TicketInvalid):
        verify(KEY, issue(KEY[::-1], make_principal(), now=NOW), now=NOW)


@pytest.mark.parametrize(
    "ticket", ["", ".", "..", "a.b", "A" * 10_000_000, "." * 100_000, "é.é", "\ud800.", "null", "{}.x"]
)
def test_junk_is_no_ticket(ticket: str) -> None:
    with pytest.raises(TicketInvalid):
        verify(KEY, ticket, now=NOW)


@given(st.text())
def test_no_text_is_a_ticket_by_chance(text: str) -> None:
    with pytest.raises(TicketInvalid):
        verify(KEY, text, now=NOW)
