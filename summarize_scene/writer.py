"""The decision: the model's text if it passes the check, else the rule-based text and the reason."""

from __future__ import annotations

import json
from dataclasses import dataclass

from summarize_scene.attempt import attempt
from summarize_scene.engine import Generation, TextEngine
from summarize_scene.facts import SceneFacts
from summarize_scene.grounding import check
from summarize_scene.number_words import Language
from summarize_scene.problems import describe
from summarize_scene.prompt import Prompt
from summarize_scene.rules_text import Written, write_rules_text
from vv_core.errors import SoftwareError

MAX_REASON_CHARS = 1000
MAX_REJECTED_CHARS = 2000


@dataclass(frozen=True)
class Draft:
    """A text that passed the check, and how it came about.

    Attributes:
        written: title and text.
        by_model: whether the model wrote it.
        fallback_reason: why the model's text was not kept; None when it was, or there is no model.
        rejected_text: what the model wrote, when it was not kept.
        generation: the model's attempt; None without a model.
    """

    written: Written
    by_model: bool
    fallback_reason: str | None = None
    rejected_text: str | None = None
    generation: Generation | None = None


def write_draft(
    facts: SceneFacts,
    language: Language,
    engine: TextEngine | None,
    prompt: Prompt,
    *,
    seed: int,
    timeout_s: float,
) -> Draft:
    """Return a checked title and text for a scene.

    Raises:
        SoftwareError: not even the rule-based text passes the check.
    """
    if engine is None:
        return Draft(_rules(facts, language), by_model=False)
    generation = attempt(facts, language, engine, prompt, seed=seed, timeout_s=timeout_s)
    written, reason = judge(generation, facts, language)
    if written is not None:
        return Draft(written, by_model=True, generation=generation)
    return Draft(
        _rules(facts, language),
        by_model=False,
        fallback_reason=reason,
        rejected_text=generation.text[:MAX_REJECTED_CHARS],
        generation=generation,
    )


def judge(
    generation: Generation, facts: SceneFacts, language: Language
) -> tuple[Written | None, str]:
    """Return what a model wrote if it may be kept, else the reason why not."""
    if generation.failure is not None:
        return None, generation.failure[:MAX_REASON_CHARS]
    written = parse_answer(generation.text)
    if written is None:
        return None, "the answer is not a JSON object with title and text"
    problems = check(written.title, written.text, facts, language)
    if problems:
        return None, describe(problems, MAX_REASON_CHARS)
    return written, ""


def parse_answer(raw_text: str) -> Written | None:
    """Return the title and text of a model's answer; None when it has another form."""
    try:
        answer = json.loads(raw_text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or answer.keys() != {"title", "text"}:
        return None
    title, text = answer["title"], answer["text"]
    if not isinstance(title, str) or not isinstance(text, str):
        return None
    return Written(title.strip(), text.strip())


def _rules(facts: SceneFacts, language: Language) -> Written:
    written = write_rules_text(facts, language)
    problems = check(written.title, written.text, facts, language)
    if problems:
        raise SoftwareError(
            f"the rule-based text does not pass its own check: {describe(problems, 300)}",
            advice="Report it with the analytic; the video is kept and tried again.",
        )
    return written
