"""The summary document (``summary.schema.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from summarize_scene.engine import EngineCard
from summarize_scene.facts import SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.prompt import Prompt
from summarize_scene.writer import Draft
from vv_core.clock import format_utc

SCHEMA = "vv.summary/1"
TOOL_NAME = "summarize_scene"
MAX_FACTS = 200


def build_summary(
    analytic: Mapping[str, Any],
    analytic_hash: str,
    facts: SceneFacts,
    language: Language,
    draft: Draft,
    *,
    card: EngineCard | None,
    prompt: Prompt,
    elapsed_s: float,
    now: datetime,
    version: str,
) -> dict[str, Any]:
    """Return the document that tells what happened in a video.

    Args:
        analytic: the document that the facts come from.
        analytic_hash: SHA-256 of the analytic's file.
        facts: what it states.
        language: of the text.
        draft: the checked text.
        card: the model that was asked, also when its text was not kept; None without one.
        prompt: what it was asked with.
        elapsed_s: time that the text took.
        now: when, aware.
        version: of this product.
    """
    return {
        "schema": SCHEMA,
        "source_hash": analytic["source_hash"],
        "analytic_hash": analytic_hash,
        "source": analytic["source"],
        "language": language,
        "title": draft.written.title,
        "text": draft.written.text,
        "facts": [
            {
                "type": fact.type,
                "label": fact.label,
                "count": fact.count,
                "different": fact.different,
                "first_seen": fact.first_seen,
                "last_seen": fact.last_seen,
            }
            for fact in facts.labels[:MAX_FACTS]
        ],
        "names": [fact.name for fact in facts.names],
        "engine": _engine(draft, card, prompt, elapsed_s),
        "grounding": {
            "checked": True,
            "path": "model" if draft.by_model else "rules",
            "fallback_reason": draft.fallback_reason,
            "rejected_text": draft.rejected_text,
            "attempts": [
                {
                    "seed": attempt.seed,
                    "reason": attempt.reason,
                    "elapsed_s": round(attempt.generation.elapsed_s, 3),
                    "tokens": attempt.generation.tokens,
                }
                for attempt in draft.attempts
            ],
        },
        "detector": analytic["detector"],
        "pictures": analytic["pictures"],
        "created": format_utc(now),
        "tool": {"name": TOOL_NAME, "version": version},
    }


def _engine(
    draft: Draft, card: EngineCard | None, prompt: Prompt, elapsed_s: float
) -> dict[str, Any]:
    """Return who wrote the text, and the model that was asked, kept or not.

    Seed: that of the last attempt, which is the one kept if any is. Time and tokens: of all attempts.
    """
    was_asked = card is not None
    tokens = [attempt.generation.tokens for attempt in draft.attempts]
    return {
        "kind": "llama.cpp" if draft.by_model else "rules",
        "model": card.model if card else None,
        "model_hash": card.model_hash if card else None,
        "quantization": card.quantization if card else None,
        "device": card.device if card else None,
        "prompt_version": prompt.head.version if was_asked else None,
        "prompt_hash": prompt.sha256 if was_asked else None,
        "seed": draft.attempts[-1].seed if draft.attempts else None,
        "elapsed_s": round(elapsed_s, 3),
        "tokens": sum(tokens) if tokens else None,
    }
