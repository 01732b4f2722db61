"""What ``docker compose`` is told by the orchestrator, so that containers see the box as the orchestrator does.

The compose file takes paths and settings from variables. Most are the same inside and outside; the others are made
here: absolute paths, what the host is called, and files whose place inside is another one. ``.env`` is read here too,
and not by docker compose, which reads such files by other rules.
"""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from vv_core.env_file import ENCODING
from vv_core.errors import ConfigError, from_oserror
from vv_core.models.active import OFF
from vv_core.settings import Settings

CONFIG_FOLDER = "config"
LOGINS_FOLDER = "logins"
"""Below the storage root: prompts, rules and lists of the operator, which containers may read."""

_MODELS_FOLDER = "models"
_SCANNER_STATE = "scanner"
_BATCHES = "batches"
_MONITOR_STATE = "monitor"
_SOCKET = "/var/run/docker.sock"
_PRIVATE = 0o700
_SHARED = 0o755


def docker_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of ``docker``: ``.env``, over it the current one.

    An empty variable counts as not set, as everywhere.
    """
    path = Path(os.environ.get("VV_ENV_FILE") or settings.home / ".env")
    saved = dotenv_values(path, encoding=ENCODING) if path.is_file() else {}
    given = {name: value for name, value in os.environ.items() if value}
    return {name: value for name, value in saved.items() if value} | given


def client_environment(settings: Settings) -> dict[str, str]:
    """Return the whole environment of ``docker compose``: that of ``docker``, over it our own.

    Raises:
        ConfigError: a setting cannot be met in containers.
    """
    told = docker_environment(settings)
    group = {} if "DOCKER_GID" in told else _socket_group(told.get("DOCKER_SOCKET", _SOCKET))
    return told | compose_environment(settings, has_user="BOX_UID" in told) | group


def compose_environment(settings: Settings, *, has_user: bool = False) -> dict[str, str]:
    """Return the variables of the compose file that differ between the host and containers.

    Args:
        settings: of this box.
        has_user: somebody said already who containers run as.

    Raises:
        ConfigError: a setting cannot be met in containers.
    """
    key_store, log_key = settings.key_store_path, settings.resolve(settings.log_key_file)
    _check_keys(settings, key_store, log_key)
    return {
        "VIDEO_STORAGE_ROOT": str(settings.storage.root),
        "ORCHESTRATOR_COMPOSE_DATA_DIR": str(settings.compose_data_dir),
        "VV_LOG_DIR": str(settings.resolve(settings.log_dir)),
        "VV_FACES_DIR": str(settings.resolve(settings.faces_dir)),
        # A container has a host name of its own.
        "VV_BOX_NAME": settings.box,
        "BOX_KEYS_DIR": str(key_store.parent),
        "BOX_HMAC_KEYS_NAME": key_store.name,
        "BOX_LOG_KEY_NAME": log_key.name,
        "ORCHESTRATOR_SCAN_TIMEOUT": str(settings.scan_timeout_s),
        "ORCHESTRATOR_SUMMARIZE_TIMEOUT": str(settings.summarize_timeout_s),
        "ORCHESTRATOR_LOGLINE_TIMEOUT": str(settings.logline_timeout_s),
        **_files(settings),
        **({} if has_user else _user(settings.storage.root)),
    }


def _check_keys(settings: Settings, key_store: Path, log_key: Path) -> None:
    if settings.hmac_key is not None:
        raise ConfigError(
            "VV_HMAC_KEY cannot reach a container without everybody seeing it (docker inspect)",
            advice="Use a key store instead (VV_HMAC_KEYS_FILE); bootstrap.py creates one.",
        )
    if key_store.parent != log_key.parent:
        raise ConfigError(
            "VV_HMAC_KEYS_FILE and VV_LOG_KEY_FILE lie in different folders, "
            "and the writer's container gets one folder of keys",
            advice="Move both into one folder, readable by the box's user alone.",
        )


def _files(settings: Settings) -> dict[str, str]:
    """Return the files that settings name, by the paths that they have inside."""
    named = (
        ("VV_YOLO_MODEL", settings.yolo_model, _MODELS_FOLDER),
        ("VV_SUMMARY_MODEL", settings.summary_model, _MODELS_FOLDER),
        ("VV_MODELS_FILE", settings.models_file, CONFIG_FOLDER),
        ("VV_PROMPT_FILE", settings.prompt_file, CONFIG_FOLDER),
        ("VV_STATUS_RULES_FILE", settings.status_rules_file, CONFIG_FOLDER),
        ("VV_PLAYLIST_RULES_FILE", settings.playlist_rules_file, CONFIG_FOLDER),
        ("VV_MIRROR_CAMERAS_FILE", settings.mirror_cameras_file, CONFIG_FOLDER),
        ("VV_MIRROR_LOGINS_FILE", settings.mirror_logins_file, LOGINS_FOLDER),
    )
    return {name: _place(settings, name, path, folder) for name, path, folder in named}


def _place(settings: Settings, name: str, path: Path | None, folder: str) -> str:
    if path is None:
        return ""
    if str(path).lower() == OFF:
        return OFF
    visible = settings.storage.root / folder
    try:
        relative = settings.resolve(path).relative_to(visible)
    except ValueError as exc:
        raise ConfigError(
            f"{name} names {str(path)!r}, which containers do not see",
            advice=f"Put it below {str(visible)!r} and name it there.",
        ) from exc
    return str(settings.compose_data_dir / folder / relative)


def _user(data: Path) -> dict[str, str]:
    """Return who containers run as: whoever runs the orchestrator, so that files belong to one user.

    No container runs as root: for root it is who the data belong to, and nobody where they are root's too.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        try:
            owner = data.stat()
        except OSError:
            return {}
        uid, gid = owner.st_uid, owner.st_gid
    return {} if uid == 0 else {"BOX_UID": str(uid), "BOX_GID": str(gid)}


def _socket_group(socket: str) -> dict[str, str]:
    """Return the group that the engine's socket is open to, for the one container that reaches it."""
    try:
        return {"DOCKER_GID": str(os.stat(socket).st_gid)}
    except OSError:
        # An engine elsewhere, or none: the default of the compose file.
        return {}


def box_folders(settings: Settings) -> tuple[tuple[Path, int], ...]:
    """Return the folders that containers are given and that nobody else creates, with their modes."""
    storage = settings.storage
    return (
        (storage.root / CONFIG_FOLDER, _SHARED),
        (storage.root / LOGINS_FOLDER, _PRIVATE),
        (settings.resolve(settings.faces_dir), _PRIVATE),
        (storage.orchestrator_data / _SCANNER_STATE, _PRIVATE),
        (storage.log_state, _PRIVATE),
        (storage.orchestrator_data / _BATCHES, _SHARED),
        (storage.services, _SHARED),
        (storage.media, _SHARED),
        (storage.tvs, _SHARED),
        (storage.playlist_state, _SHARED),
        (storage.orchestrator_data / _MONITOR_STATE, _SHARED),
        (settings.resolve(settings.log_dir), _SHARED),
    )


def prepare_folders(settings: Settings) -> list[Path]:
    """Create those folders where they are missing, and return those that were created.

    Raises:
        VvError: the file system refuses.
    """
    created = []
    for folder, mode in box_folders(settings):
        try:
            if not folder.is_dir():
                folder.mkdir(mode=mode, parents=True, exist_ok=True)
                created.append(folder)
        except OSError as exc:
            raise from_oserror(exc, "create the folder", folder) from exc
    return created
