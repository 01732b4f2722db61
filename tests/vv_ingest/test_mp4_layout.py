"""The boxes of MP4 files: those of real ones, those that make no sense, and any bytes at all."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clips import ffmpeg, make_clip, make_without_moov
from vv_ingest.mp4_layout import Mp4Layout, read_layout

WHOLE = Mp4Layout(is_fast_start=True, is_fragmented=False, is_whole=True)


def box(kind: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(">I4s", 8 + len(content) if length is None else length, kind) + content


FTYP = box(b"ftyp", b"isom\0\0\0\0")
LONG = struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd"


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        (FTYP + box(b"moov") + box(b"mdat", b"xx"), WHOLE),
        (FTYP + box(b"moov") + box(b"mdat", b"xx", length=0), WHOLE),
        (FTYP + box(b"moov") + LONG, WHOLE),
        (FTYP + box(b"moov") + LONG[:-1], Mp4Layout(True, False, False)),
        (FTYP + box(b"mdat", b"xx") + box(b"moov"), Mp4Layout(False, False, True)),
        (FTYP + box(b"mdat", b"xx"), Mp4Layout(False, False, True)),
        (FTYP + box(b"moov") + box(b"moof") + box(b"mdat"), Mp4Layout(True, True, True)),
        (FTYP + box(b"moov") + box(b"mdat", length=900), Mp4Layout(True, False, False)),
        (FTYP + box(b"moov") + b"\0\0\0", Mp4Layout(True, False, False)),
        (FTYP + box(b"moov") + box(b"mdat", length=7), Mp4Layout(True, False, False)),
        (FTYP + box(b"moov") + struct.pack(">I4s", 1, b"mdat"), Mp4Layout(True, False, False)),
        (FTYP + box(b"free") * 2000, Mp4Layout(False, False, False)),
        (b"", None),
        (b"RIFF1234AVI ", None),
    ],
)
def test_the_layout_of_bytes(tmp_path: Path, data: bytes, layout: Mp4Layout | None) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert read_layout(path) == layout


@given(data=st.binary(max_size=200))
def test_any_bytes_have_a_layout_or_none(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mp4"
    path.write_bytes(FTYP + data)
    layout = read_layout(path)
    assert layout is not None
    assert not layout.is_fast_start or b"moov" in data


@pytest.mark.integration
def test_the_layout_of_real_files(tmp_path: Path) -> None:
    late = make_clip(tmp_path / "late.mp4", seconds=1)
    assert read_layout(late) == Mp4Layout(False, False, True)
    ffmpeg("-i", late, "-c", "copy", "-movflags", "+faststart", tmp_path / "fast.mp4")
    assert read_layout(tmp_path / "fast.mp4") == WHOLE
    ffmpeg("-i", late, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", tmp_path / "frag.mp4")
    layout = read_layout(tmp_path / "frag.mp4")
    assert layout is not None
    assert layout.is_fragmented
    never = make_without_moov(tmp_path / "never.mp4", late)
    assert read_layout(never) in {Mp4Layout(False, False, True), Mp4Layout(False, False, False)}
    avi = make_clip(tmp_path / "a.avi", "-c:v", "mjpeg", seconds=1)
    assert read_layout(avi) is None
