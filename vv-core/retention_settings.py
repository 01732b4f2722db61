"""Settings of what is kept for how long, and of exported logs; a part of `vv_core.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from vv_core.setting_fields import variable


class RetentionSettings(BaseSettings):
    """What an installer may set about it. `vv_core.settings.Settings` inherits it."""

    retention_file: Path | None = variable(
        "VV_RETENTION_FILE",
        None,
        "own rules for what cleanup_old_files.py removes; empty: the shipped ones",
    )
    log_source_directories: str = variable(
        "LOG_SOURCE_DIRECTORIES",
        "",
        "folders whose logs log_exporter.py packs, comma-separated; empty: VV_LOG_DIR",
    )
    log_export_destination: Path | None = variable(
        "LOG_EXPORT_DESTINATION",
        None,
        "where packed logs go; empty: exports/logs below VIDEO_STORAGE_ROOT",
    )
    log_export_days: int = variable(
        "RETENTION_DAYS_EXPORTED_LOGS",
        90,
        "days that packed logs are kept; 0: for ever",
        ge=0,
        le=36500,
    )
    log_export_containers: bool = variable(
        "LOG_EXPORT_CONTAINERS", False, "pack what containers say too (docker compose logs)"
    )
