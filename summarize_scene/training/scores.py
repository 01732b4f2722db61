"""What the evaluation counts, and what it demands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from summarize_scene.problems import Problem

MISSING = frozenset({"missing label", "missing name", "missing warning"})
FORM = frozenset({"empty", "length", "language", "repeat", "cut off", "degenerate"})
"""Kinds of problem that are no invented fact; every other kind is one."""


@dataclass
class Scores:
    """Counts over the texts of one model."""

    texts: int = 0
    first_kept: int = 0
    first_complete: int = 0
    first_ungrounded: int = 0
    unfinished: int = 0
    final_complete: int = 0
    final_ungrounded: int = 0
    second_tries: int = 0
    fallbacks: int = 0
    tokens: int = 0
    seconds: list[float] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    wrong_kept: Counter[str] = field(default_factory=Counter)

    def add_first(self, problems: Iterable[Problem]) -> None:
        """Count what the check says about a model's first text."""
        kinds = {problem.kind for problem in problems}
        self.problems.update(kinds)
        self.first_complete += not kinds & MISSING
        self.first_ungrounded += bool(kinds - MISSING - FORM)

    def as_dict(self) -> dict[str, float | int]:
        """Return the figures, shares of 1."""
        texts = max(1, self.texts)
        ordered = sorted(self.seconds) or [0.0]
        return {
            "texts": self.texts,
            "kept_at_first": self.first_kept / texts,
            "mandatory_facts_at_first": self.first_complete / texts,
            "mandatory_facts": self.final_complete / texts,
            "ungrounded_before_check": self.first_ungrounded / texts,
            "ungrounded_after_check": self.final_ungrounded / texts,
            "unfinished": self.unfinished / texts,
            "second_tries": self.second_tries / texts,
            "fallbacks": self.fallbacks / texts,
            "sentence_shapes": len(self.shapes),
            "sentences": self.shapes.total(),
            "seconds_mean": sum(ordered) / len(ordered),
            "seconds_p95": ordered[int(0.95 * (len(ordered) - 1))],
            "tokens_mean": self.tokens / texts,
            "wrong_texts": self.wrong.total(),
            "wrong_texts_kept": self.wrong_kept.total(),
        }


@dataclass(frozen=True)
class Target:
    """What a figure must reach."""

    figure: str
    limit: float
    is_upper: bool

    def is_met(self, scores: Scores) -> bool:
        """Tell whether the scores reach it."""
        value = scores.as_dict()[self.figure]
        return value <= self.limit if self.is_upper else value >= self.limit

    def __str__(self) -> str:
        """Return "fallbacks <= 0.02"."""
        return f"{self.figure} {'<=' if self.is_upper else '>='} {self.limit:g}"


TARGETS = (
    Target("mandatory_facts", 0.99, is_upper=False),
    Target("ungrounded_after_check", 0.0, is_upper=True),
    Target("ungrounded_before_check", 0.01, is_upper=True),
    Target("fallbacks", 0.02, is_upper=True),
    Target("seconds_mean", 0.3, is_upper=True),
    Target("wrong_texts_kept", 0.0, is_upper=True),
    Target("wrong_texts", 1.0, is_upper=False),
)
