"""How a setting is declared; used by every part of `vv_core.settings`."""

from __future__ import annotations

from typing import Any

from pydantic import Field


def variable(name: str, default: Any, description: str, **limits: Any) -> Any:
    """Declare a setting: its environment variable, default, and what it means."""
    return Field(default=default, validation_alias=name, description=description, **limits)
