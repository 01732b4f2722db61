"""How fast a step learns, and how ternary its weights are."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides what comes out of a training, but the data.

    Attributes:
        seed: of the weights, the tokenizer's texts and the data.
        steps, batch: how many batches of how many examples.
        peak_rate: highest learning rate; it rises during ``warm_up`` steps and falls as a cosine.
        soft_share: share of the steps in which the weights go from real to ternary.
        vocabulary: tokens at most; made from ``tokenizer_examples`` examples.
        shard_scenes: scenes that are made at a time.
    """

    seed: int = 7
    steps: int = 5000
    batch: int = 32
    peak_rate: float = 2e-3
    warm_up: int = 100
    weight_decay: float = 0.02
    soft_share: float = 0.25
    vocabulary: int = 1536
    tokenizer_examples: int = 20000
    shard_scenes: int = 2048
    dim: int = 256
    layers: int = 5
    heads: int = 4
    feed_forward: int = 512
    context: int = 512

    def as_dict(self) -> dict[str, int | float]:
        """Return the plan for a checkpoint or a model card."""
        return asdict(self)


_LAST_RATE = 0.02


def learning_rate(step: int, plan: TrainingPlan) -> float:
    """Return the learning rate of a step, counted from 0."""
    if step < plan.warm_up:
        return plan.peak_rate * (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return plan.peak_rate * (_LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * done)) / 2)


def blend(step: int, plan: TrainingPlan) -> float:
    """Return how far the weights are ternary in a step, 0 to 1."""
    soft_steps = plan.soft_share * plan.steps
    return min(1.0, step / soft_steps) if soft_steps else 1.0
