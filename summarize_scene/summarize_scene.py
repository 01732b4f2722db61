"""Command line of the summarizer: ``INPUT.analytic.json`` to ``OUTPUT.summary.json``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from summarize_scene.analytic_file import read_analytic
from summarize_scene.engine import TextEngine
from summarize_scene.fact_rule import FactRule, build_facts
from summarize_scene.prompt import Prompt, load_prompt, packaged_prompt
from summarize_scene.summary import TOOL_NAME, build_summary
from summarize_scene.writer import Draft, write_draft
from vv_core import __version__
from vv_core.atomic import write_json_atomic
from vv_core.clock import Clock, SystemClock
from vv_core.errors import InputDataError, TemporaryError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.stage import StageItem, run_stage
from vv_core.utils import compute_sha256, validate_schema
from vv_schemas import schema_path


class SummarizeStage:
    """Writes one summary for one analytic; loads prompt and model with the first of them."""

    name = "summarize"
    version = __version__

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._prompt: Prompt | None = None
        self._engine: TextEngine | None = None

    def is_current(self, item: StageItem) -> bool:
        """Tell whether a valid summary of exactly this analytic exists.

        Other settings (language, model, prompt) do not make it stale: a summary is evidence of its time.
        """
        if not item.output.is_file():
            return False
        try:
            summary = read_json(item.output)
            validate_schema(summary, schema_path("summary"))
        except InputDataError:
            return False
        return bool(summary["analytic_hash"] == compute_sha256(item.input))

    def process(self, item: StageItem, progress: Callable[[float], None]) -> None:
        """Write the summary of an analytic.

        Raises:
            InputDataError: the input is no analytic.
            InputMissingError: it is not there.
            ConfigError: prompt or model are wrong.
            UnavailableError: the model does not fit into memory now.
            OSError: the output cannot be written.
        """
        source = read_analytic(item.input)
        progress(0.1)
        prompt, engine = self._load()
        settings = self._settings
        rule = FactRule(settings.fact_min_frames, settings.fact_min_confidence)
        facts = build_facts(source.document, settings.zone, rule)
        progress(0.2)
        started = self._clock.monotonic()
        draft = write_draft(
            facts,
            settings.language,
            engine,
            prompt,
            seed=settings.summary_seed,
            timeout_s=settings.summary_timeout_s,
        )
        summary = build_summary(
            source.document,
            source.sha256,
            facts,
            settings.language,
            draft,
            card=engine.card if engine else None,
            prompt=prompt,
            seed=settings.summary_seed,
            elapsed_s=self._clock.monotonic() - started,
            now=self._clock.now(),
            version=__version__,
        )
        write_summary(item.output, summary)
        _log_path(item, draft)
        progress(1.0)

    def close(self) -> None:
        """Free the model."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _load(self) -> tuple[Prompt, TextEngine | None]:
        if self._engine is None and self._settings.summary_model is not None:
            self._engine = _load_engine(self._settings, self._settings.summary_model)
        if self._prompt is None:
            self._prompt = load_prompt(self._prompt_path())
        return self._prompt, self._engine

    def _prompt_path(self) -> Path:
        """Return the operator's own prompt, else the one that the model was trained on."""
        own = self._settings.prompt_file
        if own is not None:
            return self._settings.resolve(own)
        return packaged_prompt(self._engine.card.prompt if self._engine is not None else None)


def _load_engine(settings: Settings, model: Path) -> TextEngine:
    from summarize_scene.llama_engine import LlamaEngine, LlamaOptions

    options = LlamaOptions(
        settings.summary_context, settings.summary_threads, settings.summary_gpu_layers
    )
    return LlamaEngine(settings.resolve(model), options)


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write a summary, and read it back to see that it is one.

    Raises:
        VvError: what was built or written does not follow the schema.
        OSError: from the file system.
    """
    validate_schema(json.loads(json.dumps(summary)), schema_path("summary"))
    write_json_atomic(path, summary)
    if read_json(path) != summary:
        raise TemporaryError(
            f"{str(path)!r} reads differently from what was written",
            advice="Check the disk (dmesg, smartctl).",
        )


def _log_path(item: StageItem, draft: Draft) -> None:
    fields = {"output": str(item.output), "path": "model" if draft.by_model else "rules"}
    if draft.fallback_reason is None:
        get_logger("summarizer").info("wrote a text", extra={"fields": fields})
        return
    fields["reason"] = draft.fallback_reason
    get_logger("summarizer").warning(
        "the model's text was not kept: %s", draft.fallback_reason, extra={"fields": fields}
    )


def _make_stage(settings: Settings, _arguments: argparse.Namespace) -> SummarizeStage:
    return SummarizeStage(settings, SystemClock())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_stage(
        TOOL_NAME,
        "Write what a video's analytic says in a title and a few sentences, each fact checked.",
        _make_stage,
        argv,
    )


if __name__ == "__main__":
    sys.exit(main())
