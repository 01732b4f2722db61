"""A whole training in small: it goes on where it stopped, and ends in a GGUF with a card."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from summarize_scene.training.batches import IGNORED, Batch, make_batches
from summarize_scene.training.corpus import make_examples, make_shard, tokenize
from summarize_scene.training.files import CHECKPOINT
from summarize_scene.training.model_card import export_all, load_trained, write_card
from summarize_scene.training.schedule import TrainingPlan, blend, learning_rate
from summarize_scene.training.tokenizer import END_ID, SPECIAL, train_tokenizer, vocabulary_of
from summarize_scene.training.train import Trainer, main, parse_arguments
from vv_core.errors import ConfigError, ExitCode

PLAN = TrainingPlan(
    steps=6,
    batch=4,
    warm_up=2,
    layers=1,
    context=256,
    vocabulary=512,
    tokenizer_examples=60,
    shard_scenes=8,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def train(folder: Path, plan: TrainingPlan) -> Trainer:
    folder.mkdir(exist_ok=True)
    trainer = Trainer(folder, plan, "cpu", compiled=False)
    trainer.run()
    return trainer


def test_the_rate_rises_and_falls() -> None:
    plan = TrainingPlan(steps=1000, warm_up=100, peak_rate=1.0)
    rates = [learning_rate(step, plan) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[100] == pytest.approx(1.0)
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[-1] < 0.03


def test_weights_become_ternary_step_by_step() -> None:
    plan = TrainingPlan(steps=100, soft_share=0.5)
    assert [blend(step, plan) for step in (0, 25, 50, 99)] == [0.0, 0.5, 1.0, 1.0]
    assert blend(0, replace(plan, soft_share=0.0)) == 1.0


def test_the_command_line_makes_the_plan() -> None:
    _, plan = parse_arguments(["--steps", "12", "--peak-rate", "0.5"])
    assert plan == TrainingPlan(steps=12, peak_rate=0.5)


def test_every_character_can_be_written_and_read() -> None:
    tokenizer = train_tokenizer(["pouca coisa"], 300)
    vocabulary = vocabulary_of(tokenizer)
    assert vocabulary.tokens[: len(SPECIAL)] == SPECIAL
    assert len(vocabulary.tokens) >= 256 + len(SPECIAL)
    text = "Às 14h05, “Zoë” 日本 🚗 ñ\u0301"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_a_shard_is_the_same_again() -> None:
    tokenizer = train_tokenizer(["câmera"], 300)
    first, second = (list(islice(make_examples(9), 20)) for _ in range(2))
    assert first == second
    assert first != list(islice(make_examples(10), 20))
    assert tokenize(first[0], tokenizer).numbers[-1] == END_ID


def test_only_the_answer_is_learned() -> None:
    tokenizer = train_tokenizer(["câmera"], 300)
    examples = [tokenize(example, tokenizer) for example in islice(make_examples(1), 40)]
    batches = list(make_batches(examples, 4, 10_000, seed=1))
    assert len(batches) == 10
    learned = sum(batch.count for batch in batches)
    assert learned == sum(len(e.numbers) - e.prompt_length for e in examples)
    for batch in batches:
        kept = batch.targets != IGNORED
        ends = batch.targets == END_ID
        assert bool((ends.sum(dim=1) == 1).all())
        assert not bool(kept[:, 0].any())


def test_what_is_too_long_is_left_out() -> None:
    tokenizer = train_tokenizer(["câmera"], 300)
    examples = [tokenize(example, tokenizer) for example in islice(make_examples(1), 40)]
    lengths = sorted(len(example.numbers) for example in examples)
    batches = list(make_batches(examples, 4, lengths[19], seed=1))
    assert len(batches) == 5
    assert max(batch.tokens.shape[1] for batch in batches) < lengths[19]


@pytest.mark.integration
def test_a_stopped_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(tmp_path / "whole", PLAN)
    half = tmp_path / "half"
    half.mkdir()
    stopped = Trainer(half, PLAN, "cpu", compiled=False)
    learn = stopped._learn

    def learn_three(batch: Batch) -> tuple[float, float]:
        if stopped.step == 3:
            raise KeyboardInterrupt
        return learn(batch)

    monkeypatch.setattr(stopped, "_learn", learn_three)
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    assert not (half / CHECKPOINT).exists()
    stopped.save()
    resumed = train(half, PLAN)
    assert resumed.step == PLAN.steps
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], weight, msg=name)


@pytest.mark.integration
def test_another_network_is_not_mixed_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, replace(PLAN, steps=1))
    with pytest.raises(ConfigError, match="layers"):
        Trainer(tmp_path, replace(PLAN, layers=2), "cpu", compiled=False)
    options = ["--folder", str(tmp_path), "--device", "cpu", "--context", "128"]
    assert main(options) == ExitCode.CONFIG
    assert "another --folder" in capsys.readouterr().err


@pytest.mark.integration
def test_a_training_learns_and_ends_in_a_card(tmp_path: Path) -> None:
    folder, output = tmp_path / "training", tmp_path / "model"
    train(folder, replace(PLAN, steps=40, peak_rate=3e-3))
    losses = [json.loads(line)["loss"] for line in (folder / "loss.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0] < 6.3
    trained = load_trained(folder)
    paths = export_all(trained, folder, output)
    assert sum(path.stat().st_size for path in paths.values()) < 8_000_000
    assert not write_card(trained, paths, output, scenes=2)
    card = (output / "model_card.md").read_text("utf-8")
    for figure in ("mandatory_facts", "fallbacks", "ungrounded_after_check", "SHA-256", "seed"):
        assert figure in card


def test_shards_differ() -> None:
    tokenizer = train_tokenizer(["câmera"], 300)
    assert make_shard(1, 0, 4, tokenizer) != make_shard(1, 1, 4, tokenizer)
