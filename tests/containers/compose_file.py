"""The compose file as data, with its variables filled in as docker compose does it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+):-(?P<default>[^}]*)\}")


def load_services(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the services; each variable has its value from ``environment`` or its default."""
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    services: dict[str, Any] = fill_in(document["services"], environment or {})
    return services


def fill_in(value: Any, environment: Mapping[str, str]) -> Any:
    """Return a value with the variables in its texts replaced; an empty one counts as not set."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: environment.get(match["name"]) or match["default"], value)
    if isinstance(value, list):
        return [fill_in(part, environment) for part in value]
    if isinstance(value, dict):
        return {key: fill_in(part, environment) for key, part in value.items()}
    return value


def variables() -> dict[str, set[str]]:
    """Return the names of all variables in the file and the defaults that they have there."""
    found: dict[str, set[str]] = {}
    for match in VARIABLE.finditer(COMPOSE.read_text("utf-8")):
        found.setdefault(match["name"], set()).add(match["default"])
    return found


def mounts(service: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return source and whether it may be written, by the place inside."""
    return {
        volume["target"]: (volume["source"], not volume.get("read_only", False))
        for volume in service["volumes"]
        if volume["type"] == "bind"
    }


def hidden(service: Mapping[str, Any]) -> set[str]:
    """Return the folders below a mount that are covered by an empty one."""
    return {volume["target"] for volume in service["volumes"] if volume["type"] == "tmpfs"}
