"""Reading what ffprobe says, whatever it says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_ingest.probe import AudioTrack, Probe, VideoTrack, parse_probe

STREAM: dict[str, Any] = {
    "index": 1,
    "codec_name": "h264",
    "profile": "High",
    "codec_type": "video",
    "codec_tag_string": "avc1",
    "width": 704,
    "height": 576,
    "sample_aspect_ratio": "12:11",
    "pix_fmt": "yuv420p",
    "level": 31,
    "field_order": "progressive",
    "avg_frame_rate": "30000/1001",
    "nb_frames": "300",
    "disposition": {"attached_pic": 0},
}
SOUND: dict[str, Any] = {
    "index": 0,
    "codec_name": "aac",
    "codec_type": "audio",
    "channels": 2,
    "sample_rate": "48000",
}
SAID = {
    "streams": [SOUND, STREAM],
    "format": {
        "format_name": "mov,mp4",
        "duration": "10.01",
        "tags": {"comment": "vv:source=a1"},
    },
}
EXPECTED = VideoTrack(
    *(1, "h264", "High", "yuv420p", "avc1", 31, 704, 576),
    pixel_shape=Fraction(12, 11),
    rate=Fraction(30000, 1001),
    frames=300,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*STREAM, *SOUND, "streams", "format", "side_data_list", "rotation"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


def test_what_it_says_is_taken_over() -> None:
    probe = parse_probe(SAID, None)
    audio = AudioTrack(0, "aac", 2, 48000)
    names = frozenset({"mov", "mp4"})
    assert probe == Probe(names, None, 10.01, (EXPECTED,), (audio,), "vv:source=a1")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"side_data_list": [{"rotation": -90}]}, {"rotation": 90}),
        ({"side_data_list": [{"rotation": 90}]}, {"rotation": 270}),
        ({"side_data_list": [{"rotation": 180}]}, {"rotation": 180}),
        ({"side_data_list": [{"other": 1}, 3, {"rotation": float("nan")}]}, {"rotation": 0}),
        ({"avg_frame_rate": "0/0"}, {"rate": None}),
        ({"avg_frame_rate": "-5/1"}, {"rate": None}),
        ({"sample_aspect_ratio": "0:1"}, {"pixel_shape": Fraction(1)}),
        ({"sample_aspect_ratio": None}, {"pixel_shape": Fraction(1)}),
        ({"level": -99}, {"level": 0}),
        ({"field_order": "tt"}, {"is_interlaced": True}),
        ({"nb_frames": "N/A"}, {"frames": 0}),
        ({"pix_fmt": None}, {"pixel_format": ""}),
        ({"width": "wide"}, {"width": 0}),
    ],
)
def test_odd_values_are_put_right(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    probe = parse_probe({"streams": [{**STREAM, **changes}], "format": {}}, None)
    assert probe.videos == (replace(EXPECTED, **expected),)


def test_a_cover_picture_is_no_video() -> None:
    cover = {**STREAM, "disposition": {"attached_pic": 1}}
    assert parse_probe({"streams": [cover]}, None).videos == ()


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e99", "N/A", None])
def test_a_length_that_is_none(text: str | None) -> None:
    assert parse_probe({"format": {"duration": text}}, None).duration_s is None


@pytest.mark.parametrize("said", [None, [], "text", 3])
def test_what_is_no_answer(said: object) -> None:
    with pytest.raises(ValueError, match="something else"):
        parse_probe(said, None)


@given(said=st.dictionaries(st.sampled_from(["streams", "format"]), json_values))
def test_no_answer_breaks_it(said: dict[str, Any]) -> None:
    try:
        probe = parse_probe(said, None)
    except ValueError:
        return
    assert all(track.level >= 0 for track in probe.videos)
