"""Train the model that is asked where the monitor's rules know nothing.

``python -m summarize_scene.training.faults.train [--seed N --folder F]``, on a GPU or with much patience.
The same network, trainer and export as for the model that writes; the examples are others, and longer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from summarize_scene.training.faults.examples import make_examples
from summarize_scene.training.schedule import TrainingPlan
from summarize_scene.training.train import parse_arguments, train

FOLDER = Path(".cache") / "fault_training"
PLAN = TrainingPlan(seed=1, steps=1500, batch=128, context=1024, tokenizer_examples=15000)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options, plan = parse_arguments(argv, PLAN, FOLDER)
    if (code := train(options, plan, make_examples)) or options.scenes == 0:
        return code
    # Imported late: the card runs llama.cpp, which a machine that only trains need not have.
    from summarize_scene.training.faults import card

    arguments = [
        "--folder",
        options.folder,
        "--output",
        options.output,
        "--situations",
        options.scenes,
    ]
    return card.main([str(argument) for argument in arguments])


if __name__ == "__main__":
    sys.exit(main())
