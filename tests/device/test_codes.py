"""The pairing code: any single typing error is noticed, what people mean is understood, its hash is slow and the event's own."""

from __future__ import annotations

import time

from hypothesis import given, strategies as st

from server.attendee.codes import ALPHABET
from server.device.codes import hash_pairing_code, new_pairing_code, read_pairing_code
from server.ids import new_id


def test_a_code_is_read_as_it_was_made() -> None:
    codes = {new_pairing_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert [code for code in codes if read_pairing_code(code) != code] == []


@given(st.integers(0, 7), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(place: int, other: str) -> None:
    code = new_pairing_code()
    typed = code[:place] + other + code[place + 1 :]
    assert read_pairing_code(typed) == (code if typed == code else None)


@given(st.text(max_size=40))
def test_nothing_that_is_typed_brings_it_down(typed: str) -> None:
    found = read_pairing_code(typed)
    assert found is None or read_pairing_code(found) == found


def test_a_hash_is_each_event_s_own_and_slow() -> None:
    code, event_id = new_pairing_code(), new_id()
    begun = time.process_time()
    first = hash_pairing_code(event_id, code)
    assert time.process_time() - begun > 0.001, "2³⁵ of them must take years"
    assert len(first) == 32
    assert hash_pairing_code(event_id, code) == first
    assert hash_pairing_code(new_id(), code) != first
    assert hash_pairing_code(event_id, new_pairing_code()) != first
