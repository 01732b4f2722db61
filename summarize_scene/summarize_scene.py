"""Command line of the summarizer: ``INPUT.analytic.json`` to ``OUTPUT.summary.json``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from summarize_scene.engine import TextEngine
from summarize_scene.engine_process import start_engine
from summarize_scene.fact_rule import FactRule, build_facts
from summarize_scene.llama_engine import LlamaOptions
from summarize_scene.prompt import Prompt, load_prompt, packaged_prompt
from summarize_scene.summary import TOOL_NAME, build_summary
from summarize_scene.writer import Draft, write_draft
from vv_core import __version__
from vv_core.atomic import write_json_atomic
from vv_core.clock import Clock, SystemClock
from vv_core.errors import InputDataError, TemporaryError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.models.active import active_summary_model
from vv_core.settings import Settings
from vv_core.stage import StageItem, run_stage
from vv_core.stage_input import read_stage_input
from vv_core.utils import compute_sha256, validate_schema
from vv_schemas import schema_path

MAX_ANALYTIC_BYTES = 512 * 1024 * 1024
"""Two million detections, the most that the schema allows, take about so much."""


class SummarizeStage:
    """Writes one summary for one analytic; loads prompt and model with the first of them."""

    name = "summarize"
    version = __version__

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._prompt: Prompt | None = None
        self._is_started = False
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
            OSError: the output cannot be written.
        """
        self._start_engine()
        source = read_stage_input(item.input, "analytic", max_bytes=MAX_ANALYTIC_BYTES)
        progress(0.1)
        prompt, engine = self._load_prompt(), self._engine
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
            monotonic=self._clock.monotonic,
        )
        summary = build_summary(
            source.document,
            source.sha256,
            facts,
            settings.language,
            draft,
            card=engine.card if engine else None,
            prompt=prompt,
            elapsed_s=self._clock.monotonic() - started,
            now=self._clock.now(),
            version=__version__,
        )
        write_summary(item.output, summary)
        _log_path(item, draft)
        progress(1.0)

    def close(self) -> None:
        """End the model's process."""
        if self._engine is not None:
            self._engine.close()
        self._engine, self._is_started = None, False

    def _start_engine(self) -> None:
        """Start the model with the first item; it loads while the analytic is read."""
        if not self._is_started:
            model = active_summary_model(self._settings)
            self._engine = _start(self._settings, model) if model is not None else None
            self._is_started = True

    def _load_prompt(self) -> Prompt:
        """Return the operator's own prompt, else the one that the model was trained on."""
        if self._prompt is None:
            own = self._settings.prompt_file
            name = self._engine.card.prompt if self._engine is not None else None
            path = self._settings.resolve(own) if own is not None else packaged_prompt(name)
            self._prompt = load_prompt(path)
        return self._prompt


def _start(settings: Settings, model: Path) -> TextEngine:
    options = LlamaOptions(
        settings.summary_context, settings.summary_threads, settings.summary_gpu_layers
    )
    return start_engine(model, options, settings.summary_memory_mb)


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
    """Tell who wrote the text, and what of the model's was not kept."""
    fields: dict[str, Any] = {"output": str(item.output)}
    fields["path"] = "model" if draft.by_model else "rules"
    fields["attempts"] = len(draft.attempts)
    fields["reasons"] = [attempt.reason for attempt in draft.attempts if attempt.reason]
    logger = get_logger("summarizer")
    if draft.fallback_reason is not None:
        message = "the model's text was not kept: %s"
        logger.warning(message, draft.fallback_reason, extra={"fields": fields})
    elif fields["reasons"]:
        message = "the model's second text was kept; the first: %s"
        logger.info(message, fields["reasons"][0], extra={"fields": fields})
    else:
        logger.info("wrote a text", extra={"fields": fields})


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
