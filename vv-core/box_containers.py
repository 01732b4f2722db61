"""The containers of the box, for a screen: asked of ``docker compose``, which may not be there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vv_core.errors import VvError
from vv_core.pipeline.compose_client import ask_compose
from vv_core.settings import Settings

_TIMEOUT_S = 10.0
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class ContainerView:
    """One container.

    Attributes:
        service: of the compose file.
        state: "running", "exited", "restarting", …
        health: "healthy", "unhealthy", "starting", or "" where there is no check.
        status: Docker's words, as "Up 3 hours (healthy)".
        exit_code: how it ended, of one that is not running.
    """

    service: str
    state: str
    health: str
    status: str
    exit_code: int

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look at it: it runs and is not ill, or ended by itself as it should."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health != "unhealthy"


@dataclass(frozen=True)
class ContainersView:
    """All containers of the box, or why they are not known.

    Attributes:
        containers: by service.
        problem: why they are not known, "" when they are.
    """

    containers: tuple[ContainerView, ...] = ()
    problem: str = ""


def look_at_containers(settings: Settings) -> ContainersView:
    """Ask for the containers; an engine that does not answer within seconds is a problem, not an error."""
    if not settings.resolve(settings.compose_file).is_file():
        return ContainersView(problem=f"there is no {settings.compose_file}")
    try:
        with tempfile.TemporaryFile() as answer:
            arguments = ["ps", "--all", "--format", "json"]
            ask_compose(settings, arguments, answer, timeout_s=_TIMEOUT_S, max_bytes=_MAX_BYTES)
            text = answer.read().decode("utf-8", "replace")
    except VvError as exc:
        return ContainersView(problem=exc.message)
    return ContainersView(tuple(sorted(parse_containers(text), key=lambda each: each.service)))


def parse_containers(text: str) -> list[ContainerView]:
    """Return the containers that ``docker compose ps --format json`` lists.

    Until version 2.20 that is one array, then one object a line; what is neither is left out.
    """
    try:
        whole = json.loads(text)
    except ValueError:
        return _views(_parse_lines(text))
    return _views(whole if isinstance(whole, list) else [whole])


def _parse_lines(text: str) -> Iterable[Any]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _views(documents: Iterable[Any]) -> list[ContainerView]:
    return [
        ContainerView(
            service=str(each["Service"]),
            state=str(each.get("State", "")),
            health=str(each.get("Health") or ""),
            status=str(each.get("Status", "")),
            exit_code=each["ExitCode"] if isinstance(each.get("ExitCode"), int) else 0,
        )
        for each in documents
        if isinstance(each, dict) and "Service" in each
    ]
