"""A fault that the check of a text found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

ProblemKind = Literal[
    "empty",
    "length",
    "character",
    "word",
    "negation",
    "language",
    "unseen label",
    "count",
    "number",
    "name",
    "time",
    "duration",
    "condition",
    "missing label",
    "missing name",
    "missing warning",
    "repeat",
    "cut off",
    "degenerate",
]


@dataclass(frozen=True)
class Problem:
    """Why a text is not kept.

    Attributes:
        kind: what is wrong, for counting.
        detail: the words concerned, for people.
    """

    kind: ProblemKind
    detail: str

    def __str__(self) -> str:
        """Return kind and detail."""
        return f"{self.kind}: {self.detail}"


def describe(problems: Iterable[Problem], max_chars: int) -> str:
    """Return the problems as one line, cut to a length."""
    text = "; ".join(dict.fromkeys(str(problem) for problem in problems))
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"
