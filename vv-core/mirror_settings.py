"""Settings of the mirror, which shows live pictures; a part of `vv_core.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from vv_core.setting_fields import DEFAULT_HOSTS, HostNames, variable


class MirrorSettings(BaseSettings):
    """What an installer may set about it. `vv_core.settings.Settings` inherits it."""

    mirror_cameras_file: Path | None = variable(
        "VV_MIRROR_CAMERAS_FILE", None, "own list of cameras to mirror; empty: the shipped one"
    )
    mirror_logins_file: Path | None = variable(
        "VV_MIRROR_LOGINS_FILE",
        None,
        "users and passwords of the cameras, mode 600; empty: logins/mirror.yaml below VIDEO_STORAGE_ROOT",
    )
    mirror_listen: str = variable(
        "VV_MIRROR_LISTEN", "127.0.0.1:8001", "address and port of vv-tv-mirror"
    )
    mirror_hosts: HostNames = variable(
        "VV_MIRROR_HOSTS",
        DEFAULT_HOSTS,
        "names that browsers may call the mirror by, comma-separated",
        min_length=1,
    )
    mirror_linger_s: float = variable(
        "VV_MIRROR_LINGER_SECONDS",
        10.0,
        "seconds that a camera stays connected after its last viewer",
        ge=0,
        le=3600,
    )
    mirror_blur_faces: bool = variable(
        "VV_MIRROR_BLUR_FACES", False, "blur faces in live pictures, unless a camera says otherwise"
    )
