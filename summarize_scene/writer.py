"""The decision: the model's text if it passes the check, at the second try too, else the rule-based text."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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

MAX_ATTEMPTS = 2
MAX_REASON_CHARS = 1000
MAX_REJECTED_CHARS = 2000


@dataclass(frozen=True)
class Attempt:
    """One try of a model.

    Attributes:
        seed: that it was given.
        generation: what came of it.
        reason: why its text was not kept; None when it was.
    """

    seed: int
    generation: Generation
    reason: str | None


@dataclass(frozen=True)
class Draft:
    """A text that passed the check, and how it came about.

    Attributes:
        written: title and text.
        by_model: whether the model wrote it.
        attempts: what the model tried, in order; empty without a model.
    """

    written: Written
    by_model: bool
    attempts: tuple[Attempt, ...] = ()

    @property
    def fallback_reason(self) -> str | None:
        """Why the model's last text was not kept; None when it was, or there is no model."""
        return self.attempts[-1].reason if self.attempts else None

    @property
    def rejected_text(self) -> str | None:
        """What the model wrote last, when it was not kept."""
        if self.fallback_reason is None:
            return None
        texts = [attempt.generation.text for attempt in self.attempts if attempt.generation.text]
        return texts[-1][:MAX_REJECTED_CHARS] if texts else ""


def write_draft(
    facts: SceneFacts,
    language: Language,
    engine: TextEngine | None,
    prompt: Prompt,
    *,
    seed: int,
    timeout_s: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> Draft:
    """Return a checked title and text for a scene.

    Args:
        facts: what may be said.
        language: of the text.
        engine: None for the rule-based text.
        prompt: for the engine.
        seed: of the first attempt; the second has the next one.
        timeout_s: for all attempts together.
        monotonic: the clock, seconds.

    Raises:
        SoftwareError: not even the rule-based text passes the check.
    """
    if engine is None:
        return Draft(_rules(facts, language), by_model=False)
    attempts: list[Attempt] = []
    deadline = monotonic() + timeout_s
    for number in range(seed, seed + MAX_ATTEMPTS):
        left = deadline - monotonic()
        if attempts and (left <= 0 or attempts[-1].generation.is_final):
            break
        generation = attempt(facts, language, engine, prompt, seed=number, timeout_s=left)
        written, reason = judge(generation, facts, language)
        attempts.append(Attempt(number, generation, reason or None))
        if written is not None:
            return Draft(written, by_model=True, attempts=tuple(attempts))
    return Draft(_rules(facts, language), by_model=False, attempts=tuple(attempts))


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
