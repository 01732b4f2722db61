"""Time and its text form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from vv_core.clock import SystemClock, format_utc, parse_utc


def test_the_system_clock_is_aware_and_goes_forward() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.monotonic() <= clock.monotonic()


def test_other_zones_are_turned_into_utc() -> None:
    moment = datetime(2026, 11, 20, 23, 3, 4, 999999, timezone(timedelta(hours=-3)))
    assert format_utc(moment) == "2026-11-21T02:03:04Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone is missing"):
        format_utc(datetime(2026, 11, 21))  # noqa: DTZ001 - what is refused


@unhurried
@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert parse_utc(format_utc(moment)) == moment.replace(microsecond=0)


def test_fractions_are_read() -> None:
    assert parse_utc("2026-11-21T02:03:04.5Z") == datetime(2026, 11, 21, 2, 3, 4, 500000, UTC)


@pytest.mark.parametrize(
    "raw_text",
    [
        "",
        "Z",
        "2026-11-21",
        "2026-11-21T02:03:04",
        "2026-11-21T02:03:04+00:00",
        "2026-11-21T02:03:04-03:00Z",
        "2026-11-21 02:03:04Z",
        "20261121T020304Z",
        "2026-W47-6T02:03:04Z",
        "2026-11-21T02:03Z",
        "2026-11-21T02:03:04Z\n",
        " 2026-11-21T02:03:04Z",
        "2026-13-21T02:03:04Z",
        "2026-02-29T02:03:04Z",
        "2026-11-21T24:03:04Z",
        "2026-11-21T02:03:60Z",
        "２０２６-11-21T02:03:04Z",
    ],
)
def test_everything_else_is_refused(raw_text: str) -> None:
    with pytest.raises(ValueError):
        parse_utc(raw_text)
