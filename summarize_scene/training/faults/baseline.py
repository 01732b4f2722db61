"""What a model of language has to be measured against: words alone, in no order."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from vv_core.monitor.proposal import Action

_BUCKETS = 1 << 16
_WORD = re.compile(r"[a-z_]+|\d+")
_ACTIONS = tuple(Action)
_EPOCHS, _BATCH, _RATE = 4, 256, 3e-3


class BagOfWords:
    """Logistic regression over hashed words and pairs of neighbours."""

    def __init__(self) -> None:
        self._weights = nn.EmbeddingBag(_BUCKETS, len(_ACTIONS), mode="sum")
        nn.init.zeros_(self._weights.weight)

    def learn(self, texts: Sequence[str], actions: Sequence[Action], seed: int = 0) -> None:
        """Learn from texts and the right action for each."""
        bags = [_bag(text) for text in texts]
        right = torch.tensor([_ACTIONS.index(action) for action in actions])
        optimizer = torch.optim.Adam(self._weights.parameters(), _RATE)
        order = torch.Generator().manual_seed(seed)
        for _ in range(_EPOCHS):
            numbers = torch.randperm(len(bags), generator=order).tolist()
            for start in range(0, len(numbers), _BATCH):
                chosen = numbers[start : start + _BATCH]
                scores = self._scores([bags[number] for number in chosen])
                loss = functional.cross_entropy(scores, right[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()

    def choose(self, texts: Sequence[str]) -> list[Action]:
        """Return the likeliest action for each text."""
        with torch.no_grad():
            best = self._scores([_bag(text) for text in texts]).argmax(dim=1)
        return [_ACTIONS[int(number)] for number in best]

    def _scores(self, bags: Sequence[list[int]]) -> Tensor:
        """Return the score of every action, (texts, actions)."""
        starts = torch.tensor([0, *(len(bag) for bag in bags[:-1])]).cumsum(0)
        scores: Tensor = self._weights(torch.tensor([it for bag in bags for it in bag]), starts)
        return scores


def _bag(text: str) -> list[int]:
    words = _WORD.findall(text.lower())
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    return sorted({zlib.crc32(it.encode()) % _BUCKETS for it in [*words, *pairs]})
