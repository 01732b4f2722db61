"""How a setting is declared; used by every part of `vv_core.settings`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

DEFAULT_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_HOST_PATTERN = re.compile(r"\*|(\*\.)?[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]+\]")


def variable(name: str, default: Any, description: str, **limits: Any) -> Any:
    """Declare a setting: its environment variable, default, and what it means."""
    return Field(default=default, validation_alias=name, description=description, **limits)


def split_commas(value: Any) -> Any:
    """Return the parts of a text, which commas part; anything else as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _check_hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    for host in value:
        if not _HOST_PATTERN.fullmatch(host):
            raise ValueError(f"{host!r} is no host name, as tv.example, *.example or [::1]")
    return value


HostNames = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(split_commas), AfterValidator(_check_hosts)
]
"""Names that browsers may call a service by."""
