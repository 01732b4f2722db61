"""The file's own times are taken where they are usable, and rebuilt where they are not."""

from __future__ import annotations

import pytest

from scan_video.timeline import usable_fps
from tests.scan_video.tables import make_table, make_timeline, regular


def test_times_count_from_the_first_picture() -> None:
    timeline = make_timeline(make_table([5.0, 5.2, 5.1, 5.3]))
    assert timeline.times.tolist() == pytest.approx([0.0, 0.2, 0.1, 0.3])
    assert not timeline.is_rebuilt
    assert not timeline.is_variable
    assert timeline.end_s == pytest.approx(0.4)


BROKEN = {
    "missing": make_table([0.0, None, 0.2, 0.3]),
    "all the same": make_table([1.0] * 20),
    "decoding goes backward": make_table(regular(4), dts=[0.0, 0.2, 0.1, 0.3]),
    "a leap of a day": make_table([*regular(10), 86400.0]),
    "doubled": make_table([0.0, 0.1, 0.1, 0.1, 0.1, 0.2]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_unusable_times_are_rebuilt_from_the_pace(name: str) -> None:
    timeline = make_timeline(BROKEN[name], fps=20.0)
    assert timeline.is_rebuilt
    assert timeline.times.tolist() == pytest.approx(regular(len(BROKEN[name]), 20.0))
    assert timeline.frame_s == pytest.approx(0.05)


def test_decoding_times_stand_in_where_nothing_is_reordered() -> None:
    table = make_table([None, None, None], dts=[0.0, 0.1, 0.2])
    assert not make_timeline(table, reorders=False).is_rebuilt
    assert make_timeline(table, reorders=True).is_rebuilt


@pytest.mark.parametrize(
    ("times", "is_variable"),
    [
        (regular(50), False),
        ([round(n / 30, 3) for n in range(50)], False),
        ([*regular(30), *(3.5 + n * 0.1 for n in range(20))], False),
        ([*regular(25), *(2.5 + n * 0.5 for n in range(25))], True),
    ],
    ids=["even", "rounded", "one gap", "two paces"],
)
def test_variable_pace_is_noticed(times: list[float], is_variable: bool) -> None:
    assert make_timeline(make_table(times)).is_variable is is_variable


@pytest.mark.parametrize(
    ("declared", "used"), [(29.97, 29.97), (None, 25.0), (0.0, 25.0), (90000.0, 25.0), (0.5, 0.5)]
)
def test_nonsense_as_pace_is_not_believed(declared: float | None, used: float) -> None:
    assert usable_fps(declared) == used


def test_a_single_picture_has_a_length() -> None:
    timeline = make_timeline(make_table([3.0]), fps=10.0)
    assert (timeline.end_s, timeline.is_variable) == (pytest.approx(0.1), False)
