"""Train the shipped model: data, tokenizer, network, GGUF. One command, on a CPU or a GPU.

``python -m summarize_scene.training.train`` begins or goes on; a checkpoint is written every minute, and
a training that was stopped continues where it was. The same plan gives the same data in the same
order; the weights agree as far as the machine's arithmetic does.

On a CPU that others use too, start it with ``OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0``: threads that
wait in a loop take the time of those that compute (measured: four times as fast on two busy cores).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import fields
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from summarize_scene.training.batches import IGNORED, Batch, make_batches
from summarize_scene.training.corpus import ExampleMaker, Tokens, make_examples, make_shard
from summarize_scene.training.files import CHECKPOINT, DEFAULT_FOLDER, LOG, MODEL_FOLDER, TOKENIZER
from summarize_scene.training.model import BitNet, ModelConfig
from summarize_scene.training.schedule import TrainingPlan, blend, learning_rate
from summarize_scene.training.tokenizer import load_tokenizer, train_tokenizer
from vv_core.atomic import append_line_durable, atomic_path
from vv_core.errors import ConfigError, ExitCode, VvError

_CHECKPOINT_S = 60.0
_LOG_STEPS = 20
_MAX_GRADIENT = 1.0

_FIXED = ("seed", "dim", "layers", "heads", "feed_forward", "context")
"""What a training cannot change once it has begun; steps, batch and rate may."""

LossFunction = Callable[[Tensor, Tensor], Tensor]


class Trainer:
    """A training that can be stopped at any time, on scenes or on other examples."""

    def __init__(
        self,
        folder: Path,
        plan: TrainingPlan,
        device: str,
        *,
        compiled: bool,
        make: ExampleMaker = make_examples,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._device = device
        self._make = make
        self.tokenizer = _tokenizer(folder, plan, make)
        torch.manual_seed(plan.seed)
        self.model = BitNet(
            ModelConfig(
                self.tokenizer.get_vocab_size(),
                plan.dim,
                plan.layers,
                plan.heads,
                plan.feed_forward,
                plan.context,
            )
        ).to(device)
        self._optimizer = torch.optim.AdamW(
            _groups(self.model, plan), betas=(0.9, 0.95), fused=True
        )
        self.step = 0
        self._shard, self._shard_start = 0, 0
        self._resume()
        loss = _loss_function(self.model)
        self._loss: LossFunction = torch.compile(loss, dynamic=True) if compiled else loss

    def run(self) -> None:
        """Train to the plan's last step."""
        saved = time.monotonic()
        bar = tqdm(total=self._plan.steps, initial=self.step, unit="step", disable=None)
        with closing(bar), closing(self._batches()) as batches:
            for batch in batches:
                rate, loss = self._learn(batch)
                self.step += 1
                bar.update()
                if self.step % _LOG_STEPS == 0:
                    bar.set_postfix(loss=f"{loss:.3f}")
                    self._record(loss, rate, batch)
                if time.monotonic() - saved > _CHECKPOINT_S:
                    self.save()
                    saved = time.monotonic()
        self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        state = {
            "plan": self._plan.as_dict(),
            "step": self.step,
            "shard": self._shard,
            "shard_start": self._shard_start,
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        with atomic_path(self._folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        path = self._folder / CHECKPOINT
        if not path.is_file():
            return
        state = torch.load(path, map_location=self._device, weights_only=True)
        lacking = [name for name in _FIXED if state["plan"][name] != getattr(self._plan, name)]
        if lacking:
            raise ConfigError(
                f"{str(path)!r} was begun with another {', '.join(lacking)}",
                advice="Give the same values again, or another --folder for a new training.",
            )
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self._shard, self._shard_start = state["shard"], state["shard_start"]

    def _learn(self, batch: Batch) -> tuple[float, float]:
        rate = learning_rate(self.step, self._plan)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.model.set_blend(blend(self.step, self._plan))
        tokens, targets = batch.tokens.to(self._device), batch.targets.to(self._device)
        loss = self._loss(tokens, targets)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _MAX_GRADIENT)
        self._optimizer.step()
        return rate, float(loss.detach())

    def _batches(self) -> Generator[Batch, None, None]:
        """Yield the batches that are left, shard after shard; the next one is made meanwhile."""
        plan = self._plan
        shards = _Shards(plan, self._folder / TOKENIZER, self._make)
        try:
            while self._shard_start < plan.steps:
                shard = shards.take(self._shard)
                batches = make_batches(shard, plan.batch, plan.context, plan.seed + self._shard)
                done = self._shard_start
                for done, batch in enumerate(batches, start=self._shard_start + 1):
                    if self.step < done <= plan.steps:
                        yield batch
                self._shard, self._shard_start = self._shard + 1, done
        finally:
            shards.close()

    def _record(self, loss: float, rate: float, batch: Batch) -> None:
        entry = {
            "step": self.step,
            "loss": round(loss, 4),
            "rate": round(rate, 6),
            "shape": list(batch.tokens.shape),
            "time": round(time.time(), 1),
        }
        append_line_durable(self._folder / LOG, json.dumps(entry))


class _Shards:
    """Training data, made in a process of its own, one shard ahead."""

    def __init__(self, plan: TrainingPlan, tokenizer: Path, make: ExampleMaker) -> None:
        self._plan, self._tokenizer, self._make = plan, tokenizer, make
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_end_with_parent
        )
        self._next: tuple[int, Future[list[Tokens]]] | None = None

    def take(self, number: int) -> list[Tokens]:
        """Return a shard, and begin with the one after it."""
        is_ordered = self._next is not None and self._next[0] == number
        future = self._next[1] if self._next is not None and is_ordered else self._order(number)
        shard = future.result()
        self._next = (number + 1, self._order(number + 1))
        return shard

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _order(self, number: int) -> Future[list[Tokens]]:
        return self._pool.submit(_shard, self._plan, number, self._tokenizer, self._make)


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, however that ends."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _shard(plan: TrainingPlan, number: int, tokenizer: Path, make: ExampleMaker) -> list[Tokens]:
    return make_shard(plan.seed, number, plan.shard_scenes, load_tokenizer(tokenizer), make)


def _tokenizer(folder: Path, plan: TrainingPlan, make: ExampleMaker) -> Tokenizer:
    path = folder / TOKENIZER
    if path.is_file():
        return load_tokenizer(path)
    examples = islice(make(plan.seed), plan.tokenizer_examples)
    bar = tqdm(examples, "tokenizer", plan.tokenizer_examples, disable=None)
    tokenizer = train_tokenizer((f"{e.prompt}\n{e.answer}" for e in bar), plan.vocabulary)
    with atomic_path(path) as temporary:
        tokenizer.save(str(temporary))
    return tokenizer


def _groups(model: BitNet, plan: TrainingPlan) -> list[dict[str, Any]]:
    """Part the matrices, which decay, from gains and embeddings, which do not."""
    named = list(model.named_parameters())
    decayed = [weight for name, weight in named if weight.ndim > 1 and "embedding" not in name]
    kept = [weight for name, weight in named if weight.ndim == 1 or "embedding" in name]
    return [
        {"params": decayed, "weight_decay": plan.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]


def _loss_function(model: BitNet) -> LossFunction:
    def loss(tokens: Tensor, targets: Tensor) -> Tensor:
        scores = model.logits(model.hidden(tokens, torch.bfloat16))
        return functional.cross_entropy(
            scores.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED
        )

    return loss


def parse_arguments(
    argv: Sequence[str] | None,
    plan: TrainingPlan = TrainingPlan(),  # noqa: B008 - frozen
    folder: Path = DEFAULT_FOLDER,
) -> tuple[argparse.Namespace, TrainingPlan]:
    """Return the options, and the plan that they make of the given one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=folder, help="checkpoints and log")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=MODEL_FOLDER, help="where the GGUF goes")
    parser.add_argument("--scenes", type=int, default=2000, help="to score at the end; 0 for none")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 for all")
    for field in fields(plan):
        default = getattr(plan, field.name)
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, type=type(default), default=default)
    options = parser.parse_args(argv)
    chosen = {field.name: getattr(options, field.name) for field in fields(plan)}
    return options, TrainingPlan(**chosen)


def train(options: argparse.Namespace, plan: TrainingPlan, make: ExampleMaker) -> int:
    """Begin or go on with a training; returns its exit code."""
    options.folder.mkdir(parents=True, exist_ok=True)
    # A stop request ends the program in order, with the data process closed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.TEMPFAIL))
    if options.threads:
        torch.set_num_threads(options.threads)
    # A compiled graph is several times as fast; on a CPU that takes a C++ compiler.
    compiled = options.device != "cpu" or shutil.which("g++") is not None
    try:
        Trainer(options.folder, plan, options.device, compiled=compiled, make=make).run()
    except VvError as exc:
        sys.stderr.write(f"{exc}\n{exc.advice}\n")
        return exc.exit_code
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options, plan = parse_arguments(argv)
    if code := train(options, plan, make_examples):
        return code
    if options.scenes == 0:
        return 0
    # Imported late: the card runs llama.cpp, which a machine that only trains need not have.
    from summarize_scene.training import model_card

    arguments = ["--folder", options.folder, "--output", options.output, "--scenes", options.scenes]
    return model_card.main([str(argument) for argument in arguments])


if __name__ == "__main__":
    sys.exit(main())
