"""The shared test vectors, where they are."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def load_cases(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (name, document) of each JSON file below a folder of the vectors; empty where absent."""
    root = VECTORS / folder
    files = sorted(root.rglob("*.json"))
    return [
        (str(path.relative_to(root).with_suffix("")), json.loads(path.read_bytes()))
        for path in files
    ]


def load_vectors(name: str) -> dict[str, Any]:
    """Return one file of the vectors, or skip the test."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"the shared test vectors are not here: {name}")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def decode(text: str | None) -> bytes:
    """Return the bytes of base64; none for nothing."""
    return base64.b64decode(text or "")
