"""Where a training keeps its files."""

from __future__ import annotations

from pathlib import Path

DEFAULT_FOLDER = Path(".cache") / "summary_training"
"""Not in git; holds what a training needs to go on."""

CHECKPOINT, TOKENIZER, LOG = "checkpoint.pt", "tokenizer.json", "loss.jsonl"

MODEL_FOLDER = Path(__file__).resolve().parents[1] / "model"
"""What is shipped."""
