from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.samples import vector_path
from vv_core.audit.canonical import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    MalformedError,
    canonical_bytes,
    load_canonical,
    load_strict,
)
from vv_core.audit.verdict import Reason
from vv_core.errors import ExitCode

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_form_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_canonical_form_loads_back(value: Any) -> None:
    assert load_strict(canonical_bytes(value)) == value


@given(values)
def test_other_spellings_have_the_same_canonical_form(value: Any) -> None:
    spelled = json.dumps(value, ensure_ascii=True, indent=3).encode("ascii")
    assert canonical_bytes(load_strict(spelled)) == canonical_bytes(value)


@given(st.binary(max_size=60))
def test_any_bytes_load_or_are_malformed(data: bytes) -> None:
    try:
        value = load_strict(data)
    except MalformedError:
        return
    assert load_strict(canonical_bytes(value)) == value


@given(st.text(st.sampled_from('{}[]",:0123456789.eE+-\\untrefalsNI \ud800'), max_size=40))
def test_json_like_text_loads_or_is_malformed(text: str) -> None:
    try:
        value = load_strict(text.encode("utf-8", "surrogatepass"))
    except MalformedError:
        return
    assert load_strict(canonical_bytes(value)) == value


def by_the_long_way(data: bytes) -> Any:
    """Return what `load_canonical` has to return."""
    try:
        value = load_strict(data)
        return value if canonical_bytes(value) == data else None
    except MalformedError:
        return None


@given(values)
def test_the_quick_way_loads_what_is_canonical(value: Any) -> None:
    assert load_canonical(canonical_bytes(value)) == value


@given(
    st.text(st.sampled_from('{}[]",:0123456789.eE+-\\untrefalsNI \ud800\U0001f600'), max_size=40)
)
def test_the_quick_way_loads_nothing_else(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert load_canonical(data) == by_the_long_way(data)


@given(values, st.integers(0, 200), st.binary(max_size=3))
def test_the_quick_way_sees_every_change(value: Any, position: int, inserted: bytes) -> None:
    data = canonical_bytes(value)
    changed = data[:position] + inserted + data[position + len(inserted) :]
    assert load_canonical(changed) == by_the_long_way(changed)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 500, 5000])
@pytest.mark.parametrize("kind", [b"[]", b'{"a":}'])
def test_the_quick_way_knows_the_depth(depth: int, kind: bytes) -> None:
    head, tail = kind[:-1], kind[-1:]
    data = head * depth + b"1" + tail * depth
    assert load_canonical(data) == by_the_long_way(data)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


MALFORMED = {
    "empty": (b"", Reason.NOT_JSON),
    "only white space": (b" \n", Reason.NOT_JSON),
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', Reason.NOT_JSON),
    "UTF-16": ('{"a":1}'.encode("utf-16"), Reason.NOT_UTF8),
    "Latin-1": (b'{"a":"\xe9"}', Reason.NOT_UTF8),
    "overlong UTF-8": (b'{"a":"\xc0\xaf"}', Reason.NOT_UTF8),
    "surrogate as UTF-8": (b'{"a":"\xed\xa0\x80"}', Reason.NOT_UTF8),
    "lone high surrogate": (b'{"a":"\\ud800"}', Reason.LONE_SURROGATE),
    "lone low surrogate": (b'{"a":"\\udc00"}', Reason.LONE_SURROGATE),
    "surrogate in a key": (b'{"\\ud800":1}', Reason.LONE_SURROGATE),
    "surrogate in a list": (b'["\\ud800"]', Reason.LONE_SURROGATE),
    "duplicate key": (b'{"a":1,"a":1}', Reason.DUPLICATE_KEY),
    "duplicate key, spelled differently": (b'{"a":1,"\\u0061":2}', Reason.DUPLICATE_KEY),
    "duplicate key deep inside": (b'{"x":[{"a":1,"a":2}]}', Reason.DUPLICATE_KEY),
    "fraction": (b'{"a":1.5}', Reason.NOT_AN_INTEGER),
    "whole number with a point": (b'{"a":1.0}', Reason.NOT_AN_INTEGER),
    "exponent": (b'{"a":1e2}', Reason.NOT_AN_INTEGER),
    "infinite exponent": (b'{"a":1e999}', Reason.NOT_AN_INTEGER),
    "NaN": (b'{"a":NaN}', Reason.NOT_AN_INTEGER),
    "Infinity": (b'{"a":-Infinity}', Reason.NOT_AN_INTEGER),
    "2^53": (b'{"a":9007199254740992}', Reason.INTEGER_TOO_LARGE),
    "-2^53": (b'{"a":-9007199254740992}', Reason.INTEGER_TOO_LARGE),
    "5,000 digits": (b"9" * 5000, Reason.INTEGER_TOO_LARGE),
    "leading zero": (b'{"a":01}', Reason.NOT_JSON),
    "single quotes": (b"{'a':1}", Reason.NOT_JSON),
    "trailing comma": (b'{"a":1,}', Reason.NOT_JSON),
    "comment": (b'{"a":1} // b', Reason.NOT_JSON),
    "two documents": (b"{}{}", Reason.NOT_JSON),
    "raw newline in text": (b'{"a":"\n"}', Reason.NOT_JSON),
    "raw NUL": (b'{"a":"\x00"}', Reason.NOT_JSON),
    "cut in the middle": (b'{"a":', Reason.NOT_JSON),
    "one level too deep": (nested(MAX_DEPTH + 1), Reason.TOO_DEEP),
    "30,000 levels": (nested(30_000), Reason.TOO_DEEP),
    "30,000 levels, never closed": (b'{"a":' * 10_000, Reason.TOO_DEEP),
    "one byte too large": (b" " * (MAX_BYTES - 1) + b"{}", Reason.TOO_LARGE),
}


@pytest.mark.parametrize(("data", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_bad_input_is_malformed(data: bytes, reason: Reason) -> None:
    with pytest.raises(MalformedError) as caught:
        load_strict(data)
    assert caught.value.reason is reason
    assert caught.value.exit_code is ExitCode.DATAERR


ACCEPTED = {
    "deepest": nested(MAX_DEPTH),
    "largest integer": b"9007199254740991",
    "smallest integer": b"-9007199254740991",
    "largest document": b" " * (MAX_BYTES - 2) + b"{}",
    "surrogate pair": b'"\\ud83d\\ude02"',
    "minus zero": b"-0",
    "escaped NUL": b'"\\u0000"',
    "white space around": b'\n {"a" : [ 1 ]}\t\r\n',
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_the_limits_themselves_are_accepted(data: bytes) -> None:
    load_strict(data)


UNENCODABLE = {
    "fraction": ({"a": 1.5}, Reason.NOT_AN_INTEGER),
    "whole float": ({"a": 1.0}, Reason.NOT_AN_INTEGER),
    "NaN": ([math.nan], Reason.NOT_AN_INTEGER),
    "2^53": ([2**53], Reason.INTEGER_TOO_LARGE),
    "key that is no text": ({1: "a"}, Reason.UNKNOWN_TYPE),
    "bytes": ({"a": b"x"}, Reason.UNKNOWN_TYPE),
    "set": ({"a": {1}}, Reason.UNKNOWN_TYPE),
    "lone surrogate": ({"a": "\ud800"}, Reason.LONE_SURROGATE),
    "lone surrogate in a key": ({"\udfff": 1}, Reason.LONE_SURROGATE),
    "too large": ("x" * (MAX_BYTES - 1), Reason.TOO_LARGE),
    "too deep": (json.loads(nested(MAX_DEPTH + 1)), Reason.TOO_DEEP),
}


@pytest.mark.parametrize(("value", "reason"), UNENCODABLE.values(), ids=UNENCODABLE)
def test_values_outside_the_subset_have_no_canonical_form(value: Any, reason: Reason) -> None:
    with pytest.raises(MalformedError) as caught:
        canonical_bytes(value)
    assert caught.value.reason is reason


def test_a_cycle_is_too_deep() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(MalformedError, match="too deep"):
        canonical_bytes(cycle)


def test_the_largest_form_is_accepted() -> None:
    assert len(canonical_bytes("x" * (MAX_BYTES - 2))) == MAX_BYTES


def test_keys_beyond_the_basic_plane_sort_by_utf16() -> None:
    # U+1F602 is D83D DE02 in UTF-16, before U+FB33; by code point it would come after.
    assert canonical_bytes({"\ufb33": 1, "\U0001f602": [{"b": 1, "a": 2}]}) == (
        '{"\U0001f602":[{"a":2,"b":1}],"\ufb33":1}'.encode()
    )


def test_the_error_crosses_processes_and_never_holds_the_data() -> None:
    with pytest.raises(MalformedError) as caught:
        load_strict(b'{"secret":"hunter2", oops')
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.reason, copy.message) == (Reason.NOT_JSON, caught.value.message)
    assert "hunter2" not in copy.message


def jcs_cases() -> list[str]:
    return ["arrays", "french", "structures", "unicode", "values", "weird"]


@pytest.mark.parametrize("name", jcs_cases())
def test_jcs_vectors(name: str) -> None:
    source: Path = vector_path(f"jcs/input/{name}.json")
    expected = vector_path(f"jcs/output/{name}.json").read_bytes()
    if name in {"structures", "values"}:  # these hold fractions, which are outside the subset
        with pytest.raises(MalformedError, match="not an integer"):
            load_strict(source.read_bytes())
        return
    assert canonical_bytes(load_strict(source.read_bytes())) == expected
    assert bytes.fromhex(vector_path(f"jcs/outhex/{name}.txt").read_text()) == expected
