"""The schemas: valid, closed, true of their examples, and strict about the usual mistakes."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import meta

from vv_core.errors import SchemaViolation
from vv_core.utils import load_schema, validate_schema
from vv_schemas import example_path, schema_names, schema_path

Document = dict[str, Any]
Change = Callable[[Document], object]

FOLDER = schema_path("summary").parent
ALL_SCHEMAS = [*sorted(FOLDER.glob("*.schema.json")), FOLDER / "contract.signature.json"]
LOCAL_TIMES = ["2026-11-21T02:03:04", "2026-11-21T02:03:04-03:00", "2026-11-21 05:03:04Z", "agora"]
HASHES = ["", "A1" * 32, "a1" * 31, "g1" * 32, "a1" * 32 + "\n"]


def example(name: str) -> Document:
    document: Document = json.loads(example_path(name).read_text("utf-8"))
    return document


def schema_nodes(node: Any, where: str = "") -> Iterator[tuple[str, Document]]:
    """Yield every schema inside a schema that describes an object, with its place.

    Conditions only choose among what is closed elsewhere.
    """
    if isinstance(node, dict):
        if node.get("type") == "object" or "properties" in node:
            yield where or "top level", node
        for key, value in node.items():
            if key not in {"if", "then", "else"}:
                yield from schema_nodes(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from schema_nodes(value, f"{where}/{index}")


def put(value: Any, *path: str | int) -> Change:
    """Return a change that sets one place of a document."""

    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def drop(*path: str | int) -> Change:
    """Return a change that removes one place of a document."""

    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


def test_the_documents_are_there() -> None:
    assert schema_names() == ["analytic", "logevent", "logline", "media", "playlist", "summary"]


@pytest.mark.parametrize("path", ALL_SCHEMAS, ids=lambda path: path.name)
def test_each_is_a_valid_json_schema_2020_12(path: Path) -> None:
    schema = load_schema(path)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{path.name}")
    meta.validate(schema)


def test_the_meta_schema_is_really_asked() -> None:
    assert not meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": 3})


@pytest.mark.parametrize("path", ALL_SCHEMAS, ids=lambda path: path.name)
def test_each_object_is_closed_or_a_typed_map(path: Path) -> None:
    for where, node in schema_nodes(load_schema(path)):
        extra = node.get("additionalProperties")
        assert extra is False or (isinstance(extra, dict) and "type" in extra), where
        assert set(node.get("required", ())) <= node.get("properties", {}).keys(), where


@pytest.mark.parametrize("path", ALL_SCHEMAS, ids=lambda path: path.name)
def test_each_array_and_text_has_a_limit(path: Path) -> None:
    def walk(node: Any, where: str) -> Iterator[str]:
        if isinstance(node, dict):
            if (
                node.get("type") == "array"
                and "maxItems" not in node
                and node.get("items") is not False
            ):
                yield where
            if node.get("type") == "string" and not {"maxLength", "pattern"} & node.keys():
                yield where
            for key, value in node.items():
                yield from walk(value, f"{where}/{key}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                yield from walk(value, f"{where}/{index}")

    assert list(walk(load_schema(path), "")) == []


@pytest.mark.parametrize("name", schema_names())
def test_each_example_follows_its_schema(name: str) -> None:
    validate_schema(example(name), schema_path(name))


def test_the_examples_tell_of_one_video() -> None:
    analytic, summary, logline = example("analytic"), example("summary"), example("logline")
    raw = example_path("analytic").read_bytes()
    assert summary["analytic_hash"] == hashlib.sha256(raw).hexdigest()
    assert summary["source_hash"] == analytic["source_hash"]
    assert summary["source"] == analytic["source"]
    assert summary["detector"] == analytic["detector"]
    assert summary["pictures"] == analytic["pictures"]
    assert logline["evidence"]["video_sha256"] == analytic["source_hash"]
    assert example("playlist")["items"][0]["logline_id"] == logline["id"]


def test_the_analytic_example_counts_what_it_lists() -> None:
    analytic = example("analytic")
    for entry in analytic["labels"]:
        own = [
            row["timestamp"]
            for row in analytic["detections"]
            if (row["type"], row["label"]) == (entry["type"], entry["label"])
        ]
        assert entry["peak"] == own.count(entry["peak_at"]) == max(map(own.count, own))
        assert entry["frames"] == len(set(own))
        assert (entry["first_seen"], entry["last_seen"]) == (min(own), max(own))


BAD: dict[str, list[Any]] = {
    "analytic": [
        pytest.param(put(1, "extra"), id="unknown key"),
        pytest.param(put(1, "source", "extra"), id="unknown key inside"),
        pytest.param(put(1, "detections", 0, "extra"), id="unknown key of a detection"),
        pytest.param(drop("detector"), id="no detector"),
        pytest.param(drop("detections", 0, "box"), id="no box"),
        pytest.param(put("vv.analytic/2", "schema"), id="another version"),
        pytest.param(put("person", "detections", 0, "type"), id="unknown type"),
        pytest.param(put("", "detections", 0, "label"), id="empty label"),
        pytest.param(put(1.01, "detections", 0, "confidence"), id="confidence above one"),
        pytest.param(put(-0.1, "detections", 0, "timestamp"), id="time before the start"),
        pytest.param(put([0.1, 0.2, 0.3], "detections", 0, "box"), id="box of three"),
        pytest.param(put([0.1] * 5, "detections", 0, "box"), id="box of five"),
        pytest.param(put([0.1, 0.2, 0.3, 40], "detections", 0, "box"), id="box in pixels"),
        pytest.param(put(0, "labels", 0, "peak"), id="peak of zero"),
        pytest.param(put(1.5, "labels", 0, "peak"), id="half a person"),
        pytest.param(put(0, "sampling", "frames"), id="no frame looked at"),
        pytest.param(put(45, "source", "rotation"), id="odd rotation"),
        pytest.param(put("guess", "source", "start_origin"), id="unknown origin of the time"),
        pytest.param(put("yolo", "detector", "backend"), id="unknown backend"),
        pytest.param(put({"person": 0}, "activity", 0, "peak"), id="map of another type"),
    ],
    "summary": [
        pytest.param(put(1, "extra"), id="unknown key"),
        pytest.param(put(1, "engine", "extra"), id="unknown key inside"),
        pytest.param(drop("grounding"), id="no grounding"),
        pytest.param(put(False, "grounding", "checked"), id="text that was not checked"),
        pytest.param(put("luck", "grounding", "path"), id="unknown path"),
        pytest.param(put("fr", "language"), id="unknown language"),
        pytest.param(put("", "title"), id="empty title"),
        pytest.param(put("x" * 121, "title"), id="title too long"),
        pytest.param(put("x" * 1001, "text"), id="text too long"),
        pytest.param(put(0, "facts", 0, "count"), id="fact of zero"),
        pytest.param(put("chatgpt", "engine", "kind"), id="unknown engine"),
        pytest.param(put(-1, "engine", "elapsed_s"), id="time backwards"),
    ],
    "logline": [
        pytest.param(put(1, "extra"), id="unknown key"),
        pytest.param(put(1, "signature_details", "extra"), id="unknown key of the signature"),
        pytest.param(drop("when"), id="no when"),
        pytest.param(drop("signature_details"), id="not signed"),
        pytest.param(put("HMAC-MD5", "signature_details", "algorithm"), id="another algorithm"),
        pytest.param(put("../key", "signature_details", "key_id"), id="key id that is a path"),
        pytest.param(put("", "signature_details", "signature"), id="empty signature"),
        pytest.param(put(39962.5, "media", "duration_ms"), id="float"),
        pytest.param(put(2**53, "media", "bytes"), id="integer beyond 2^53 - 1"),
        pytest.param(put(1.5, "entities", 0, "count"), id="float count"),
        pytest.param(put("maybe", "status"), id="unknown status"),
        pytest.param(put("2026-11-21T05:03:04.5Z", "when"), id="fraction of a second"),
        pytest.param(put("x", "id"), id="id of another form"),
    ],
    "logevent": [
        pytest.param(put(1, "extra"), id="unknown key"),
        pytest.param(put(1, "details", "extra"), id="unknown detail"),
        pytest.param(put("other", "kind"), id="unknown kind"),
        pytest.param(put("start", "kind"), id="details of another kind"),
        pytest.param(drop("log"), id="no place in the log"),
        pytest.param(put(-1, "log", "seq"), id="place before the first"),
        pytest.param(put("a b", "log", "origin"), id="origin with a space"),
        pytest.param(put("a+b", "log", "origin"), id="origin with a plus"),
        pytest.param(drop("signature_details"), id="not signed"),
    ],
    "media": [
        pytest.param(put(1, "extra"), id="unknown key"),
        pytest.param(put(1, "clip", "extra"), id="unknown key of the clip"),
        pytest.param(put("ok", "state"), id="unknown state"),
        pytest.param(put("as_is", "state"), id="plays as it is from another folder"),
        pytest.param(put(None, "clip"), id="plays without a clip"),
        pytest.param(put("unplayable", "state"), id="a clip that does not play"),
        pytest.param(put("a/b.mp4", "clip", "path"), id="made under another name"),
        pytest.param(put("input", "clip", "folder"), id="unknown folder"),
        pytest.param(put(0, "clip", "bytes"), id="no bytes"),
        pytest.param(put(0, "clip", "duration_ms"), id="no length"),
        pytest.param(put(39.5, "clip", "duration_ms"), id="fraction of a millisecond"),
    ],
    "playlist": [
        pytest.param(put(1, "extra"), id="unknown key"),
        pytest.param(put(1, "items", 0, "extra"), id="unknown key of an item"),
        pytest.param(drop("window", "to"), id="open window"),
        pytest.param(put("tv 2", "tv"), id="TV name with a space"),
        pytest.param(put("maybe", "items", 0, "status"), id="unknown status"),
        pytest.param(put("", "items", 0, "media"), id="nothing to play"),
        pytest.param(put(0, "items", 0, "duration_s"), id="no length"),
        pytest.param(put("/media/x.mp4", "items", 0, "media"), id="clip that is not named by hash"),
        pytest.param(put(None, "items", 0, "media"), id="bytes without a clip"),
        pytest.param(put(None, "items", 0, "bytes"), id="clip without bytes"),
        pytest.param(put("", "items", 0, "camera"), id="camera without a name"),
        pytest.param(
            put("2026-11-21T02:03:04Z", "items", 0, "start_local"), id="time without offset"
        ),
        pytest.param(put(10, "items", 0, "priority"), id="priority above nine"),
        pytest.param(put(False, "items", 0, "verified"), id="not verified"),
        pytest.param(put(False, "loop"), id="shown once"),
        pytest.param(put(0, "valid_s"), id="never valid"),
        pytest.param(put("vv.playlist/1", "schema"), id="the version before"),
    ],
}
TIMES: dict[str, list[tuple[str | int, ...]]] = {
    "analytic": [("source", "start"), ("created",)],
    "summary": [("source", "start"), ("created",)],
    "logevent": [("when",), ("logged_at",)],
    "logline": [("when",), ("logged_at",)],
    "media": [("checked_at",)],
    "playlist": [("generated",), ("window", "from"), ("items", 0, "start")],
}
HASH_PLACES: dict[str, list[tuple[str | int, ...]]] = {
    "analytic": [("source_hash",), ("detector", "weights_hash"), ("pictures", 0, "sha256")],
    "summary": [("source_hash",), ("analytic_hash",), ("engine", "model_hash")],
    "logline": [
        ("evidence", "video_sha256"),
        ("evidence", "rules_sha256"),
        ("signature_details", "signature"),
    ],
    "media": [("source_sha256",), ("clip", "sha256")],
}


def assert_refused(name: str, change: Change) -> None:
    document = copy.deepcopy(example(name))
    change(document)
    with pytest.raises(SchemaViolation):
        validate_schema(document, schema_path(name))


@pytest.mark.parametrize("change", BAD["analytic"])
def test_bad_analytics_are_refused(change: Change) -> None:
    assert_refused("analytic", change)


@pytest.mark.parametrize("change", BAD["summary"])
def test_bad_summaries_are_refused(change: Change) -> None:
    assert_refused("summary", change)


@pytest.mark.parametrize("change", BAD["logline"])
def test_bad_loglines_are_refused(change: Change) -> None:
    assert_refused("logline", change)


@pytest.mark.parametrize("change", BAD["logevent"])
def test_bad_events_are_refused(change: Change) -> None:
    assert_refused("logevent", change)


def test_a_logline_has_a_place_in_the_log_exactly_from_its_second_version_on() -> None:
    place = {"origin": "vv-log/box-1", "seq": 0, "previous": None}
    first = {key: value for key, value in example("logline").items() if key != "log"}
    validate_schema({**first, "schema": "vv.logline/1"}, schema_path("logline"))
    validate_schema({**first, "schema": "vv.logline/2", "log": place}, schema_path("logline"))
    for bad in (
        {**first, "schema": "vv.logline/2"},
        {**first, "schema": "vv.logline/1", "log": place},
    ):
        with pytest.raises(SchemaViolation):
            validate_schema(bad, schema_path("logline"))


@pytest.mark.parametrize("change", BAD["media"])
def test_bad_media_records_are_refused(change: Change) -> None:
    assert_refused("media", change)


@pytest.mark.parametrize("change", BAD["playlist"])
def test_bad_playlists_are_refused(change: Change) -> None:
    assert_refused("playlist", change)


@pytest.mark.parametrize("value", LOCAL_TIMES)
@pytest.mark.parametrize("name", schema_names())
def test_local_times_are_refused(name: str, value: str) -> None:
    for place in TIMES[name]:
        assert_refused(name, put(value, *place))


@pytest.mark.parametrize("value", HASHES)
@pytest.mark.parametrize("name", sorted(HASH_PLACES))
def test_wrong_hashes_are_refused(name: str, value: str) -> None:
    for place in HASH_PLACES[name]:
        assert_refused(name, put(value, *place))


@pytest.mark.parametrize("name", schema_names())
def test_each_required_key_is_required(name: str) -> None:
    for key in load_schema(schema_path(name))["required"]:
        assert_refused(name, drop(key))


def test_a_logline_holds_no_number_with_a_fraction() -> None:
    def numbers(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            kind = node.get("type")
            yield from [kind] if isinstance(kind, str) else kind or []
            for value in node.values():
                yield from numbers(value)
        elif isinstance(node, list):
            for value in node:
                yield from numbers(value)

    assert "number" not in set(numbers(load_schema(schema_path("logline"))))
