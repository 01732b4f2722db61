"""What every action of ``vv-models`` is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.clock import Clock
from vv_core.errors import ExitCode
from vv_core.models.registry import Registry
from vv_core.settings import Settings


@dataclass(frozen=True)
class Desk:
    """What every action needs."""

    settings: Settings
    registry: Registry
    clock: Clock

    @property
    def models(self) -> Path:
        """The folder of models."""
        return self.settings.storage.models


@dataclass(frozen=True)
class Told:
    """What an action tells.

    Attributes:
        document: for programs.
        lines: for people, in Portuguese and in English.
    """

    document: Any
    lines: tuple[tuple[str, str], ...]
    exit_code: ExitCode = ExitCode.OK
