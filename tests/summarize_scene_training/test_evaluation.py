"""The evaluation can fail: it rejects wrong texts, and it sees through a model that lies."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from summarize_scene.engine import EngineCard, Generation, Request, Sampling
from summarize_scene.facts import SceneFacts
from summarize_scene.grounding import check
from summarize_scene.number_words import Language
from summarize_scene.problems import Problem
from summarize_scene.rules_text import write_rules_text
from summarize_scene.training.evaluate import evaluate, main, missed_targets
from summarize_scene.training.scenes import make_scenes
from summarize_scene.training.scores import Scores
from summarize_scene.training.sentence_shapes import sentence_shapes
from summarize_scene.training.wrong_texts import wrong_texts
from summarize_scene.vocabulary import LANGUAGES
from tests.summarize_scene.scenes import label, person, scene

STREET = scene(label("person", 2), label("car", 1), camera="Gate", names=(person("maria"),))
SCENES = 60


class SameAnswer:
    """An engine that writes the same to every prompt."""

    card = EngineCard("same.gguf", "0" * 64, None, "cpu")

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def generate(
        self, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
    ) -> Generation:
        return Generation(self._answer, 5, 0.01)

    def close(self) -> None:
        return


def test_the_rules_alone_meet_every_target() -> None:
    scores = evaluate(None, SCENES, seed=7).scores
    assert missed_targets(scores) == []
    assert scores.as_dict()["mandatory_facts"] == 1.0
    assert scores.as_dict()["fallbacks"] == 0.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wrong_text_is_rejected(language: Language) -> None:
    faults: set[str] = set()
    for facts in islice(make_scenes(31, held_out=True), SCENES):
        right = write_rules_text(facts, language)
        assert check(right.title, right.text, facts, language) == []
        for wrong in wrong_texts(facts, language):
            faults.add(wrong.fault)
            assert check(wrong.title, wrong.text, facts, language), wrong
    assert len(faults) >= 13


@pytest.mark.parametrize(
    ("answer", "figure"),
    [
        (
            {"title": "Um elefante", "text": "Um elefante aparece na cena."},
            "ungrounded_before_check",
        ),
        ("no JSON", "unfinished"),
    ],
)
def test_a_bad_model_is_seen(answer: object, figure: str) -> None:
    engine = SameAnswer(json.dumps(answer))
    scores = evaluate(engine, 5, seed=7).scores
    figures = scores.as_dict()
    assert figures["fallbacks"] == 1.0
    assert figures[figure] >= 1.0
    assert figures["mandatory_facts"] == 1.0
    assert "fallbacks <= 0.02" in missed_targets(scores)


def test_a_blind_check_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("summarize_scene.training.evaluate.check", lambda *_: [])
    assert "wrong_texts_kept <= 0" in missed_targets(evaluate(None, 3, seed=7).scores)


def test_a_check_that_refuses_all_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = [Problem("missing label", "x"), Problem("word", "x")]
    monkeypatch.setattr("summarize_scene.training.evaluate.check", lambda *_: refusal)
    missed = missed_targets(evaluate(None, 3, seed=7).scores)
    assert "mandatory_facts >= 0.99" in missed
    assert "ungrounded_after_check <= 0" in missed


def test_no_texts_meet_no_target() -> None:
    assert "mandatory_facts >= 0.99" in missed_targets(Scores())


def test_the_command_reports(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules", "--scenes", "3"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["texts"] == 6
    assert report["missed"] == []


@pytest.mark.parametrize(
    ("text", "facts", "shape"),
    [
        (
            "Camera Gate shows two people and a car at 14:05.",
            STREET,
            "CAMERA shows LABELS at CLOCK .",
        ),
        ("Camera Gate recognised Maria.", STREET, "CAMERA recognised NAME ."),
    ],
)
def test_a_shape_is_what_is_left_without_facts(text: str, facts: SceneFacts, shape: str) -> None:
    assert sentence_shapes(text, facts, "en") == [shape]
