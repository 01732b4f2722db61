"""Model or rules: the decision, with an engine that says what a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from summarize_scene.engine import EngineCard, Generation, Request, Sampling
from summarize_scene.prompt import PACKAGED_PROMPT, load_prompt
from summarize_scene.rules_text import write_rules_text
from summarize_scene.writer import MAX_REJECTED_CHARS, Draft, parse_answer, write_draft
from tests.summarize_scene.scenes import label, scene

FACTS = scene(label("person", 2), label("car", 1))
PROMPT = load_prompt(PACKAGED_PROMPT)
RIGHT = json.dumps(
    {"title": "Duas pessoas e um carro", "text": "Duas pessoas e um carro aparecem."}
)

WRONG = RIGHT.replace("Duas", "Três")


@dataclass
class SpokenEngine:
    """An engine that gives prepared answers, the last one for ever, and remembers what it was asked."""

    answers: list[Generation]
    asked: list[tuple[Request, str, int, float]] = field(default_factory=list)
    card: EngineCard = field(
        default_factory=lambda: EngineCard("spoken.gguf", "ab" * 32, "Q4_0", "cpu")
    )

    def generate(
        self, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
    ) -> Generation:
        self.asked.append((request, grammar, seed, timeout_s))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        """Nothing to free."""


def draft_of(answer: str, failure: str | None = None) -> Draft:
    engine = SpokenEngine([Generation(answer, 9, 0.1, failure)])
    return write_draft(FACTS, "pt-BR", engine, PROMPT, seed=7, timeout_s=30.0)


def test_a_model_text_that_passes_is_kept() -> None:
    draft = draft_of(RIGHT)
    assert draft.by_model
    assert draft.written.text == "Duas pessoas e um carro aparecem."
    assert (draft.fallback_reason, draft.rejected_text) == (None, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (RIGHT.replace("Duas", "Três"), "count"),
        (RIGHT.replace("um carro", "um gato"), "unseen label"),
        (RIGHT.replace("aparecem.", "aparecem"), "cut off"),
        (RIGHT[:-10], "not a JSON object"),
        ("", "not a JSON object"),
        ('["a"]', "not a JSON object"),
        ('{"title": "a", "text": 3}', "not a JSON object"),
        ('{"title": "a", "text": "b", "more": "c"}', "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
    ],
)
def test_what_fails_is_replaced_and_kept_aside(answer: str, reason: str) -> None:
    draft = draft_of(answer)
    assert not draft.by_model
    assert draft.written == write_rules_text(FACTS, "pt-BR")
    assert draft.fallback_reason is not None
    assert reason in draft.fallback_reason
    assert draft.rejected_text == answer[:MAX_REJECTED_CHARS]


def test_an_attempt_that_did_not_end_is_replaced() -> None:
    draft = draft_of(RIGHT, failure="not finished within 30 s")
    assert draft.fallback_reason == "not finished within 30 s"
    assert draft.written == write_rules_text(FACTS, "pt-BR")


def test_without_a_model_nothing_failed() -> None:
    draft = write_draft(FACTS, "en", None, PROMPT, seed=7, timeout_s=30.0)
    assert draft == Draft(write_rules_text(FACTS, "en"), by_model=False)


def asked(
    *answers: Generation, clock: Callable[[], float] = lambda: 0.0
) -> tuple[Draft, SpokenEngine]:
    engine = SpokenEngine(list(answers))
    draft = write_draft(FACTS, "pt-BR", engine, PROMPT, seed=7, timeout_s=12.5, monotonic=clock)
    return draft, engine


def test_the_engine_gets_the_scene_the_seed_and_the_deadline() -> None:
    _, engine = asked(Generation(RIGHT, 9, 0.1))
    ((request, grammar, seed, timeout_s),) = engine.asked
    assert "duas pessoas" in request.user
    assert grammar.startswith("root ::=")
    assert (seed, timeout_s) == (7, 12.5)


def test_what_fails_is_generated_again_once_with_another_seed() -> None:
    wrong, right = Generation(WRONG, 8, 0.2), Generation(RIGHT, 9, 0.1)
    draft, engine = asked(wrong, right)
    assert draft.by_model
    assert [seed for _, _, seed, _ in engine.asked] == [7, 8]
    assert [attempt.seed for attempt in draft.attempts] == [7, 8]
    first, second = draft.attempts
    assert first.reason is not None
    assert "count" in first.reason
    assert second.reason is None
    assert (draft.fallback_reason, draft.rejected_text) == (None, None)


def test_after_the_second_failure_the_rules_write() -> None:
    draft, engine = asked(Generation(WRONG, 8, 0.2), Generation("{", 1, 0.1))
    assert len(engine.asked) == 2
    assert draft.written == write_rules_text(FACTS, "pt-BR")
    assert [attempt.reason is not None for attempt in draft.attempts] == [True, True]
    assert draft.fallback_reason == "the answer is not a JSON object with title and text"
    assert draft.rejected_text == "{"


def test_both_attempts_share_one_deadline() -> None:
    times = iter([100.0, 100.0, 108.0])
    _, engine = asked(Generation(WRONG, 8, 8.0), clock=lambda: next(times))
    assert [timeout_s for *_, timeout_s in engine.asked] == [12.5, 4.5]


def test_no_second_attempt_after_the_deadline() -> None:
    times = iter([100.0, 100.0, 112.5])
    draft, engine = asked(Generation("", 0, 12.5, "not finished"), clock=lambda: next(times))
    assert len(engine.asked) == 1
    assert draft.fallback_reason == "not finished"


def test_no_second_attempt_where_another_seed_would_fail_too() -> None:
    draft, engine = asked(Generation("", 0, 0.1, "no worker", is_final=True))
    assert len(engine.asked) == len(draft.attempts) == 1
    assert draft.rejected_text == ""


def test_answers_are_stripped() -> None:
    written = parse_answer('{"title": " a ", "text": " b. "}')
    assert written is not None
    assert (written.title, written.text) == ("a", "b.")
