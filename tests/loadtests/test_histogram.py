"""Latencies in buckets: never shown too small, merged without loss."""

from __future__ import annotations

import math

import msgspec
from hypothesis import given, strategies as st

from loadtests.histogram import Histogram, Packed, index_of, upper_end

durations = st.lists(st.floats(min_value=0, max_value=3600, allow_nan=False), min_size=1, max_size=200)


def filled(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(st.integers(0, 2**40))
def test_a_bucket_holds_its_value_and_is_narrow(value: int) -> None:
    index = index_of(value)
    assert value <= upper_end(index) <= value + value // 128
    assert index_of(upper_end(index)) == index
    assert index_of(upper_end(index) + 1) == index + 1


@given(durations, st.sampled_from([0, 10, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_never_below_the_true_one(values: list[float], percent: float) -> None:
    micros = sorted(int(value * 1e6) for value in values)
    true = micros[max(1, math.ceil(len(micros) * percent / 100)) - 1]
    shown = round(filled(values).percentile(percent) * 1e6)
    assert true <= shown <= min(true + true // 128, micros[-1])


@given(durations, durations)
def test_merging_is_the_same_as_recording_together(first: list[float], second: list[float]) -> None:
    merged = filled(first)
    merged.merge(filled(second))
    assert merged.pack() == filled(first + second).pack()


@given(durations)
def test_a_histogram_survives_json(values: list[float]) -> None:
    packed = msgspec.json.decode(msgspec.json.encode(filled(values).pack()), type=Packed)
    assert Histogram.unpack(packed).pack() == filled(values).pack()
    assert Histogram.unpack(packed).count == len(values)


def test_nothing_recorded_is_zero() -> None:
    empty = Histogram()
    empty.merge(Histogram())
    assert (empty.percentile(99), empty.longest, empty.curve()) == (0.0, 0.0, [])


def test_a_duration_from_a_race_of_clocks_counts_as_zero() -> None:
    assert filled([-0.001]).longest == 0.0


def test_the_curve_ends_at_the_longest() -> None:
    curve = filled([number / 1000 for number in range(1, 1001)]).curve()
    assert curve[-1] == (3.0, 1.0)
    assert [value for _, value in curve] == sorted(value for _, value in curve)
