"""The stage as an object: what it writes, what it keeps, whose fault an error is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from summarize_scene.summarize_scene import SummarizeStage
from tests.summarize_scene.scenes import analytic, detection
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from vv_core.errors import ConfigError, InputDataError, InputMissingError, TemporaryError
from vv_core.settings import Settings
from vv_core.stage import StageItem
from vv_core.utils import compute_sha256, validate_schema
from vv_schemas import example_path, schema_path

NOW = datetime(2026, 11, 21, 5, 10, 20, tzinfo=UTC)


class StillClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 1.0


def stage_with(**settings: Any) -> SummarizeStage:
    return SummarizeStage(Settings(**{"summary_model": Path("none")} | settings), StillClock())


def write_input(folder: Path, document: dict[str, Any]) -> StageItem:
    source = folder / "clip.analytic.json"
    source.write_text(json.dumps(document), "utf-8")
    return StageItem(source, folder / "clip.summary.json")


def summarize(item: StageItem, **settings: Any) -> dict[str, Any]:
    stage_with(**settings).process(item, lambda _part: None)
    summary: dict[str, Any] = json.loads(item.output.read_text("utf-8"))
    validate_schema(summary, schema_path("summary"))
    return summary


PEOPLE = [detection(at, "person", 0.9) for at in (3.0, 4.0)]


def test_the_summary_names_its_input_and_its_facts(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE, detection(9.0, "cat", 0.3)))
    summary = summarize(item)
    assert summary["analytic_hash"] == compute_sha256(item.input)
    assert summary["source_hash"] == "a1" * 32
    assert [(fact["label"], fact["count"]) for fact in summary["facts"]] == [("person", 1)]
    assert summary["grounding"]["path"] == "rules"
    assert summary["engine"]["kind"] == "rules"
    assert summary["engine"]["prompt_hash"] is None
    assert summary["created"] == "2026-11-21T05:10:20Z"


def test_the_example_is_what_the_stage_writes(tmp_path: Path) -> None:
    source = tmp_path / "clip.analytic.json"
    source.write_bytes(example_path("analytic").read_bytes())
    item = StageItem(source, tmp_path / "clip.summary.json")
    written = summarize(item, time_zone="America/Sao_Paulo")
    example = json.loads(example_path("summary").read_text("utf-8"))
    for document in (written, example):
        document["engine"].pop("elapsed_s")
        document["tool"].pop("version")
    assert written == example


def test_the_language_is_that_of_the_settings(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    summary = summarize(item, language="en")
    assert summary["language"] == "en"
    assert "A person" in summary["title"]


def test_the_thresholds_are_those_of_the_settings(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    assert summarize(item, fact_min_frames=3, fact_min_confidence=0.95)["facts"] == []


def test_local_time_is_that_of_the_settings(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    assert "às 14h05" in summarize(item, time_zone="America/Sao_Paulo")["text"]
    assert "às 17h05" in summarize(item, time_zone="UTC")["text"]


def test_a_valid_summary_of_the_same_analytic_is_kept_whatever_the_settings(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    assert not stage_with().is_current(item)
    summarize(item)
    assert stage_with().is_current(item)
    assert stage_with(language="en").is_current(item)


@pytest.mark.parametrize("damage", ["{", '{"schema": "vv.summary/1"}', "\xff", ""])
def test_a_damaged_summary_is_made_again(tmp_path: Path, damage: str) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    summarize(item)
    item.output.write_bytes(damage.encode("latin-1"))
    assert not stage_with().is_current(item)
    summarize(item)


def test_a_changed_analytic_is_summarized_again(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    summarize(item)
    write_input(tmp_path, analytic())
    assert not stage_with().is_current(item)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b'{"schema": "vv.analytic/1", "schema": 1}', id="key twice"),
        pytest.param(b'{"schema": NaN}', id="NaN"),
        pytest.param(b"[" * 100_000, id="nested too deep"),
        pytest.param(json.dumps(analytic(extra=1)).encode(), id="unknown key"),
        pytest.param(json.dumps(analytic(schema="vv.analytic/2")).encode(), id="other version"),
        pytest.param(
            json.dumps(analytic(detection(1.0, "\ud800", 0.9), detection(2.0, "\ud800", 0.9))).encode(),
            id="lone surrogate",
        ),
    ],
)  # fmt: skip
def test_what_is_no_analytic_is_bad_input(tmp_path: Path, content: bytes) -> None:
    item = StageItem(tmp_path / "bad.analytic.json", tmp_path / "bad.summary.json")
    item.input.write_bytes(content)
    with pytest.raises(InputDataError) as raised:
        stage_with().process(item, lambda _part: None)
    assert "bad.analytic.json" in raised.value.message
    assert raised.value.advice
    assert not item.output.exists()


def test_a_missing_analytic_is_missing_input(tmp_path: Path) -> None:
    item = StageItem(tmp_path / "absent.json", tmp_path / "out.json")
    with pytest.raises(InputMissingError):
        stage_with().process(item, lambda _part: None)


def test_a_folder_is_no_analytic(tmp_path: Path) -> None:
    item = StageItem(tmp_path, tmp_path / "out.json")
    with pytest.raises(TemporaryError):
        stage_with().process(item, lambda _part: None)


def test_a_model_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    with pytest.raises(ConfigError, match="cannot be read"):
        summarize(item, summary_model=tmp_path / "absent.gguf")
    assert not item.output.exists()


def with_model(tmp_path: Path, **settings: Any) -> dict[str, Any]:
    """Summarize with a real model in a worker of its own."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    values = {"summary_model": write_tiny_gguf(tmp_path / "tiny.gguf"), "summary_context": 4096}
    stage = stage_with(**values | settings)
    item = write_input(tmp_path, analytic(*PEOPLE))
    try:
        stage.process(item, lambda _part: None)
    finally:
        stage.close()
    summary: dict[str, Any] = json.loads(item.output.read_text("utf-8"))
    validate_schema(summary, schema_path("summary"))
    return summary


@pytest.mark.integration
def test_each_attempt_of_a_model_is_recorded(tmp_path: Path) -> None:
    summary = with_model(tmp_path)
    attempts = summary["grounding"]["attempts"]
    assert [attempt["seed"] for attempt in attempts] == [7, 8][: len(attempts)]
    assert attempts[0]["tokens"] > 0
    assert summary["engine"]["tokens"] == sum(attempt["tokens"] for attempt in attempts)
    assert summary["engine"]["seed"] == attempts[-1]["seed"]
    assert summary["grounding"]["fallback_reason"] == attempts[-1]["reason"]


@pytest.mark.integration
def test_a_model_that_is_late_costs_no_video(tmp_path: Path) -> None:
    summary = with_model(tmp_path, summary_timeout_s=1e-4)
    assert summary["grounding"]["path"] == "rules"
    assert summary["grounding"]["fallback_reason"] == "not finished within 0.0001 s"


@pytest.mark.integration
def test_a_model_that_does_not_fit_into_memory_costs_no_video(tmp_path: Path) -> None:
    summary = with_model(tmp_path, summary_context=2_000_000, summary_memory_mb=256)
    assert summary["grounding"]["path"] == "rules"
    assert "memory" in summary["grounding"]["fallback_reason"]
    assert summary["engine"]["model"] == "tiny.gguf"
    assert summary["engine"]["tokens"] == 0


def test_without_a_model_nothing_was_tried(tmp_path: Path) -> None:
    summary = summarize(write_input(tmp_path, analytic(*PEOPLE)))
    assert summary["grounding"]["attempts"] == []
    assert summary["engine"]["seed"] is None


def test_a_wrong_prompt_is_a_wrong_setting(tmp_path: Path) -> None:
    item = write_input(tmp_path, analytic(*PEOPLE))
    with pytest.raises(ConfigError, match="cannot be read"):
        summarize(item, prompt_file=tmp_path / "absent.prompt")


def test_many_facts_are_cut_to_what_the_schema_holds(tmp_path: Path) -> None:
    rows = [
        detection(at, f"label {number}", 0.9, box=[number / 300, 0.0, 0.001, 1.0])
        for number in range(300)
        for at in (1.0, 2.0)
    ]
    assert len(summarize(write_input(tmp_path, analytic(*rows)))["facts"]) == 200
