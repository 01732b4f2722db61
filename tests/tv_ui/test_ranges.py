"""Which part of a file is sent, by RFC 9110."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tv_ui.ranges import OutOfRange, Span, choose_span

TAG = '"t"'


@pytest.mark.parametrize(
    ("raw", "span"),
    [
        ("bytes=0-", Span(0, 100)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=10-19", Span(10, 20)),
        ("bytes=99-", Span(99, 100)),
        ("bytes=90-1000000", Span(90, 100)),
        ("bytes=-1", Span(99, 100)),
        ("bytes=-1000", Span(0, 100)),
        (" bytes = 5-6 ", Span(5, 7)),
        (None, None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=6-5", None),
        ("bytes=a-b", None),
        ("bytes=1-2,4-5", None),
        ("items=1-2", None),
        ("bytes=1.5-2", None),
        ("bytes=²-3", None),
        ("bytes=--5", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_one_range_is_a_part_and_anything_else_is_all(raw: str | None, span: Span | None) -> None:
    assert choose_span(raw, None, TAG, 100) == span


@pytest.mark.parametrize("raw", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_what_is_not_there_is_out_of_range(raw: str) -> None:
    with pytest.raises(OutOfRange):
        choose_span(raw, None, TAG, 100)


@pytest.mark.parametrize("raw", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_an_empty_file_has_no_ranges(raw: str) -> None:
    with pytest.raises(OutOfRange):
        choose_span(raw, None, TAG, 0)


@pytest.mark.parametrize(
    ("if_range", "is_part"),
    [
        (TAG, True),
        (f" {TAG} ", True),
        ('"other"', False),
        (f"W/{TAG}", False),
        ("Sat, 21 Nov 2026 02:03:04 GMT", False),
    ],
)
def test_a_part_goes_only_to_who_has_the_rest_of_the_same(if_range: str, is_part: bool) -> None:
    assert (choose_span("bytes=1-2", if_range, TAG, 100) is not None) == is_part


@given(
    st.integers(0, 300),
    st.one_of(
        st.text(max_size=30),
        st.builds("bytes={}-{}".format, st.integers(0, 400), st.integers(0, 400)),
        st.builds("bytes={}-".format, st.integers(0, 400)),
        st.builds("bytes=-{}".format, st.integers(0, 400)),
    ),
)
def test_a_part_lies_within_the_file(size: int, raw: str) -> None:
    try:
        span = choose_span(raw, None, TAG, size)
    except OutOfRange:
        return
    if span is not None:
        assert 0 <= span.start < span.end <= size
        assert span.length == span.end - span.start
