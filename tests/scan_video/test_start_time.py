"""When a recording began: name before container before last change, in the cameras' own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.start_time import find_start, resolve_local, start_from_name
from vv_core.settings import DEFAULT_START_PATTERNS as PATTERNS

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
IN_2026 = datetime(2026, 11, 21, 5, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "20261121_020304.mp4",
        "2026-11-21_02-03-04.mkv",
        "2026-11-21 02.03.04.avi",
        "20261121T050304Z.mp4",
        "ch01_20261121020304.mp4",
        "portão-2026-11-21T02:03:04-demo.mp4",
        "99999999_999999_20261121_020304.mp4",
    ],
)
def test_names_of_recorders(name: str) -> None:
    assert start_from_name(name, PATTERNS, SAO_PAULO, NOW) == IN_2026


@pytest.mark.parametrize(
    "name", ["clip.mp4", "20261321_020304.mp4", "18991121_020304.mp4", "1.mp4"]
)
def test_names_without_a_time(name: str) -> None:
    assert start_from_name(name, PATTERNS, SAO_PAULO, NOW) is None


def test_own_patterns_are_tried_in_order() -> None:
    patterns = (r"(?P<d>\d\d)(?P<m>\d\d)(?P<Y>\d{4})-(?P<H>\d\d)h(?P<M>\d\d)", *PATTERNS)
    found = start_from_name("cam 21112026-02h03.mp4", patterns, SAO_PAULO, NOW)
    assert found == IN_2026.replace(second=0)


def find(name: str, created: datetime | None) -> tuple[datetime, str]:
    start = find_start(
        name,
        created=created,
        modified=NOW,
        duration_s=90.0,
        patterns=PATTERNS,
        zone=SAO_PAULO,
    )
    return start.moment, start.origin


def test_name_before_container_before_last_change() -> None:
    created = datetime(2026, 11, 21, 4, tzinfo=UTC)
    assert find("20261121_020304.mp4", created) == (IN_2026, "name")
    assert find("clip.mp4", created) == (created, "container")
    assert find("clip.mp4", None) == (NOW - timedelta(seconds=90), "mtime")


def test_an_hour_that_happens_twice_is_told_apart_by_the_last_change() -> None:
    # Berlin, 25 October 2026: 03:00 summer time becomes 02:00.
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001
    summer, winter = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert resolve_local(twice, BERLIN, summer) == summer
    assert resolve_local(twice, BERLIN, winter + timedelta(minutes=1)) == winter
    assert resolve_local(twice, BERLIN, summer + timedelta(minutes=30)) == summer


def test_an_hour_that_never_happens_is_a_clock_not_put_forward() -> None:
    # Sao Paulo, 4 November 2018: 00:00 becomes 01:00.
    never = datetime(2018, 11, 4, 0, 30)  # noqa: DTZ001
    assert resolve_local(never, SAO_PAULO, NOW) == datetime(2018, 11, 4, 3, 30, tzinfo=UTC)


wall_clocks = st.datetimes(datetime(2001, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


@given(
    wall_clocks, st.sampled_from([SAO_PAULO, BERLIN, ZoneInfo("Asia/Kolkata")]), st.integers(-9, 9)
)
def test_a_name_says_the_same_as_the_clock_on_the_wall(
    wall: datetime, zone: ZoneInfo, hours_off: int
) -> None:
    near = wall.replace(tzinfo=UTC) + timedelta(hours=hours_off)
    found = start_from_name(wall.strftime("cam_%Y%m%d_%H%M%S.mp4"), PATTERNS, zone, near)
    assert found is not None
    shown = found.astimezone(zone).replace(tzinfo=None)
    exists = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
    assert shown == wall if exists else shown > wall


@given(wall_clocks)
def test_a_utc_name_knows_no_zone(moment: datetime) -> None:
    name = moment.strftime("%Y%m%dT%H%M%SZ.mp4")
    assert start_from_name(name, PATTERNS, SAO_PAULO, NOW) == moment.replace(tzinfo=UTC)


@given(st.text(max_size=60))
def test_no_name_upsets_it(name: str) -> None:
    found = start_from_name(name, PATTERNS, SAO_PAULO, NOW)
    assert found is None or found.tzinfo is UTC
