"""Signed codes: what the event signed is believed, and nothing else; the checks catch careless verifiers."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
import segno
from hypothesis import given, settings, strategies as st

from server.attendee import signed_codes
from server.attendee.codes import ALPHABET, new_short_code
from server.attendee.signed_codes import (
    LENGTH,
    MAX_NUMBER,
    UNTOLD_TICKET,
    NotABadgeOfTheEvent,
    SignedBadge,
    parse,
    public_key_of,
    sign,
    ticket_index_of,
    verify,
)
from server.checkin.policy import STORED_CODE_LENGTH, clean_code

SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
EVENT, OTHER_EVENT = UUID("0193e6a0-0000-7000-8000-000000000001"), UUID("0193e6a0-0000-7000-8000-000000000002")
KEYS = {3: public_key_of(SEED)}
CODE = sign(SEED, EVENT, 3, 4711, 2)

Verifier = Callable[[Mapping[int, bytes], UUID, str], SignedBadge]

events = st.uuids(version=None)
numbers = st.integers(1, MAX_NUMBER)
tickets = st.integers(0, UNTOLD_TICKET)
seeds = st.binary(min_size=32, max_size=32)


def believed(verifier: Verifier, code: str, keys: Mapping[int, bytes] = KEYS, event: UUID = EVENT) -> bool:
    try:
        verifier(keys, event, code)
    except NotABadgeOfTheEvent:
        return False
    return True


def wrongly_believed(verifier: Verifier) -> list[str]:
    """What a verifier believes of that which nobody signed."""
    draw = random.Random(7)
    found = []
    for place, right in enumerate(CODE):
        wrong = draw.choice([character for character in ALPHABET if character != right])
        if believed(verifier, CODE[:place] + wrong + CODE[place + 1 :]):
            found.append(f"character {place}")
    strangers = {
        "another event's": (sign(SEED, OTHER_EVENT, 3, 4711, 2), KEYS, EVENT),
        "another key's": (sign(OTHER_SEED, EVENT, 3, 4711, 2), KEYS, EVENT),
        "an unknown key id's": (sign(SEED, EVENT, 4, 4711, 2), KEYS, EVENT),
        "a retired key's": (CODE, {4: KEYS[3]}, EVENT),
        "without keys": (CODE, {}, EVENT),
        "at another event": (CODE, KEYS, OTHER_EVENT),
        "shortened": (CODE[:-1], KEYS, EVENT),
        "lengthened": (CODE + "0", KEYS, EVENT),
        "with a line end": (CODE + "\n", KEYS, EVENT),
        "twice": (CODE + CODE, KEYS, EVENT),
        "lower case": (CODE.lower(), KEYS, EVENT),
        "without its prefix": (CODE[2:], KEYS, EVENT),
        "a short code": (new_short_code(), KEYS, EVENT),
        "a URL": ("HTTPS://EXAMPLE.ORG/" + "A" * 94, KEYS, EVENT),
        "empty": ("", KEYS, EVENT),
        "look-alike letters": (CODE.replace("0", "O").replace("1", "I"), KEYS, EVENT),
    }
    return found + [name for name, (code, keys, event) in strangers.items() if believed(verifier, code, keys, event)]


def test_nothing_is_believed_that_was_not_signed() -> None:
    assert {"0", "1"} & set(CODE[2:]), "or the look-alikes would be the code itself"
    assert wrongly_believed(verify) == []


def test_careless_verifiers_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsigned(_keys: Mapping[int, bytes], _event: UUID, code: str) -> SignedBadge:
        return parse(code)

    def any_event(keys: Mapping[int, bytes], _event: UUID, code: str) -> SignedBadge:
        return verify(keys, EVENT, code)

    def any_key(keys: Mapping[int, bytes], event: UUID, code: str) -> SignedBadge:
        return verify({parse(code).key_id: public_key_of(SEED)}, event, code)

    def lenient(keys: Mapping[int, bytes], event: UUID, code: str) -> SignedBadge:
        return verify(keys, event, code.strip().upper().replace("O", "0").replace("I", "1")[:LENGTH])

    assert "character 20" in wrongly_believed(unsigned)
    assert wrongly_believed(any_event) == ["at another event"]
    assert wrongly_believed(any_key) == ["an unknown key id's", "a retired key's", "without keys"]
    assert "lower case" in wrongly_believed(lenient)
    monkeypatch.setattr(signed_codes, "_message", lambda _event, payload: payload)
    resigned = sign(SEED, EVENT, 3, 4711, 2)
    assert believed(verify, resigned, event=OTHER_EVENT), "a signature without the event is good in every event"


@settings(max_examples=30)
@given(seeds, events, st.integers(0, 15), numbers, tickets)
def test_what_was_signed_is_read_back(seed: bytes, event: UUID, key_id: int, number: int, ticket: int) -> None:
    code = sign(seed, event, key_id, number, ticket)
    keys = {key_id: public_key_of(seed)}
    assert verify(keys, event, code) == parse(code) == SignedBadge(number, ticket, key_id)
    assert len(code) == LENGTH <= STORED_CODE_LENGTH
    assert clean_code(code) == code
    assert verify(keys, event, clean_code(f"]Q1{code.lower()}\r\n\u200f")) == parse(code)


@settings(max_examples=300)
@given(st.integers(2, LENGTH - 1), st.sampled_from(ALPHABET), numbers, tickets)
def test_one_other_character_is_enough(place: int, character: str, number: int, ticket: int) -> None:
    code = sign(SEED, EVENT, 3, number, ticket)
    changed = code[:place] + character + code[place + 1 :]
    assert believed(verify, changed) is (changed == code)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=130), st.text(ALPHABET, min_size=112, max_size=112).map("DN".__add__)))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert not believed(verify, text)


def test_an_unknown_version_is_not_read() -> None:
    content = bytearray(
        base64.b32decode(CODE[2:].translate(str.maketrans(ALPHABET, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")))
    )
    for first, number in ((0x23, 4711), (0x13, 0)):
        content[:5] = bytes((first,)) + number.to_bytes(4, "big")
        text = base64.b32encode(content).decode()
        code = "DN" + text.translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET))
        with pytest.raises(NotABadgeOfTheEvent):
            parse(code)


@pytest.mark.parametrize("wrong", [{"key_id": 16}, {"number": 0}, {"number": 2**31}, {"ticket_index": 256}])
def test_what_a_code_has_no_room_for_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no code has room"):
        sign(SEED, EVENT, **{"key_id": 0, "number": 1, "ticket_index": 0} | wrong)


def test_a_ticket_beyond_a_byte_is_left_untold() -> None:
    assert [ticket_index_of(position) for position in (0, 254, 255, 4000)] == [0, 254, UNTOLD_TICKET, UNTOLD_TICKET]


def test_the_format_is_the_documented_one() -> None:
    """Scanners of other makers rely on this very text: it changes only with the version."""
    assert public_key_of(SEED).hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert CODE == EXPECTED
    assert segno.make(CODE, error="m", boost_error=False, micro=False).designator == "5-M"


EXPECTED = (
    "DN2C0004K709MNEXWYW4B5BHN0AKB4AKJQAQ2RXJWYT87PRT329E9C5ZHAXZ04WAWWC05V9W6081VVEP1DCBYW2ZE266BGQA6T45PBZ9STWKCRS6G3"
)
