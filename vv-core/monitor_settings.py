"""Settings of self-healing and of keeping images up to date; a part of `vv_core.settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings

from vv_core.setting_fields import variable

PROJECT_NAME = r"[a-z0-9][a-z0-9_-]*"
"""What Compose allows as the name of a project."""


class MonitorSettings(BaseSettings):
    """What an installer may set about the monitor. `vv_core.settings.Settings` inherits it."""

    healthcheck_failure_threshold: int = variable(
        "HEALTHCHECK_FAILURE_THRESHOLD",
        3,
        "looks in a row at which a container is unhealthy until the monitor restarts it",
        ge=1,
        le=1000,
    )
    container_max_restart_attempts: int = variable(
        "CONTAINER_MAX_RESTART_ATTEMPTS",
        5,
        "restarts of one container by the monitor until it gives up and alerts; 0: alert at once",
        ge=0,
        le=100,
    )
    monitor_interval_s: int = variable(
        "VV_MONITOR_INTERVAL", 30, "seconds between looks of self_monitor.py --loop", ge=1, le=3600
    )
    monitor_pause_s: float = variable(
        "VV_MONITOR_PAUSE_SECONDS",
        30.0,
        "pause after the first restart of a container; doubles with each",
        gt=0,
        le=86400,
    )
    monitor_pause_max_s: float = variable(
        "VV_MONITOR_PAUSE_MAX_SECONDS",
        1800.0,
        "longest pause between restarts of a container",
        gt=0,
        le=86400,
    )
    monitor_calm_s: float = variable(
        "VV_MONITOR_CALM_SECONDS",
        1800.0,
        "a container that was well for so long has its restarts forgotten",
        gt=0,
        le=604800,
    )
    compose_project: str = variable(
        "VV_COMPOSE_PROJECT",
        "vv-video-ai",
        "compose project whose containers the monitor looks after",
        pattern=f"^{PROJECT_NAME}$",
    )
    docker_host: str = variable(
        "DOCKER_HOST", "", "where the Docker engine listens; empty: unix:///var/run/docker.sock"
    )
    docker_timeout_s: float = variable(
        "VV_DOCKER_TIMEOUT_SECONDS",
        30.0,
        "longest time for one answer of the Docker engine",
        gt=0,
        le=600,
    )
    monitor_diagnosis: Literal["off", "propose", "act"] = variable(
        "VV_MONITOR_DIAGNOSIS",
        "off",
        "diagnosis of what restarts do not heal: off, propose (dry-run), act (what rules are sure of)",
    )
    monitor_model: bool = variable(
        "VV_MONITOR_MODEL",
        False,
        "ask the local language model where the rules of the diagnosis know nothing; only ever proposes",
    )
    monitor_model_file: Path | None = variable(
        "VV_MONITOR_MODEL_FILE",
        None,
        "GGUF to ask instead of the shipped one",
    )
    monitor_proposals_per_hour: int = variable(
        "VV_MONITOR_PROPOSALS_PER_HOUR",
        4,
        "most proposals of the diagnosis in one hour",
        ge=1,
        le=60,
    )
    monitor_memory_limit_mb: int = variable(
        "VV_MONITOR_MEMORY_LIMIT_MB",
        4096,
        "MiB up to which the diagnosis may raise the memory of a stage",
        ge=256,
    )
