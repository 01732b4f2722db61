"""Situations as a model reads them, and the answer that it is to give."""

from __future__ import annotations

import json
from collections.abc import Iterator

from summarize_scene.choose import facts_only
from summarize_scene.training.corpus import Example
from summarize_scene.training.faults.situations import MadeUp, make_situations
from vv_core.monitor.ask_model import situation_text


def make_examples(seed: int) -> Iterator[Example]:
    """Yield training examples without end; the same seed gives the same ones."""
    return map(example_of, make_situations(seed, held_out=False))


def example_of(made: MadeUp) -> Example:
    """Return a situation and its right answer, in the only form that the grammar allows."""
    answer = {"diagnosis": str(made.diagnosis), "action": str(made.action)}
    return Example(
        facts_only(situation_text(made.situation)), json.dumps(answer, separators=(",", ":"))
    )
