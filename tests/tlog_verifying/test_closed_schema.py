"""The small schema checker gives the verdicts of jsonschema_rs."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.log_builder import LogBuilder
from vv_core.audit.closed_schema import Check, UnsupportedSchemaError, compile_schema
from vv_core.audit.document_schemas import EVENT_SCHEMA, find_schema_problem, is_supported
from vv_core.errors import SchemaViolation
from vv_core.utils import validate_schema
from vv_schemas import example_path, schema_path

TEXTS = st.text(max_size=5) | st.sampled_from(
    ["", "a" * 70, "ab" * 32, "2026-11-21T05:03:04Z", "\n"]
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def documents() -> list[dict[str, Any]]:
    """Return a LogLine of each version, and an event of each kind that the builder makes."""
    box = LogBuilder(Path())
    box.add_event("start", version="0.1.0", manifest_sha256=None)
    box.add_line()
    box.rotate()
    box.add_event("revocation", key_id="k.0", from_seq=1)
    box.add_event("pruned", below=2)
    box.add_event("clock_step", **{"from": "2026-11-21T05:03:04Z", "to": "2026-11-21T04:03:04Z"})
    old = json.loads(example_path("logline").read_bytes())
    old.pop("log", None)
    return [*(json.loads(entry) for entry in box.entries), old | {"schema": "vv.logline/1"}]


DOCUMENTS = documents()


def is_valid_by_peer(document: Any) -> bool:
    """Ask jsonschema_rs."""
    is_event = isinstance(document, dict) and document.get("schema") == EVENT_SCHEMA
    try:
        validate_schema(document, schema_path("logevent" if is_event else "logline"))
    except SchemaViolation:
        return False
    return True


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_the_box_writes_is_valid(document: dict[str, Any]) -> None:
    assert find_schema_problem(document) is None
    assert is_valid_by_peer(document)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of each value within a document."""
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += places(item, (*path, number))
    return found


def put(document: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


def drop(document: Any, path: tuple[Any, ...]) -> None:
    for step in path[:-1]:
        document = document[step]
    del document[path[-1]]


@given(st.sampled_from(DOCUMENTS), st.data())
@settings(max_examples=300)
def test_any_value_in_any_place_gets_the_same_verdict(
    original: dict[str, Any], data: st.DataObject
) -> None:
    document = copy.deepcopy(original)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([path for path in places(document) if path]))
        kind = data.draw(st.sampled_from(["put", "drop", "add"]))
        if kind == "put":
            put(document, path, data.draw(VALUES))
        elif kind == "drop":
            drop(document, path)
        else:
            put(document, (*path[:-1], "x") if isinstance(path[-1], str) else path, 1)
    if is_supported(document.get("schema")) and document["schema"] == original["schema"]:
        assert (find_schema_problem(document) is None) == is_valid_by_peer(document)


@given(VALUES)
def test_any_value_as_a_document(value: Any) -> None:
    assert find_schema_problem(value) is not None


@cache
def random_schemas() -> list[tuple[dict[str, Any], Check, Callable[[Any], bool]]]:
    """Return schemas of all supported keywords, with the peer's opinion."""
    chance = random.Random(7)
    found: list[tuple[dict[str, Any], Check, Callable[[Any], bool]]] = []
    for _ in range(150):
        schema = random_schema(chance, 3)
        peer = jsonschema_rs.Draft202012Validator(schema)
        found.append((schema, compile_schema("s", {"s": schema}.__getitem__), peer.is_valid))
    return found


def random_schema(chance: random.Random, depth: int) -> dict[str, Any]:
    leaves: list[dict[str, Any]] = [
        {"type": "string", "minLength": 1, "maxLength": 4},
        {"type": "string", "pattern": "^[a-c]{2,}$"},
        {"pattern": "^(a|bc)$"},
        {"type": "integer", "minimum": -3, "maximum": 9},
        {"minimum": 1},
        {"type": ["string", "null"]},
        {"const": "a"},
        {"const": 1},
        {"const": True},
        {"enum": ["a", None, 0, False]},
        {"type": "boolean"},
        {"not": {"type": "null"}},
        {},
    ]
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(leaves)

    def below() -> dict[str, Any]:
        return random_schema(chance, depth - 1)

    branches: list[Callable[[], dict[str, Any]]] = [
        lambda: {
            "type": "object",
            "additionalProperties": chance.random() < 0.5,
            "required": chance.sample(["a", "b", "c"], chance.randrange(3)),
            "properties": {"a": below(), "b": below(), "c": below()},
        },
        lambda: {"properties": {"a": below()}, "required": ["a"]},
        lambda: {"type": "array", "items": below(), "minItems": 1, "maxItems": 3},
        lambda: {"items": below(), "uniqueItems": True},
        lambda: {"anyOf": [below(), {"type": "null"}]},
        lambda: {"anyOf": [below(), below(), below()]},
        lambda: {"oneOf": [below(), below()]},
        lambda: {"allOf": [below(), below()]},
        lambda: {"if": below(), "then": below(), "else": below()},
        lambda: {"$ref": "#/$defs/d", "$defs": {"d": below()}, **chance.choice(leaves)},
        lambda: {"type": ["object", "string"], "properties": {"a": below()}},
    ]
    schema = chance.choice(branches)()
    # A reference counts from the whole document: only there can it stand.
    return schema if depth == 3 or "$ref" not in schema else below()


SMALL = st.none() | st.booleans() | st.integers(-5, 12) | st.text("abc\n", max_size=5)
DEEP = st.recursive(
    SMALL,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcx"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(DEEP)
@settings(max_examples=300)
def test_all_keywords_give_the_same_verdict(value: Any) -> None:
    for schema, check, peer in random_schemas():
        assert (check(value) is None) == peer(value), schema


UNSUPPORTED: list[dict[str, Any]] = [
    {"format": "date"},
    {"patternProperties": {}},
    {"additionalProperties": {"type": "string"}},
    {"type": "float"},
    {"const": 1.5},
    {"enum": [[1]]},
    {"pattern": "unanchored"},
    {"pattern": r"^\d$"},
    {"pattern": "^a|b$"},
    {"pattern": "^a$b$"},
    {"$ref": "#/$defs/none"},
    {"properties": {"a": {"multipleOf": 2}}},
]


@pytest.mark.parametrize("schema", UNSUPPORTED)
def test_what_is_not_supported_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedSchemaError):
        compile_schema("s", {"s": schema}.__getitem__)


def test_a_schema_may_refer_to_itself() -> None:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}},
    }
    check = compile_schema("s", {"s": schema}.__getitem__)
    assert check({"n": 1, "next": {"next": {"n": 2}}}) is None
    assert check({"next": {"next": {"n": "2"}}}) == "/next/next/n: is not of type integer"
