"""The tests of the training need its extra (torch, tokenizers, gguf); without it only those of the data run."""

from __future__ import annotations

from importlib.util import find_spec

_NEEDED = ("torch", "tokenizers", "gguf", "llama_cpp")
_MISSING = [name for name in _NEEDED if find_spec(name) is None]

_TRAINING = [
    "test_export.py",
    "test_training.py",
    "test_evaluation.py",
    "test_faults.py",
    "test_fault_training.py",
]

collect_ignore = _TRAINING if _MISSING else []


def pytest_report_header() -> str | None:
    """Say why they are left out."""
    return f"summarize_scene_training: not installed: {', '.join(_MISSING)}" if _MISSING else None
