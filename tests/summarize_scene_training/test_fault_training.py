"""A training on faults in small: the same trainer on other examples, ending in a GGUF and a card."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from summarize_scene.choose import FACTS_ONLY
from summarize_scene.llama_engine import LlamaEngine, LlamaOptions
from summarize_scene.training.corpus import ExampleMaker
from summarize_scene.training.faults import card, train
from summarize_scene.training.faults.baseline import BagOfWords
from summarize_scene.training.faults.examples import make_examples
from summarize_scene.training.files import MODEL_FOLDER
from summarize_scene.training.schedule import TrainingPlan
from summarize_scene.training.train import Trainer
from vv_core.monitor.proposal import Action
from vv_core.utils import compute_sha256

SMALL = replace(
    train.PLAN,
    steps=2,
    batch=2,
    warm_up=1,
    layers=1,
    vocabulary=400,
    tokenizer_examples=20,
    shard_scenes=4,
)


def test_words_alone_can_be_learned() -> None:
    bag = BagOfWords()
    texts = ["it hangs", "it is full"] * 200
    bag.learn(texts, [Action.RESTART, Action.ESCALATE] * 200)
    assert bag.choose(["it hangs", "it is full"]) == [Action.RESTART, Action.ESCALATE]


@pytest.mark.integration
def test_the_best_of_two_trainings_is_shipped_with_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(card, "learn_words", lambda: lambda _: Action.RESTART)
    folders = [tmp_path / "1", tmp_path / "2"]
    for seed, folder in enumerate(folders, start=1):
        folder.mkdir()
        plan = replace(SMALL, seed=seed)
        Trainer(folder, plan, "cpu", compiled=False, make=make_examples).run()
    output = tmp_path / "model"
    arguments = ["--output", str(output), "--situations", "2"]
    assert card.main(["--folder", *map(str, folders), *arguments]) == 0
    shipped = compute_sha256(output / card.FILE_NAME)
    assert shipped in {compute_sha256(folder / card.FILE_NAME) for folder in folders}
    text = (output / card.CARD_NAME).read_text("utf-8")
    for words in (shipped, "always `escalate`", "bag of words", "seed 1", "seed 2", "(shipped)"):
        assert words in text
    assert "had seen the faults of the monitor's table" in text


@pytest.mark.integration
def test_the_shipped_file_is_the_one_of_its_card() -> None:
    path = MODEL_FOLDER / card.FILE_NAME
    assert compute_sha256(path) in (MODEL_FOLDER / card.CARD_NAME).read_text("utf-8")
    engine = LlamaEngine(path, LlamaOptions(context=256, threads=1))
    try:
        assert engine.card.prompt == FACTS_ONLY
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("scenes", "code", "is_scored"), [(0, 0, False), (5, 0, True), (5, 78, False)]
)
def test_a_training_ends_in_a_card_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, scenes: int, code: int, is_scored: bool
) -> None:
    scored: list[list[str]] = []

    def learn(options: argparse.Namespace, plan: TrainingPlan, make: ExampleMaker) -> int:
        assert plan == replace(train.PLAN, seed=4)
        assert make is make_examples
        return code

    def score(argv: list[str]) -> int:
        scored.append(argv)
        return 0

    monkeypatch.setattr(train, "train", learn)
    monkeypatch.setattr(card, "main", score)
    assert train.main(["--seed", "4", "--scenes", str(scenes)]) == code
    assert bool(scored) == is_scored
