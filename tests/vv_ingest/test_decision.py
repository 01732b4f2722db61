"""What is done about a video: a table of what there is, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vv_ingest.tracks import (
    LIMITS,
    PROBE,
    VIDEO,
    video,
    with_audio,
    with_layout,
    with_video,
)
from vv_ingest.conversion import find_damage, plan_attempts
from vv_ingest.decision import (
    Limits,
    Sound,
    Work,
    choose_rate,
    choose_size,
    decide,
    find_stillness,
    is_long,
    is_short,
)
from vv_ingest.probe import AudioTrack, Probe, VideoTrack
from vv_ingest.tools import Pass

PLAYS = {
    "plain": PROBE,
    "silent": replace(PROBE, audios=()),
    "mp3": with_audio(codec="mp3"),
    "stereo": with_audio(channels=2),
    "baseline": with_video(profile="Constrained Baseline"),
    "main": with_video(profile="Main"),
    "full range": with_video(pixel_format="yuvj420p"),
    "stored as 1088": with_video(height=1088),
    "upright": with_video(width=1080, height=1920),
    "a level too high for its size": with_video(level=51),
    "one picture a second": with_video(rate=Fraction(1)),
    "60 pictures a second": with_video(rate=Fraction(60)),
    "no count of pictures": with_video(frames=None),
    "pixels that are not square": with_video(pixel_shape=Fraction(16, 11)),
    "interlaced": with_video(is_interlaced=True),
}
COPIED = {
    "index behind": with_layout(is_fast_start=False),
    "index in pieces": with_layout(is_fragmented=True),
    "cut box at the end": with_layout(is_whole=False),
    "Matroska": replace(PROBE, formats=frozenset({"matroska", "webm"}), layout=None),
    "transport stream": replace(PROBE, formats=frozenset({"mpegts"}), layout=None),
    "MP4 that does not begin as one": replace(PROBE, layout=None),
    "G.711": with_audio(codec="pcm_mulaw"),
    "six channels": with_audio(channels=6),
    "sound without channels": with_audio(channels=0),
    "two tracks of pictures": replace(PROBE, videos=(VIDEO, video(index=2))),
    "two tracks of sound": replace(PROBE, audios=(*PROBE.audios, *PROBE.audios)),
    "parameters in the stream": with_video(tag="avc3"),
    "no tag": with_video(tag=""),
    "length unknown": replace(PROBE, duration_s=None),
}
ENCODED = {
    "H.265": with_video(codec="hevc", profile="Main", tag="hvc1"),
    "MPEG-4 part 2": with_video(codec="mpeg4", profile="Advanced Simple Profile"),
    "MJPEG": with_video(codec="mjpeg", profile="Baseline", pixel_format="yuvj422p"),
    "VP9": with_video(codec="vp9", profile="Profile 0"),
    "AV1": with_video(codec="av1", profile="Main"),
    "10 bits": with_video(profile="High 10", pixel_format="yuv420p10le"),
    "4:4:4": with_video(profile="High 4:4:4 Predictive", pixel_format="yuv444p"),
    "4:2:2": with_video(profile="High 4:2:2", pixel_format="yuv422p"),
    "lossless": with_video(profile="High 4:4:4 Predictive"),
    "profile unknown": with_video(profile=""),
    "pixels unknown": with_video(pixel_format=""),
    "level 6": with_video(level=60),
    "4K": with_video(width=3840, height=2160),
    "too wide": with_video(width=2560, height=720),
    "odd size": with_video(width=641, height=480),
    "turned": with_video(rotation=90),
    "a picture in ten seconds": with_video(rate=Fraction(1, 10)),
    "120 pictures a second": with_video(rate=Fraction(120)),
    "rate unknown": with_video(rate=None),
}
REFUSED = {
    "no pictures": replace(PROBE, videos=()),
    "nothing at all": replace(PROBE, videos=(), audios=()),
    "a track without pictures": with_video(frames=0),
    "no size": with_video(width=0),
    "negative size": with_video(height=-1),
    "too many pixels": with_video(width=16000, height=16000),
    "too long a side": with_video(width=100_000, height=2),
    "unknown codec": with_video(codec=""),
}
TABLE = [
    *(pytest.param(probe, Work.NOTHING, id=f"plays: {name}") for name, probe in PLAYS.items()),
    *(pytest.param(probe, Work.COPY, id=f"copied: {name}") for name, probe in COPIED.items()),
    *(pytest.param(probe, Work.ENCODE, id=f"encoded: {name}") for name, probe in ENCODED.items()),
    *(pytest.param(probe, Work.REFUSE, id=f"refused: {name}") for name, probe in REFUSED.items()),
]

fractions = st.fractions(min_value=Fraction(1, 100_000), max_value=1_000_000)
tracks = st.builds(
    VideoTrack,
    index=st.integers(0, 9),
    codec=st.sampled_from(["h264", "hevc", "mjpeg", ""]),
    profile=st.sampled_from(["High", "Main", "High 10", ""]),
    pixel_format=st.sampled_from(["yuv420p", "yuv444p", ""]),
    tag=st.sampled_from(["avc1", "hvc1", ""]),
    level=st.integers(0, 100),
    width=st.integers(-1, 20_000),
    height=st.integers(-1, 20_000),
    pixel_shape=st.fractions(min_value=Fraction(1, 50), max_value=50),
    rotation=st.sampled_from([0, 90, 180, 270]),
    rate=st.none() | fractions,
    is_interlaced=st.booleans(),
    frames=st.none() | st.integers(0, 1000),
)
probes = st.builds(
    Probe,
    formats=st.sampled_from([PROBE.formats, frozenset({"avi"}), frozenset({""})]),
    layout=st.sampled_from([PROBE.layout, None]),
    duration_s=st.none() | st.floats(0.001, 1e6),
    videos=st.lists(tracks, max_size=3).map(tuple),
    audios=st.lists(
        st.builds(
            AudioTrack,
            index=st.integers(0, 9),
            codec=st.sampled_from(["aac", "mp3", "pcm_alaw", ""]),
            channels=st.integers(0, 8),
            rate=st.integers(0, 192_000),
        ),
        max_size=3,
    ).map(tuple),
)


@pytest.mark.parametrize(("probe", "work"), TABLE)
def test_what_is_done(probe: Probe, work: Work) -> None:
    decision = decide(probe, LIMITS)
    assert decision.work is work
    assert bool(decision.why) == (work is not Work.NOTHING)


@given(probe=probes)
def test_every_video_is_decided_and_what_plays_fits(probe: Probe) -> None:
    decision = decide(probe, LIMITS)
    if decision.work is Work.REFUSE:
        return
    assert decision.video is probe.videos[0]
    assert (decision.audio is None) == (decision.sound is Sound.NONE)
    if decision.work is Work.NOTHING:
        assert decision.video.codec == "h264"
        assert decision.video.pixel_format == "yuv420p"
        assert max(decision.video.width, decision.video.height) <= 1920
        assert len(probe.videos) == 1


@given(track=tracks.filter(lambda each: each.width > 0 and each.height > 0))
def test_what_is_made_would_play_as_it_is(track: VideoTrack) -> None:
    width, height = choose_size(track, LIMITS.max_lines)
    rate = choose_rate(track.rate)
    made = with_video(width=width, height=height, rate=rate)
    assert decide(made, LIMITS).work is Work.NOTHING
    assert 5 <= rate <= 30
    assert rate.denominator <= 1001


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (1920, 1080)),
        ({"width": 3840, "height": 2160}, (1920, 1080)),
        ({"width": 2592, "height": 1944}, (1440, 1080)),
        ({"width": 1440, "height": 2560}, (608, 1080)),
        ({"width": 641, "height": 479}, (642, 480)),
        ({"width": 1, "height": 1}, (2, 2)),
        ({"width": 704, "height": 576, "pixel_shape": Fraction(12, 11)}, (768, 576)),
        ({"width": 960, "height": 1080, "pixel_shape": Fraction(2)}, (1920, 1080)),
        ({"width": 320, "height": 240, "rotation": 90}, (240, 320)),
        ({"width": 320, "height": 240, "rotation": 180}, (320, 240)),
        ({"width": 10000, "height": 4}, (1920, 2)),
    ],
)
def test_the_size_that_is_made(changes: dict[str, int], size: tuple[int, int]) -> None:
    assert choose_size(video(**changes), 1080) == size


@pytest.mark.parametrize(
    ("rate", "made"),
    [
        (None, Fraction(25)),
        (Fraction(25), Fraction(25)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(60), Fraction(30)),
        (Fraction(60000, 1001), Fraction(30000, 1001)),
        (Fraction(50), Fraction(25)),
        (Fraction(1000), Fraction(125, 8)),
        (Fraction(2), Fraction(6)),
        (Fraction(1), Fraction(5)),
        (Fraction(1, 10), Fraction(5)),
        (Fraction(1, 1_000_000), Fraction(5)),
    ],
)
def test_the_rate_that_is_made(rate: Fraction | None, made: Fraction) -> None:
    assert choose_rate(rate) == made


@pytest.mark.parametrize(
    ("probe", "tried"),
    [
        (PLAYS["plain"], [(Work.NOTHING, Sound.COPY), (Work.NOTHING, Sound.NONE)]),
        (
            COPIED["G.711"],
            [(Work.COPY, Sound.ENCODE), (Work.ENCODE, Sound.ENCODE), (Work.ENCODE, Sound.NONE)],
        ),
        (
            replace(COPIED["index behind"], audios=()),
            [(Work.COPY, Sound.NONE), (Work.ENCODE, Sound.NONE)],
        ),
        (ENCODED["H.265"], [(Work.ENCODE, Sound.COPY), (Work.ENCODE, Sound.NONE)]),
        (replace(ENCODED["H.265"], audios=()), [(Work.ENCODE, Sound.NONE)]),
    ],
)
def test_what_is_tried_in_turn(probe: Probe, tried: list[tuple[Work, Sound]]) -> None:
    attempts = list(plan_attempts(decide(probe, LIMITS)))
    assert [(each.work, each.sound) for each in attempts] == tried


@pytest.mark.parametrize(
    ("made", "said", "short", "long"),
    [
        (10.0, 10.0, False, False),
        (9.6, 10.0, False, False),
        (9.4, 10.0, True, False),
        (10.6, 10.0, False, True),
        (3540.0, 3600.0, False, False),
        (3500.0, 3600.0, True, False),
        (10.0, None, False, False),
    ],
)
def test_how_long_it_may_be(made: float, said: float | None, short: bool, long: bool) -> None:
    assert (is_short(made, said), is_long(made, said)) == (short, long)


@pytest.mark.parametrize(
    ("passed", "frames", "damage"),
    [
        (Pass("", 0, 250, 10.0), 250, ""),
        (Pass("", 0, 250, 10.0), None, ""),
        (Pass("error while decoding MB 3 4", 0, 250, 10.0), 250, "error while decoding MB 3 4"),
        (Pass("", 0, 0, 0.0), None, "no picture can be decoded"),
        (Pass("", 0, 200, 8.0), 250, "only 8.0 of 10.0 s can be decoded"),
        (Pass("", 0, 200, 10.0), 250, "only 200 of 250 pictures can be decoded"),
    ],
)
def test_what_counts_as_damage(passed: Pass, frames: int | None, damage: str) -> None:
    assert find_damage(passed, with_video(frames=frames)) == damage


def test_a_box_may_want_more_lines() -> None:
    assert decide(ENCODED["4K"], Limits(2160, LIMITS.max_pixels)).work is Work.NOTHING


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ([], ""),
        ([5.0], ""),
        ([0.0, 0.1, 2.1, 2.2], ""),
        ([0.0, 0.1, 4.35, 4.4], "pictures 4.2 s apart"),
    ],
)
def test_pictures_that_stand_too_long_are_told(times: list[float], problem: str) -> None:
    assert find_stillness(times) == problem
