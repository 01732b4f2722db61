"""Model or rules: the decision, with an engine that says what a test wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from summarize_scene.engine import EngineCard, Generation
from summarize_scene.prompt import PACKAGED_PROMPT, PromptHead, Request, load_prompt
from summarize_scene.rules_text import write_rules_text
from summarize_scene.writer import MAX_REJECTED_CHARS, Draft, parse_answer, write_draft
from tests.summarize_scene.scenes import label, scene

FACTS = scene(label("person", 2), label("car", 1))
PROMPT = load_prompt(PACKAGED_PROMPT)
RIGHT = json.dumps(
    {"title": "Duas pessoas e um carro", "text": "Duas pessoas e um carro aparecem."}
)


@dataclass
class SpokenEngine:
    """An engine that gives one prepared answer and remembers what it was asked."""

    answer: Generation
    asked: list[tuple[Request, str, int, float]] = field(default_factory=list)
    card: EngineCard = field(
        default_factory=lambda: EngineCard("spoken.gguf", "ab" * 32, "Q4_0", "cpu")
    )

    def generate(
        self, request: Request, grammar: str, head: PromptHead, *, seed: int, timeout_s: float
    ) -> Generation:
        self.asked.append((request, grammar, seed, timeout_s))
        return self.answer

    def close(self) -> None:
        """Nothing to free."""


def draft_of(answer: str, failure: str | None = None) -> Draft:
    engine = SpokenEngine(Generation(answer, 9, 0.1, failure))
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


def test_the_engine_gets_the_scene_the_seed_and_the_deadline() -> None:
    engine = SpokenEngine(Generation(RIGHT, 9, 0.1))
    write_draft(FACTS, "pt-BR", engine, PROMPT, seed=7, timeout_s=12.5)
    ((request, grammar, seed, timeout_s),) = engine.asked
    assert "duas pessoas" in request.user
    assert grammar.startswith("root ::=")
    assert (seed, timeout_s) == (7, 12.5)


def test_answers_are_stripped() -> None:
    written = parse_answer('{"title": " a ", "text": " b. "}')
    assert written is not None
    assert (written.title, written.text) == ("a", "b.")
