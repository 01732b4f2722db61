"""Rates, lags and waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tv_mirror_ui.pace import FIRST_WAIT_S, LONGEST_WAIT_S, LagMeter, RateGate, Waits


@given(
    per_s=st.integers(1, 30),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_no_more_come_through_than_were_asked_for(per_s: int, gaps: list[float]) -> None:
    gate, now, passed = RateGate(per_s), 100.0, []
    for gap in gaps:
        now += gap
        if gate.is_open(now):
            passed.append(now)
    for first, last in zip(passed, passed[4:], strict=False):
        assert last - first >= (4 - 1.25) / per_s - 1e-9, "a late one is made up for, no more"


@given(st.integers(1, 30), st.integers(0, 1000))
def test_a_camera_that_sends_just_so_many_loses_none(per_s: int, seed: int) -> None:
    gate = RateGate(per_s)
    moments = [10 + (number + (number * seed % 7 - 3) / 30) / per_s for number in range(50)]
    assert all(gate.is_open(moment) for moment in moments)


def test_of_25_a_second_10_are_left() -> None:
    gate = RateGate(10)
    assert sum(gate.is_open(5 + number / 25) for number in range(250)) == pytest.approx(100, abs=2)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=50), st.floats(-1e6, 1e6))
def test_the_lag_is_what_a_picture_waited_longer_than_the_quickest(
    waits: list[float], offset: float
) -> None:
    meter = LagMeter()
    for number, wait in enumerate(waits):
        lag = meter.measure(1000 + number * 0.001 + wait, offset + number * 0.001)
        expected = wait - min(waits[: number + 1])
        assert lag == pytest.approx(expected, abs=0.02)
        assert lag >= 0


def test_a_clock_that_drifts_is_no_lag() -> None:
    meter = LagMeter()
    lags = [meter.measure(number * 1.0005, float(number)) for number in range(10_000)]
    assert max(lags) < 0.01


@given(st.lists(st.floats(0, 2.9), max_size=20))
def test_waits_double_up_to_a_limit(good: list[float]) -> None:
    waits = Waits()
    found = [waits.after(each) for each in good]
    assert found == [min(FIRST_WAIT_S * 2**number, LONGEST_WAIT_S) for number in range(len(good))]


def test_some_troubles_wait_less() -> None:
    waits = Waits()
    assert [waits.after(0, 2.0) for _ in range(5)] == [0.5, 1.0, 2.0, 2.0, 2.0]


def test_after_a_good_while_they_begin_anew() -> None:
    waits = Waits()
    for _ in range(9):
        waits.after(0)
    assert waits.after(0) == LONGEST_WAIT_S
    assert waits.after(60) == FIRST_WAIT_S


def test_a_gate_that_is_held_lets_nothing_through_until_then() -> None:
    gate = RateGate(10)
    assert gate.is_open(5.0)
    gate.hold_until(6.0)
    assert not gate.is_open(5.99)
    assert gate.is_open(6.0)
