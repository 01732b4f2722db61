"""How one start of a stage ended, as far as its runner can know."""

from __future__ import annotations

from dataclasses import dataclass

from vv_core.errors import VvError
from vv_core.process import ChildResult


@dataclass(frozen=True)
class StageEnd:
    """How one start of a stage ended.

    Attributes:
        child: the program that was waited for: the stage itself, or docker compose for it.
        out_of_memory: the kernel ended the stage at its memory limit. False also where that cannot be known.
        fault: what is wrong with the box around the stage (no engine, no image, no folder), or None. It is no
            video's fault.
    """

    child: ChildResult
    out_of_memory: bool = False
    fault: VvError | None = None
