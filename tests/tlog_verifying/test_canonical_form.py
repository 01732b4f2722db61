"""The quick look at a LogLine says nothing that the longer way would not say."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tlog_verifying.test_closed_schema import DOCUMENTS, VALUES, places, put
from vv_core.audit.canonical import MAX_BYTES, canonical_bytes, load_canonical
from vv_core.audit.canonical_form import CanonicalForm
from vv_core.audit.document_schemas import find_schema_problem, load_logline
from vv_core.audit.schema_checks import UnsupportedSchemaError

LINES = [each for each in DOCUMENTS if each["schema"].startswith("vv.logline/")]
TEXTS = st.text(max_size=8) | st.text(st.sampled_from('"\\{}[]:,a0\n\x7f\u2028é😀'), max_size=8)


def by_the_long_way(data: bytes) -> Any:
    document = load_canonical(data)
    return document if document is not None and find_schema_problem(document) is None else None


def written(document: Any) -> bytes:
    """Return the canonical form, of what has none too."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def agrees(data: bytes) -> bool:
    """Tell whether the quick look says nothing, or what the longer way says."""
    return load_logline(data) in (None, by_the_long_way(data))


@pytest.mark.parametrize("line", LINES)
def test_what_the_box_writes_is_seen_at_once(line: dict[str, Any]) -> None:
    data = canonical_bytes(line)
    assert load_logline(data) == line == by_the_long_way(data)


@pytest.mark.parametrize("line", LINES)
def test_a_byte_changed_anywhere(line: dict[str, Any]) -> None:
    data = canonical_bytes(line)
    source = random.Random(4)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] = source.choice(b'"\\,:{}[]0 9az\x00\x1f\x7f\xc3\xff')
        assert agrees(bytes(changed))
        assert agrees(data[:place] + data[place + 1 :])
        assert agrees(data[:place] + source.choice([b" ", b"0", b"-", b'"', b","]) + data[place:])


@settings(max_examples=400)
@given(st.data())
def test_any_value_anywhere(data: st.DataObject) -> None:
    line = json.loads(json.dumps(data.draw(st.sampled_from(LINES))))
    path = data.draw(st.sampled_from([each for each in places(line) if each]))
    put(line, path, data.draw(VALUES | TEXTS | st.integers(0, 2**53 - 1)))
    assert agrees(written(line))


@settings(max_examples=400)
@given(st.data())
def test_fields_missing_added_and_in_another_order(data: st.DataObject) -> None:
    line = dict(data.draw(st.sampled_from(LINES)))
    for name in data.draw(st.lists(st.sampled_from(sorted(line)), max_size=2)):
        line.pop(name, None)
    line |= data.draw(st.dictionaries(TEXTS, VALUES, max_size=1))
    assert agrees(written(line))
    names = data.draw(st.permutations(sorted(line)))
    text = json.dumps(
        {name: line[name] for name in names}, ensure_ascii=False, separators=(",", ":")
    )
    assert agrees(text.encode("utf-8", "surrogatepass"))
    assert agrees(json.dumps(line, sort_keys=True).encode())


def test_too_many_bytes() -> None:
    line = {**LINES[0], "names": ["é" * 120] * 100}
    assert load_logline(canonical_bytes(line)) == line
    long = {**line, "entities": [{"label": "é" * 120, "count": 1}] * 180}
    data = written(long)
    assert len(data) > MAX_BYTES
    assert load_logline(data) is None


def form_of(node: dict[str, Any]) -> CanonicalForm:
    return CanonicalForm("x", lambda _name: node)


TEXT = {"type": "string"}


def closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


@pytest.mark.parametrize(
    "node",
    [
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        closed({"a": TEXT, "b": TEXT}, ["b"]),
        closed({"a": TEXT}, ["a", "b"]),
        closed({"a b": TEXT}, ["a b"]),
        closed({}, []),
        {"type": "array", "items": {"type": "string", "pattern": '^[!-~"]$'}},
        {"type": "array", "items": TEXT, "uniqueItems": True},
        {"type": "array"},
        {"type": "array", "items": TEXT, "maxItems": 0},
        {"type": "integer"},
        {"type": "integer", "minimum": 2},
        {"type": "integer", "minimum": 0, "maximum": 9},
        {"type": "boolean"},
        {"enum": ["a", 1]},
        {"const": 'a"b'},
        {"anyOf": [TEXT, {"type": "integer", "minimum": 0}]},
        {"oneOf": [TEXT, {"type": "null"}]},
        {"type": ["string", "null"]},
        {"$ref": "#/$defs/nowhere"},
    ],
)
def test_a_schema_of_another_kind_is_refused(node: dict[str, Any]) -> None:
    with pytest.raises((UnsupportedSchemaError, TypeError)):
        form_of(node)


@pytest.mark.parametrize(
    ("node", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 100}, ["1", "99"], ["0", "01", "-1", "101"]),
        ({"type": "integer", "minimum": 0}, ["0", "9" * 15], ["00", "-0", "1.0", "9" * 17, "1e3"]),
        (
            {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 3},
            ['["a","b"]', '["a","b","c"]'],
            ["[]", '["a"]', '["a","b","c","d"]', '["a" ,"b"]'],
        ),
        ({"type": "array", "items": TEXT}, ["[]", '["a"]'], ["[,]", '["a",]']),
        (
            {"type": "string", "minLength": 1, "maxLength": 2},
            ['"é"', '"😀a"'],
            ['""', '"abc"', '"\\n"', '"\n"', '"""'],
        ),
        (
            {"type": "string", "pattern": "^[!-~]{1,3}$"},
            ['"a"'],
            ['"a b"', '"abcd"', '"""', '"\\"'],
        ),
        ({"type": "string", "pattern": "^a(\\.[0-9]+)?$"}, ['"a"', '"a.1"'], ['"a1"', '"ab"']),
    ],
)
def test_single_kinds(node: dict[str, Any], good: list[str], bad: list[str]) -> None:
    form = form_of(node)
    assert [text for text in good if not form.is_form(text)] == []
    assert [text for text in bad if form.is_form(text)] == []
