"""The tokenizer: byte-level byte-pair encoding, as llama.cpp reads it under ``gpt2`` / ``gpt-2``.

Every byte is a token, so every character of every name can be read and written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

BEGIN, END, PADDING = "<s>", "</s>", "<pad>"
SPECIAL = (PADDING, BEGIN, END)
PADDING_ID, BEGIN_ID, END_ID = range(3)


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF holds of a tokenizer.

    Attributes:
        tokens: by their number, in GPT-2's spelling of bytes.
        merges: pairs "a b", most important first.
    """

    tokens: tuple[str, ...]
    merges: tuple[str, ...]


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Return a tokenizer of at most ``size`` tokens that writes ``texts`` in few of them."""
    tokenizer = _blank(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Return a tokenizer that `Tokenizer.save` wrote."""
    return Tokenizer.from_file(str(path))


def vocabulary_of(tokenizer: Tokenizer) -> Vocabulary:
    """Return the tokens and merges of a tokenizer."""
    numbers = tokenizer.get_vocab()
    model: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return Vocabulary(tuple(sorted(numbers, key=numbers.__getitem__)), tuple(merges))


def _blank(model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
