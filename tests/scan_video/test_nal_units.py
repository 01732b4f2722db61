"""Which coded pictures can be left out is read from their first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.nal_units import NEEDED, PictureRank, length_prefix_bytes, rank_picture

AVCC = bytes([1, 0x64, 0, 0x28, 0xFF, 0xE1])
HVCC = bytes([1, *range(20), 0x0F, 0])

H264 = {
    "key": (bytes([0x65, 0x88]), True),
    "needed": (bytes([0x41, 0x9A]), True),
    "spare": (bytes([0x01, 0x9E]), False),
}
H265 = {
    "key": (bytes([19 << 1, 1]), PictureRank(0, True)),
    "trail needed": (bytes([1 << 1, 1]), PictureRank(0, True)),
    "trail spare": (bytes([0 << 1, 1]), PictureRank(0, False)),
    "layer spare": (bytes([2 << 1, 2]), PictureRank(1, False)),
}


def prefixed(*units: bytes) -> memoryview:
    return memoryview(b"".join(len(unit).to_bytes(4, "big") + unit for unit in units))


def start_coded(*units: bytes) -> memoryview:
    return memoryview(b"".join(b"\0\0\0\1" + unit for unit in units))


@pytest.mark.parametrize("name", H264)
def test_h264_slices(name: str) -> None:
    unit, is_reference = H264[name]
    parameters = bytes([0x67, 0x64])
    for packet, prefix in ((prefixed(parameters, unit), 4), (start_coded(parameters, unit), 0)):
        assert rank_picture("h264", packet, prefix).is_reference is is_reference


@pytest.mark.parametrize("name", H265)
def test_h265_slices(name: str) -> None:
    unit, rank = H265[name]
    parameters = bytes([32 << 1, 1])
    for packet, prefix in ((prefixed(parameters, unit), 4), (start_coded(parameters, unit), 0)):
        assert rank_picture("hevc", packet, prefix) == rank


def test_what_cannot_be_told_is_needed() -> None:
    assert rank_picture("vp9", memoryview(b"\x82\x49"), 0) == NEEDED
    assert rank_picture("h264", memoryview(b""), 4) == NEEDED
    assert rank_picture("h264", prefixed(bytes([0x06, 0x05])), 4) == NEEDED


@given(
    st.sampled_from(["h264", "hevc", "mjpeg"]),
    st.binary(max_size=64),
    st.sampled_from([0, 1, 2, 4]),
)
def test_no_bytes_upset_it(codec: str, packet: bytes, prefix: int) -> None:
    assert rank_picture(codec, memoryview(packet), prefix).layer >= 0


def test_length_prefixes() -> None:
    assert length_prefix_bytes("h264", AVCC) == 4
    assert length_prefix_bytes("hevc", HVCC) == 4
    assert length_prefix_bytes("h264", b"\0\0\0\1\x67") == 0
    assert length_prefix_bytes("h264", None) == 0
    assert length_prefix_bytes("h264", b"\1") == 0
    assert length_prefix_bytes("mjpeg", AVCC) == 0
