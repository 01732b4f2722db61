"""What an answer of a server means, without a server."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.models.transfer import (
    Expected,
    Part,
    judge_answer,
    parse_part,
    part_document,
    request_headers,
    usable_bytes,
    wait_before,
)

URL = "https://example.org/m.gguf"
FREE = Expected(URL, None, 1000, has_hash=False)
HASHED = Expected(URL, 100, 100, has_hash=True)


def part(validator: str | None = '"one"', total: int | None = 100, synced: int = 100) -> Part:
    """Return what is known of a part."""
    return Part(URL, validator, total, synced)


def test_a_part_is_kept_only_with_a_validator_or_a_hash() -> None:
    assert usable_bytes(part(), 40, FREE) == 40
    assert usable_bytes(part(validator=None), 40, FREE) == 0
    assert usable_bytes(part(validator=None), 40, HASHED) == 40
    assert usable_bytes(None, 40, HASHED) == 0


def test_without_a_hash_only_what_reached_the_disk_is_kept() -> None:
    assert usable_bytes(part(synced=30), 40, FREE) == 30
    assert usable_bytes(part(synced=30), 40, HASHED) == 40
    assert usable_bytes(part(synced=50), 40, FREE) == 40


def test_a_part_of_another_address_or_length_is_dropped() -> None:
    other = Part("https://example.org/n", '"one"', 100, 100)
    assert usable_bytes(other, 40, FREE) == 0
    assert usable_bytes(part(), 101, FREE) == 0
    assert usable_bytes(part(total=None, synced=2000), 1001, FREE) == 0


def test_the_rest_is_asked_for_under_a_condition() -> None:
    headers = request_headers(Part(URL, '"one"', 100), 40)
    assert headers["Range"] == "bytes=40-"
    assert headers["If-Range"] == '"one"'
    assert "Range" not in request_headers(Part(URL, '"one"', 100), 0)
    assert "If-Range" not in request_headers(Part(URL, None, 100), 40)


def test_a_whole_answer_starts_at_the_beginning() -> None:
    answer = judge_answer(200, {"content-length": "100", "etag": '"one"'}, 40, FREE)
    assert (answer.action, answer.offset) == ("write", 0)
    assert answer.part == Part(URL, '"one"', 100)


def test_a_partial_answer_goes_on() -> None:
    answer = judge_answer(206, {"content-range": "bytes 40-99/100"}, 40, FREE)
    assert (answer.action, answer.offset) == ("write", 40)
    assert answer.part == Part(URL, None, 100)


@pytest.mark.parametrize(
    "content_range", ["bytes 41-99/100", "bytes 0-99/100", "", "bytes */100", "items 40-99/100"]
)
def test_another_range_than_asked_starts_anew(content_range: str) -> None:
    assert judge_answer(206, {"content-range": content_range}, 40, FREE).action == "restart"


def test_nothing_left_means_complete_only_at_the_right_length() -> None:
    assert judge_answer(416, {"content-range": "bytes */40"}, 40, FREE).action == "complete"
    assert judge_answer(416, {"content-range": "bytes */39"}, 40, FREE).action == "restart"
    assert judge_answer(416, {}, 40, FREE).action == "restart"
    assert judge_answer(416, {}, 0, FREE).action == "refuse"
    assert judge_answer(416, {"content-range": "bytes */40"}, 40, HASHED).action == "restart"
    promised = judge_answer(416, {"content-range": "bytes */40"}, 40, FREE, promised=50)
    assert promised.action == "restart"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_faults_are_tried_again(status: int) -> None:
    assert judge_answer(status, {}, 0, FREE).action == "retry"


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 501])
def test_lasting_faults_are_not(status: int) -> None:
    answer = judge_answer(status, {}, 0, FREE)
    assert answer.action == "refuse"
    assert str(status) in answer.reason


def test_a_server_may_ask_for_time_within_reason() -> None:
    assert judge_answer(503, {"retry-after": "7"}, 0, FREE).wait_s == 7
    assert judge_answer(503, {"retry-after": "999999"}, 0, FREE).wait_s == 300
    assert judge_answer(503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0, FREE).wait_s == 0


def test_a_wrong_length_is_refused_before_a_byte_is_taken() -> None:
    assert judge_answer(200, {"content-length": "99"}, 0, HASHED).action == "refuse"
    assert judge_answer(200, {"content-length": "1001"}, 0, FREE).action == "refuse"
    assert judge_answer(200, {"content-length": "100"}, 0, HASHED).action == "write"


def test_a_compressed_file_is_refused() -> None:
    assert judge_answer(200, {"content-encoding": "gzip"}, 0, FREE).action == "refuse"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"etag": 'W/"one"'}, None),
        ({"etag": 'W/"one"', "last-modified": "Wed"}, "Wed"),
        ({"etag": "one"}, None),
        ({"etag": '"one"', "last-modified": "Wed"}, '"one"'),
    ],
)
def test_only_strong_validators_count(headers: dict[str, str], expected: str | None) -> None:
    answer = judge_answer(200, {"content-length": "5", **headers}, 0, FREE)
    assert answer.part is not None
    assert answer.part.validator == expected


def test_waits_grow_to_an_end() -> None:
    waits = [wait_before(attempt, 1.0, 60.0, 0.0) for attempt in range(8)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1.0, 60.0)
    assert wait_before(0, 1.0, 60.0, 9.0) == 9.0


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "content-length",
            "content-range",
            "etag",
            "last-modified",
            "retry-after",
            "content-encoding",
        ]
    ),
    st.text(max_size=30),
)


@given(st.integers(100, 599), HEADERS, st.integers(0, 2000))
def test_no_answer_makes_us_write_where_we_should_not(
    status: int, headers: dict[str, str], have: int
) -> None:
    answer = judge_answer(status, headers, have, FREE)
    assert answer.offset in (0, have)
    if answer.action == "write":
        assert status in (200, 206)
        assert answer.part is not None
        assert answer.part.total is None or answer.part.total <= FREE.max_bytes


@given(
    st.builds(Part, st.text(), st.none() | st.text(), st.none() | st.integers(0), st.integers(0))
)
def test_the_state_beside_a_part_is_read_back(known: Part) -> None:
    assert parse_part(json.loads(json.dumps(part_document(known)))) == known


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["schema", "url", "validator", "total", "synced"]), inner
            )
        ),
    )
)
def test_damaged_state_is_no_state(raw: object) -> None:
    parse_part(raw)
