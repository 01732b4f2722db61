"""Examples put together into batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from summarize_scene.training.corpus import Tokens
from summarize_scene.training.tokenizer import PADDING_ID

IGNORED = -100
"""Target that `torch.nn.functional.cross_entropy` leaves out."""


@dataclass(frozen=True)
class Batch:
    """One step's data, both (batch, length): tokens, and what is to follow each of them.

    Only the answer counts: targets inside the prompt and the padding are `IGNORED`.
    """

    tokens: Tensor
    targets: Tensor

    @property
    def count(self) -> int:
        """How many tokens are learned from."""
        return int((self.targets != IGNORED).sum())


def make_batches(shard: Sequence[Tokens], size: int, context: int, seed: int) -> Iterator[Batch]:
    """Yield a shard's batches in a random order; what is longer than the context is left out."""
    random = Random(seed)  # noqa: S311 - data, no secret
    fitting = [example for example in shard if len(example.numbers) <= context]
    random.shuffle(fitting)
    fitting.sort(key=lambda example: len(example.numbers))
    groups = [fitting[start : start + size] for start in range(0, len(fitting), size)]
    groups = [group for group in groups if len(group) == size]
    random.shuffle(groups)
    return (make_batch(group) for group in groups)


def make_batch(group: Sequence[Tokens]) -> Batch:
    """Return some examples as one batch."""
    longest = max(len(example.numbers) for example in group) - 1
    tokens = torch.full((len(group), longest), PADDING_ID)
    targets = torch.full((len(group), longest), IGNORED)
    for row, example in enumerate(group):
        numbers = torch.tensor(example.numbers)
        tokens[row, : len(numbers) - 1] = numbers[:-1]
        first = example.prompt_length
        targets[row, first - 1 : len(numbers) - 1] = numbers[first:]
    return Batch(tokens, targets)
