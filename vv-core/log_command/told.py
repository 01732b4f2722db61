"""What every action of ``vv-log`` is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vv_core.clock import Clock
from vv_core.settings import Settings


@dataclass(frozen=True)
class Box:
    """What every action needs."""

    settings: Settings
    clock: Clock


@dataclass(frozen=True)
class Told:
    """What an action tells.

    Attributes:
        document: for programs.
        lines: for people, in Portuguese and in English.
        exit_code: of the command.
    """

    document: dict[str, Any]
    lines: tuple[tuple[str, str], ...]
    exit_code: int = 0


def same(text: str) -> tuple[str, str]:
    """Return a line that reads the same in both languages."""
    return text, text
