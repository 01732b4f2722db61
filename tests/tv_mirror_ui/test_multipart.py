"""The stream of a camera, in whatever pieces and shape it comes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tv_mirror_ui import multipart
from tv_mirror_ui.jpeg import EOI, SOI
from tv_mirror_ui.multipart import MultipartParser, find_boundary

PICTURES = st.binary(max_size=60).map(lambda body: SOI + body.replace(b"-", b"_") + EOI)


def write_part(
    body: bytes, mark: str = "--frame", length: int | None = -1, end: str = "\r\n"
) -> bytes:
    """Return a part; -1 is the true length, None leaves it out."""
    count = len(body) if length == -1 else length
    head = f"{mark}{end}Content-Type: image/jpeg{end}"
    head += "" if count is None else f"Content-Length: {count}{end}"
    return (head + end).encode() + body + end.encode()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


@given(
    pictures=st.lists(PICTURES, min_size=1, max_size=6),
    shapes=st.lists(st.booleans(), min_size=6, max_size=6),
    end=st.sampled_from(["\r\n", "\n"]),
    mark=st.sampled_from(["--frame", "----frame"]),
    places=st.lists(st.integers(0, 10_000), max_size=12),
)
def test_all_pictures_come_out_in_order(
    pictures: list[bytes], shapes: list[bool], end: str, mark: str, places: list[int]
) -> None:
    stream = b"".join(
        write_part(picture, mark, -1 if has_length else None, end)
        for picture, has_length in zip(pictures, shapes, strict=False)
    )
    parser = MultipartParser("frame")
    found = [part for piece in cut(stream + mark.encode(), places) for part in parser.feed(piece)]
    assert found == pictures
    assert parser.bad == 0


@given(PICTURES, PICTURES, st.integers(-30, 30).filter(bool), st.lists(st.integers(0, 500)))
def test_a_wrong_length_costs_no_picture_but_its_own(
    first: bytes, second: bytes, wrong: int, places: list[int]
) -> None:
    length = max(1, len(first) + wrong)
    stream = write_part(first, length=length) + write_part(second) + write_part(second)
    parser = MultipartParser("frame")
    found = [part for piece in cut(stream, places) for part in parser.feed(piece)]
    assert found[-1] == second
    assert len(found) + parser.bad >= 2


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_noise_is_never_a_picture_that_is_none(pieces: list[bytes]) -> None:
    parser = MultipartParser("frame")
    for piece in pieces:
        for part in parser.feed(piece):
            assert part.startswith(SOI)


def test_a_counted_picture_does_not_wait_for_the_next() -> None:
    picture = SOI + b"abc" + EOI
    assert MultipartParser("frame").feed(write_part(picture)[:-2]) == [picture]


def test_a_part_that_is_cut_off_is_left_out_and_counted() -> None:
    picture = SOI + b"abc" + EOI
    parser = MultipartParser("frame")
    broken = write_part(SOI + b"abc") + write_part(SOI + b"abc", length=None)
    assert parser.feed(broken + write_part(picture)) == [picture]
    assert parser.bad == 2


def test_what_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "MAX_BYTES", 1000)
    picture = SOI + b"abc" + EOI
    for endless in (
        write_part(SOI + b"x" * 2000, length=None),
        write_part(b"", length=2000),
        b"--frame\r\n" + b"X: " + b"x" * 9000,
    ):
        parser = MultipartParser("frame")
        assert parser.feed(endless) == []
        assert parser.feed(b"\r\n" + write_part(picture) + b"--frame") == [picture]
        assert parser.bad == 1


def test_memory_does_not_grow_without_a_boundary() -> None:
    parser = MultipartParser("frame")
    for _ in range(100):
        parser.feed(b"x" * 10_000)
    assert len(parser._buffer) < 100


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", "frame"),
        ("multipart/x-mixed-replace;boundary=--frame", "frame"),
        ('Multipart/x-mixed-replace; charset=x; Boundary="my frame"', "my frame"),
        ("multipart/x-mixed-replace", None),
        ("multipart/x-mixed-replace; boundary=--", None),
        ("image/jpeg", None),
        ("text/html; boundary=frame", None),
        ("", None),
    ],
)
def test_the_boundary_is_found(header: str, boundary: str | None) -> None:
    assert find_boundary(header) == boundary
