"""A container as the monitor sees it, from what the engine's API says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"


@dataclass(frozen=True)
class Container:
    """One container at one moment.

    Attributes:
        id: the engine's id; another one after it was made anew.
        name: without the slash that the API puts before it.
        project, service: of docker compose; empty for foreign containers.
        is_one_off: made by ``docker compose run``; whoever ran it looks after it.
        state: created, running, paused, restarting, removing, exited or dead.
        health: healthy, unhealthy, starting, or none where there is no check.
        exit_code: of its last end.
        is_out_of_memory: the kernel ended it for want of memory.
        restart_count: restarts by the engine's own policy.
        note: the last output of the check, or why it could not be started; one line.
    """

    id: str
    name: str
    project: str
    service: str
    is_one_off: bool
    state: str
    health: str = "none"
    exit_code: int = 0
    is_out_of_memory: bool = False
    restart_count: int = 0
    note: str = ""


_NOTE_CHARS = 300


def parse_container(document: Mapping[str, Any]) -> Container:
    """Return what ``GET /containers/{name}/json`` says.

    Raises:
        ValueError: the answer is no container.
    """
    try:
        state = document["State"]
        labels = document["Config"].get("Labels") or {}
        health = state.get("Health") or {}
        return Container(
            id=str(document["Id"]),
            name=str(document["Name"]).removeprefix("/"),
            project=str(labels.get(PROJECT_LABEL, "")),
            service=str(labels.get(SERVICE_LABEL, "")),
            is_one_off=str(labels.get(ONE_OFF_LABEL, "")).lower() == "true",
            state=str(state["Status"]),
            health=str(health.get("Status") or "none"),
            exit_code=int(state["ExitCode"]),
            is_out_of_memory=bool(state.get("OOMKilled", False)),
            restart_count=int(document.get("RestartCount", 0)),
            note=_note(state, health),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a container of the engine's API: {exc!r}") from exc


def _note(state: Mapping[str, Any], health: Mapping[str, Any]) -> str:
    checks = health.get("Log") or []
    said = str(checks[-1].get("Output") or "") if checks else ""
    text = str(state.get("Error") or "") or said
    return " ".join(text.split())[:_NOTE_CHARS]
