"""The orchestrator's own word for ending early; `vv_core.stop_sign` hears the signals."""

from __future__ import annotations

from vv_core.stop_sign import StopSign

__all__ = ["Ending", "StopSign"]


class Ending(Exception):
    """The orchestrator was asked to end, and has left off; nothing is known about what it was doing."""
