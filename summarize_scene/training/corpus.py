"""Training texts: the prompt of a made-up scene, and a text about it, both as a model sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from tokenizers import Tokenizer

from summarize_scene.prompt import Prompt, load_prompt, packaged_prompt, render_request
from summarize_scene.stand_ins import disguise
from summarize_scene.training.scenes import make_scenes
from summarize_scene.training.tokenizer import BEGIN_ID, END_ID
from summarize_scene.training.wording import answer_text, compose
from summarize_scene.vocabulary import LANGUAGES

PROMPT_NAME = "scene_compact"
_SHARD_STRIDE = 1_000_003


@dataclass(frozen=True)
class Example:
    """A prompt and the answer to it."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Tokens:
    """An example in tokens.

    Attributes:
        numbers: begin, prompt, answer, end.
        prompt_length: how many of them the model is given.
    """

    numbers: tuple[int, ...]
    prompt_length: int


ExampleMaker = Callable[[int], Iterator[Example]]
"""Yields examples without end; the same seed gives the same ones."""


def make_examples(seed: int) -> Iterator[Example]:
    """Yield examples in both languages without end; the same seed gives the same ones."""
    prompt = load_prompt(packaged_prompt(PROMPT_NAME))
    random = Random(seed)  # noqa: S311 - data, no secret
    for scene in make_scenes(seed, held_out=False):
        facts = disguise(scene).facts
        for language in LANGUAGES:
            written = compose(facts, language, random)
            if written is not None:
                request = render_request(prompt, facts, language)
                yield Example(request.plain, answer_text(written))


def tokenize(example: Example, tokenizer: Tokenizer) -> Tokens:
    """Return an example in tokens; prompt and answer are cut apart, as llama.cpp gets them."""
    prompt = [BEGIN_ID, *tokenizer.encode(example.prompt).ids]
    answer = tokenizer.encode(example.answer).ids
    return Tokens((*prompt, *answer, END_ID), len(prompt))


def make_shard(
    seed: int, number: int, scenes: int, tokenizer: Tokenizer, make: ExampleMaker = make_examples
) -> list[Tokens]:
    """Return one shard of the endless training data, two examples a scene."""
    examples = make(seed * _SHARD_STRIDE + number)
    return [tokenize(example, tokenizer) for example in islice(examples, 2 * scenes)]


def prompt_hash() -> str:
    """Return the hash of the prompt file that the examples use."""
    prompt: Prompt = load_prompt(packaged_prompt(PROMPT_NAME))
    return prompt.sha256
