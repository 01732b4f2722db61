"""What is a JPEG that browsers show, and what is not."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.tv_mirror_ui.pictures import make_jpeg
from tv_mirror_ui import jpeg
from tv_mirror_ui.jpeg import BadJpegError, JpegHead, read_head, trim

WHOLE = make_jpeg(64, 48)


def test_size_and_tables_are_read() -> None:
    assert read_head(WHOLE) == JpegHead(64, 48, has_tables=True)


def test_progressive_ones_and_those_with_a_thumbnail_are_read() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "JPEG", progressive=True, comment=make_jpeg(8, 8))
    assert read_head(trim(buffer.getvalue())) == JpegHead(40, 30, has_tables=True)


def test_one_without_huffman_tables_is_told() -> None:
    assert not read_head(without_tables(WHOLE)).has_tables


def without_tables(data: bytes) -> bytes:
    """Leave the tables out, as cheap cameras do; decoders know the usual ones."""
    place = data.index(b"\xff\xc4")
    while data[place : place + 2] == b"\xff\xc4":
        length = int.from_bytes(data[place + 2 : place + 4])
        data = data[:place] + data[place + 2 + length :]
    return data


def test_what_follows_the_end_is_left_out() -> None:
    assert trim(WHOLE + b"\r\n\0\0") == WHOLE
    assert trim(WHOLE[:2] + b"\xff\xff\x01" + WHOLE[2:] + b"x")[-2:] == jpeg.EOI
    assert read_head(WHOLE[:2] + b"\xff\xff\x01" + WHOLE[2:]).width == 64


@pytest.mark.parametrize("data", [b"", b"GIF89a", WHOLE[:-2], WHOLE[1:]])
def test_what_is_cut_off_is_bad(data: bytes) -> None:
    with pytest.raises(BadJpegError, match="cut off"):
        trim(data)


def test_what_is_too_large_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg, "MAX_BYTES", len(WHOLE) - 1)
    with pytest.raises(BadJpegError, match="larger"):
        trim(WHOLE)
    frame = WHOLE.index(b"\xff\xc0")
    with pytest.raises(BadJpegError, match="65535"):
        read_head(WHOLE[: frame + 5] + b"\xff\xff" + WHOLE[frame + 7 :])


@pytest.mark.parametrize(
    "data",
    [
        jpeg.SOI + b"x" + jpeg.EOI,
        jpeg.SOI + jpeg.EOI,
        jpeg.SOI + b"\xff\xe0\x00\x01" + jpeg.EOI,
        jpeg.SOI + b"\xff\xc0\x00\x04ab\xff\xda\x00\x02" + jpeg.EOI,
        jpeg.SOI + b"\xff\xda\x00\x02" + jpeg.EOI,
        jpeg.SOI + b"\xff",
    ],
)
def test_a_broken_head_is_bad(data: bytes) -> None:
    with pytest.raises(BadJpegError):
        read_head(data)


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_nothing_else_ever_comes_of_it(noise: bytes, place: int) -> None:
    for data in (noise, jpeg.SOI + noise, WHOLE[:place] + noise + WHOLE[place:]):
        try:
            head = read_head(trim(data))
        except BadJpegError:
            continue
        assert 0 < head.width <= jpeg.MAX_SIDE
        assert 0 < head.height <= jpeg.MAX_SIDE
