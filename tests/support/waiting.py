"""Waiting for what comes from elsewhere: one patience for all tests, so that other work on the machine fails none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 120.0
_Seen = TypeVar("_Seen")


def wait_for(
    look: Callable[[], _Seen], what: str | Callable[[], str] = "it", pause_s: float = 0.02
) -> _Seen:
    """Look until something true comes, and return it.

    Args:
        look: asked again and again.
        what: it is, for the message; or what tells how things stand when it did not come.
        pause_s: between two looks.

    Raises:
        AssertionError: it did not come.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < deadline, (
            f"never came: {what if isinstance(what, str) else what()}"
        )
        time.sleep(pause_s)
    return seen
