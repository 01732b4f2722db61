"""Of each second one picture, and no more decoded than that takes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.plan import SamplingPlan, plan_all_frames, plan_sampling
from tests.scan_video.tables import make_table, make_timeline, regular


def plan(
    times: list[float],
    keys: set[int],
    interval_s: float = 1.0,
    spare: set[int] | None = None,
) -> SamplingPlan:
    table = make_table(times, keys=keys, spare=spare or set())
    return plan_sampling(table, make_timeline(table), interval_s)


def fed(result: SamplingPlan) -> list[list[int]]:
    return [segment.feed.tolist() for segment in result.segments]


def test_keyframes_are_enough_where_they_are_near() -> None:
    result = plan(regular(40), keys={0, 10, 20, 30})
    assert result.method == "keyframes"
    assert fed(result) == [[0], [10], [20], [30]]
    assert result.times == pytest.approx((0.0, 1.0, 2.0, 3.0))


def test_a_keyframe_serves_when_it_is_off_by_a_tenth_of_the_interval() -> None:
    assert plan(regular(40), keys={0, 9, 21, 30}).times == pytest.approx((0.0, 0.9, 2.1, 3.0))
    result = plan(regular(40), keys={0, 8, 22, 30})
    assert result.times == pytest.approx((0.0, 1.0, 2.0, 3.0))
    assert result.method == "reference_frames"


def test_no_more_keyframes_are_decoded_than_the_interval_asks_for() -> None:
    result = plan(regular(40), keys=set(range(0, 40, 5)))
    assert fed(result) == [[0], [10], [20], [30]]


def test_a_long_group_is_decoded_up_to_the_last_wanted_picture() -> None:
    result = plan(regular(40), keys={0, 20})
    assert result.method == "reference_frames"
    assert fed(result) == [list(range(11)), list(range(20, 31))]
    assert result.segments[0].wanted == (0, 10)


def test_pictures_that_nothing_needs_are_neither_fed_nor_chosen() -> None:
    result = plan(regular(20), keys={0}, spare={n for n in range(20) if n % 2})
    assert fed(result) == [list(range(0, 11, 2))]
    shifted = plan(regular(20), keys={0}, spare={10})
    assert shifted.times == pytest.approx((0.0, 0.9))


def test_pictures_shown_before_their_keyframe_are_left_out() -> None:
    # An open group: the picture at 0.9 s comes after the keyframe of 1.0 s in the file.
    times = [*regular(9), 1.0, 0.9, *(1.1 + n / 10 for n in range(9))]
    result = plan(times, keys={0, 9}, interval_s=0.45)
    assert 10 not in {number for numbers in fed(result) for number in numbers}
    assert result.times == pytest.approx((0.0, 0.4, 0.8, 1.3, 1.8), abs=0.11)


def test_a_gap_in_the_recording_is_not_filled() -> None:
    result = plan([*regular(10), *(60 + n / 10 for n in range(10))], keys={0, 10})
    assert result.times == pytest.approx((0.0, 0.9, 60.0))


def test_times_that_cannot_be_trusted_mean_decoding_everything() -> None:
    table = make_table([0.0] * 20, keys={0})
    result = plan_sampling(table, make_timeline(table, fps=10.0), 1.0)
    assert (result.method, result.counts_output) == ("all_frames", True)
    assert fed(result) == [list(range(20))]
    assert result.times == pytest.approx((0.0, 1.0))


def test_pictures_that_stand_alone_can_be_counted_instead() -> None:
    table = make_table([0.0] * 20, keys=set(range(20)))
    result = plan_sampling(table, make_timeline(table, fps=10.0), 1.0)
    assert (result.method, fed(result)) == ("keyframes", [[0], [10]])


def test_the_fallback_decodes_everything_and_keeps_the_times() -> None:
    result = plan_all_frames(make_timeline(make_table(regular(25))), 1.0)
    assert (result.method, result.counts_output) == ("all_frames", False)
    assert result.times == pytest.approx((0.0, 1.0, 2.0))


def test_a_claim_of_years_does_not_cost_memory() -> None:
    table = make_table([float(n * 3599) for n in range(2000)], keys=set(range(2000)))
    assert len(plan_sampling(table, make_timeline(table), 0.001).times) == 2000


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[float], set[int], set[int]]:
    gaps = draw(st.lists(st.integers(1, 900), min_size=1, max_size=80))
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap / 1000)
    numbers = st.sets(st.integers(0, len(times) - 1))
    keys = draw(numbers) | {0}
    return times, keys, draw(numbers) - keys


@given(recordings(), st.sampled_from([0.2, 0.5, 1.0, 3.0]))
def test_every_plan_is_true_to_its_promises(
    recording: tuple[list[float], set[int], set[int]], interval_s: float
) -> None:
    times, keys, spare = recording
    result = plan(times, keys, interval_s, spare)
    wanted = [number for segment in result.segments for number in segment.wanted]
    assert wanted[0] == 0
    assert list(result.times) == pytest.approx([times[number] for number in wanted])
    assert list(result.times) == sorted(set(result.times))
    assert not set(wanted) & spare
    for segment in result.segments:
        feed = segment.feed.tolist()
        assert feed[0] in keys
        assert len(keys & set(feed)) == 1
        assert set(segment.wanted) <= set(feed)
        assert feed[-1] == max(segment.wanted)
        assert not set(feed) & spare
        # All that the last one may depend on is there.
        assert set(range(feed[0], feed[-1] + 1)) - set(feed) <= spare


@given(recordings(), st.sampled_from([0.2, 0.5, 1.0, 3.0]))
def test_no_interval_with_usable_pictures_is_passed_over(
    recording: tuple[list[float], set[int], set[int]], interval_s: float
) -> None:
    times, keys, spare = recording
    result = plan(times, keys, interval_s, spare)
    usable = [time for number, time in enumerate(times) if number not in spare]
    for before, after in zip(result.times, [*result.times[1:], None], strict=True):
        until = usable[-1] if after is None else after
        skipped = [time for time in usable if before < time < until]
        if until - before > 2.2 * interval_s:
            # A hole of the recording itself, not of the plan.
            edges = [before, *skipped, until]
            assert max(b - a for a, b in pairwise(edges)) > interval_s / 2
