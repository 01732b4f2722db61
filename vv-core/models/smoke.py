"""Trying a model before the switch: the decision, from what the runs left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vv_core.errors import ConfigError, InputDataError, VvError, from_oserror
from vv_core.models.registry import Kind
from vv_core.models.scene_runs import LANGUAGES, SceneRun, run_scenes, scene_files
from vv_core.settings import Settings

_SHOWN_REASONS = 3
_REFUSED: dict[Kind, str] = {
    "summary": "Nothing was changed. Try another model (vv-models list), or more time and context "
    "(VV_SUMMARY_TIMEOUT_SECONDS, VV_SUMMARY_CONTEXT).",
    "detector": "Nothing was changed. Check that the weights are YOLOv8 for detection and know people.",
}


@dataclass(frozen=True)
class SmokeTest:
    """How a model did on the fixed scenes.

    Attributes:
        texts: that were asked for, in all languages.
        kept: of these, how many the model wrote and the check kept.
        seconds: that the model took for all.
        problems: why it must not be activated; empty when it may.
    """

    texts: int
    kept: int
    seconds: float
    problems: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        """Whether the model may be activated."""
        return not self.problems


def smoke_test_summary(
    settings: Settings, model: Path, sha256: str, least_kept_percent: int
) -> SmokeTest:
    """Let a model write the fixed scenes in all languages, with the real stage.

    Args:
        settings: the box's.
        model: the GGUF.
        sha256: its hash.
        least_kept_percent: share of the texts that must be kept; one text must be in any case.

    Raises:
        VvError: the stage cannot be started.
    """
    scenes = scene_files()
    if not scenes:
        raise ConfigError("the fixed scenes are not installed", advice="Install the product again.")
    runs: list[SceneRun] = []
    try:
        for language in LANGUAGES:
            runs.append(run_scenes(settings, model, language, scenes))
            if runs[-1].child.exit_code != 0:
                break  # what does not load in one language does not load in the other
    except OSError as exc:
        raise from_oserror(exc, "try the model") from exc
    return judge_summaries(runs, sha256, least_kept_percent)


def judge_summaries(runs: Sequence[SceneRun], sha256: str, least_kept_percent: int) -> SmokeTest:
    """Decide whether a model may be activated, from the runs over the fixed scenes."""
    documents = [summary for run in runs for summary in run.summaries.values()]
    texts = sum(len(run.scenes) for run in runs)
    kept = sum(1 for document in documents if document["grounding"]["path"] == "model")
    problems = [problem for run in runs for problem in _run_problems(run)]
    if any(document["engine"]["model_hash"] != sha256 for document in documents):
        problems.append("a summary was not written with this model")
    if not problems and (kept == 0 or kept * 100 < least_kept_percent * texts):
        reasons = [document["grounding"]["fallback_reason"] or "" for document in documents]
        why = "; ".join(dict.fromkeys(reason for reason in reasons if reason))[:500]
        problems.append(
            f"{kept} of {texts} texts were kept, {least_kept_percent} % are needed: {why}"
        )
    seconds = sum(float(document["engine"]["elapsed_s"]) for document in documents)
    return SmokeTest(texts, kept, seconds, tuple(problems))


def _run_problems(run: SceneRun) -> list[str]:
    problems = []
    if run.child.timed_out:
        problems.append(f"it was not ready in time ({run.language})")
    elif run.child.exit_code != 0:
        said = " ".join(run.child.stderr_tail[-_SHOWN_REASONS:])
        problems.append(f"the summarizer ended with {run.child.exit_code}: {said}")
    missing = [name for name in run.scenes if name not in run.summaries]
    if missing and not problems:
        problems.append(f"no valid summary of {', '.join(missing)} ({run.language})")
    return problems


def refuse(name: str, kind: Kind, test: SmokeTest) -> VvError:
    """Return the error that says why a model was not activated or measured."""
    return InputDataError(
        f"{name} did not pass the test on fixed scenes: {'; '.join(test.problems)}",
        advice=_REFUSED[kind],
    )
