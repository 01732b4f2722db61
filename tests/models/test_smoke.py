"""The decision before the switch, from what the runs left."""

from __future__ import annotations

from typing import Any

import pytest

from vv_core.jsonio import read_json
from vv_core.models.scene_runs import LANGUAGES, SceneRun, scene_files
from vv_core.models.smoke import judge_summaries, refuse
from vv_core.models.smoke_detector import judge_analytic
from vv_core.process import ChildResult
from vv_core.utils import validate_schema
from vv_schemas import schema_path

SHA = "a" * 64
ENDED = ChildResult(exit_code=0, timed_out=False, duration_s=1.0, stderr_tail=())
SCENES = ("one", "two")


def document(path: str = "model", sha256: str | None = SHA) -> dict[str, Any]:
    """Return the parts of a summary that count."""
    reason = None if path == "model" else "missing label: 'dog'"
    return {
        "engine": {"model_hash": sha256, "elapsed_s": 0.5},
        "grounding": {"path": path, "fallback_reason": reason},
    }


def run(*documents: dict[str, Any], child: ChildResult = ENDED, language: str = "en") -> SceneRun:
    """Return a run over two scenes that left some documents."""
    return SceneRun(language, child, dict(zip(SCENES, documents, strict=False)), SCENES)


def test_the_fixed_scenes_are_valid_and_differ() -> None:
    scenes = scene_files()
    assert len(scenes) >= 5
    documents = [read_json(scene) for scene in scenes]
    for scene in documents:
        validate_schema(scene, schema_path("analytic"))
    labels = [tuple(label["label"] for label in scene["labels"]) for scene in documents]
    assert () in labels, "one scene has nothing in it"
    assert len({*labels}) >= 5
    assert any(scene["names"] for scene in documents)
    assert set(LANGUAGES) == {"pt-BR", "en"}


def test_all_kept_is_passed() -> None:
    test = judge_summaries([run(document(), document())] * 2, SHA, 100)
    assert test.is_passed
    assert (test.texts, test.kept, test.seconds) == (4, 4, 2.0)


def test_fallbacks_are_counted_and_allowed_to_a_share() -> None:
    runs = [run(document(), document("rules"))] * 2
    assert judge_summaries(runs, SHA, 50).is_passed
    refused = judge_summaries(runs, SHA, 51)
    assert "2 of 4 texts were kept, 51 % are needed: missing label" in refused.problems[0]


def test_never_a_kept_text_is_refused_whatever_is_asked() -> None:
    assert not judge_summaries([run(document("rules"), document("rules"))], SHA, 0).is_passed


def test_another_model_than_asked_is_refused() -> None:
    for other in ("b" * 64, None):
        test = judge_summaries([run(document(), document(sha256=other))], SHA, 1)
        assert "not written with this model" in test.problems[0]


def test_a_missing_summary_is_refused() -> None:
    assert "no valid summary of two" in judge_summaries([run(document())], SHA, 1).problems[0]


def test_a_model_that_does_not_load_is_refused_with_what_was_said() -> None:
    child = ChildResult(78, False, 1.0, ("llama.cpp cannot run the model",))
    test = judge_summaries([run(child=child)], SHA, 1)
    assert "ended with 78: llama.cpp cannot run the model" in test.problems[0]
    error = refuse("m", "summary", test)
    assert "Nothing was changed" in error.advice
    assert error.exit_code == 65


def test_a_model_that_hangs_is_refused() -> None:
    child = ChildResult(143, True, 300.0, ())
    assert "not ready in time" in judge_summaries([run(child=child)], SHA, 1).problems[0]


def analytic(**detector: object) -> dict[str, Any]:
    """Return the parts of an analytic that count."""
    return {
        "detector": {
            "name": "yolov8n",
            "weights_hash": SHA,
            "embedded_default": False,
            **detector,
        },
        "labels": [{"type": "object", "label": "person"}],
    }


def test_a_detector_that_sees_is_passed() -> None:
    assert judge_analytic(analytic(), SHA, 1.0).is_passed


@pytest.mark.parametrize(
    "detector", [{"weights_hash": "b" * 64}, {"embedded_default": True, "weights_hash": None}]
)
def test_a_detector_that_was_not_used_is_refused(detector: dict[str, object]) -> None:
    assert "not these weights" in judge_analytic(analytic(**detector), SHA, 1.0).problems[0]


def test_a_blind_detector_is_refused() -> None:
    blind = {**analytic(), "labels": [{"type": "motion", "label": "motion"}]}
    assert "nothing was seen" in judge_analytic(blind, SHA, 1.0).problems[0]
