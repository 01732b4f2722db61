"""Reading JSON of others: strict, limited, and never a surprise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from tests.core.test_atomic import JSON_VALUES
from vv_core.errors import ExitCode, InputDataError, InputMissingError, TemporaryError, VvError
from vv_core.jsonio import parse_json, read_json


@unhurried
@given(JSON_VALUES, st.booleans())
def test_what_json_writes_is_read(value: object, ensure_ascii: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ensure_ascii).encode("utf-8")) == value


@unhurried
@given(st.binary(max_size=300) | st.text('[]{}":,0e+-.\\u1 nulltrefas').map(str.encode))
def test_nothing_but_two_errors_comes_out(data: bytes) -> None:
    try:
        parse_json(data)
    except (ValueError, RecursionError):
        pass


@unhurried
@given(st.text(max_size=5), st.integers(), st.integers())
def test_a_key_never_stands_twice(key: str, one: int, other: int) -> None:
    name = json.dumps(key)
    with pytest.raises(ValueError, match="twice"):
        parse_json(f'[{{"x": {{{name}: {one}, {name}: {other}}}}}]'.encode())


BAD = {
    "empty": b"",
    "white space": b" \n",
    "not JSON": b"{'a': 1}",
    "two values": b"1 2",
    "comma at the end": b"[1,]",
    "not UTF-8": b'"\xff"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "control character": b'"a\nb"',
    "NaN": b'{"a": NaN}',
    "infinity": b"-Infinity",
    "a number beyond floats": b"1e999",
    "a number of 5000 digits": b"9" * 5000,
    "key twice": b'{"a": 1, "a": 1}',
    "key twice, escaped": b'{"a": 1, "\\u0061": 1}',
    "nested too deep": b"[" * 100_000,
    "cut": b'{"a": [1, 2',
    "NUL": b"\x00\x00",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_documents_are_refused_with_their_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(BAD[name])
    with pytest.raises(InputDataError) as caught:
        read_json(path)
    assert str(path) in caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize(("size", "fits"), [(9, True), (10, True), (11, False)])
def test_size_has_a_limit(tmp_path: Path, size: int, fits: bool) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"1" + b" " * (size - 1))
    if fits:
        assert read_json(path, max_bytes=10) == 1
    else:
        with pytest.raises(InputDataError, match="larger than 10 bytes"):
            read_json(path, max_bytes=10)


@pytest.mark.parametrize(
    ("name", "kind"), [("gone.json", InputMissingError), ("folder", TemporaryError)]
)
def test_what_cannot_be_read_is_told_apart(tmp_path: Path, name: str, kind: type[VvError]) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(kind) as caught:
        read_json(tmp_path / name)
    assert caught.value.exit_code != ExitCode.DATAERR
