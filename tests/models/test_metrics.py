"""Figures of each model, from summaries."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vv_core.models import metrics
from vv_core.models.metrics import TextFigures, figures_of, model_metrics, read_model_metrics
from vv_core.paths import Storage
from vv_schemas import schema_path

EXAMPLE = schema_path("summary").parent / "examples" / "summary.example.json"


def summary(
    model: str | None = "m.gguf", path: str = "model", attempts: int = 1, seconds: float = 0.5
) -> dict[str, Any]:
    """Return the parts of a summary that count."""
    return {
        "engine": {
            "model": model,
            "model_hash": None if model is None else "a" * 64,
            "elapsed_s": seconds,
        },
        "grounding": {"path": path, "attempts": [{}] * attempts},
    }


def write(storage: Storage, name: str, document: object, mtime: int = 1_000_000_000) -> None:
    """Write a summary with a time."""
    path = storage.summaries / f"{name}.summary.json"
    path.write_text(json.dumps(document), "utf-8")
    os.utime(path, (mtime, mtime))


def box(tmp_path: Path) -> Storage:
    """Return the folders of an empty box."""
    storage = Storage(tmp_path / "data")
    storage.ensure()
    return storage


def test_shares_and_times_are_by_model() -> None:
    texts = [TextFigures("a", "1", True, True, 0.1)] * 2
    texts += [TextFigures("a", "1", True, False, 0.3), TextFigures("a", "1", False, False, 0.9)]
    texts += [TextFigures("a", "2", True, True, 0.2), TextFigures(None, None, False, False, 0.0)]
    first, second, rules = model_metrics(texts)
    assert (first.summaries, first.kept_share, first.first_try_share) == (4, 0.75, 0.5)
    assert (first.median_s, first.p95_s) == (0.2, 0.9)
    assert {second.model_hash, rules.model_hash} == {"2", None}


TEXTS = st.builds(
    TextFigures,
    st.sampled_from(["a", "b", None]),
    st.sampled_from(["1", "2", None]),
    st.booleans(),
    st.booleans(),
    st.floats(0, 100),
)


@given(st.lists(TEXTS, max_size=40))
def test_figures_are_consistent(texts: list[TextFigures]) -> None:
    figures = model_metrics(texts)
    assert sum(it.summaries for it in figures) == len(texts)
    for it in figures:
        assert 0 <= it.kept_share <= 1
        assert it.median_s <= it.p95_s + 0.001


def test_the_example_summary_is_understood() -> None:
    figures = figures_of(json.loads(EXAMPLE.read_text("utf-8")))
    assert figures is not None
    assert figures.seconds >= 0


def test_a_second_attempt_is_not_the_first() -> None:
    second = figures_of(summary(attempts=2))
    assert second is not None
    assert (second.kept, second.first_try) == (True, False)
    fallback = figures_of(summary(path="rules", attempts=2))
    assert fallback is not None
    assert (fallback.kept, fallback.first_try) == (False, False)
    older = summary()
    del older["grounding"]["attempts"]
    first = figures_of(older)
    assert first is not None
    assert first.first_try


def test_documents_of_another_form_do_not_count() -> None:
    for document in ({}, {"engine": 1, "grounding": {}}, {"engine": {"model": 1}, "grounding": {}}):
        assert figures_of(document) is None


def test_new_summaries_are_noted_once(tmp_path: Path) -> None:
    storage = box(tmp_path)
    assert read_model_metrics(storage) == []
    write(storage, "one", summary())
    write(storage, "two", summary(path="rules"))
    write(storage, "torn", "{")
    (storage.summaries / "note.txt").write_text("x")
    (figures,) = read_model_metrics(storage)
    assert (figures.summaries, figures.kept_share) == (2, 0.5)
    assert read_model_metrics(storage) == [figures]


def test_figures_survive_the_summaries(tmp_path: Path) -> None:
    storage = box(tmp_path)
    write(storage, "one", summary())
    before = read_model_metrics(storage)
    (storage.summaries / "one.summary.json").unlink()
    assert read_model_metrics(storage) == before


def test_a_summary_that_was_written_anew_counts_once(tmp_path: Path) -> None:
    storage = box(tmp_path)
    write(storage, "one", summary(path="rules"))
    read_model_metrics(storage)
    write(storage, "one", summary(), mtime=1_000_000_100)
    (figures,) = read_model_metrics(storage)
    assert (figures.summaries, figures.kept_share) == (1, 1.0)


def test_one_call_reads_a_bounded_number(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(metrics, "MAX_NEW", 3)
    storage = box(tmp_path)
    for number in range(5):
        write(storage, str(number), summary(), mtime=1_000_000_000 + number)
    assert read_model_metrics(storage)[0].summaries == 3
    assert read_model_metrics(storage)[0].summaries == 5


def test_names_that_are_not_text_do_no_harm(tmp_path: Path) -> None:
    storage = box(tmp_path)
    (storage.summaries / os.fsdecode(b"\xff.summary.json")).write_text("{}")
    assert read_model_metrics(storage) == []


def test_a_damaged_database_starts_anew(tmp_path: Path) -> None:
    storage = box(tmp_path)
    write(storage, "one", summary())
    (storage.orchestrator_data / metrics.FILE_NAME).write_bytes(b"rubbish" * 1000)
    assert read_model_metrics(storage)[0].summaries == 1
