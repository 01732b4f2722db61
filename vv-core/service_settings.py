"""Settings of the programs that stay: capture, playlists, the API and the mirror; a part of `vv_core.settings`."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import field_validator

from vv_core.mirror_settings import MirrorSettings
from vv_core.setting_fields import DEFAULT_HOSTS, HostNames, variable

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


class ServiceSettings(MirrorSettings):
    """What an installer may set about them. `vv_core.settings.Settings` inherits it."""

    dvr_ip: str = variable("DVR_IP", "", "address of the DVR that is watched; empty: none")
    dvr_port: int = variable(
        "VV_DVR_PORT", 554, "TCP port of the DVR that must answer; 554 is RTSP", ge=1, le=65535
    )
    dvr_timeout_s: float = variable(
        "VV_DVR_TIMEOUT_SECONDS", 3.0, "longest wait for the DVR's answer", gt=0, le=60
    )
    capture_poll_s: float = variable(
        "VV_CAPTURE_POLL_SECONDS", 5.0, "seconds between looks into raw/", gt=0, le=3600
    )
    playlist_rules_file: Path | None = variable(
        "VV_PLAYLIST_RULES_FILE", None, "own rules for the TVs; empty: the shipped ones"
    )
    playlist_poll_s: float = variable(
        "VV_PLAYLIST_POLL_SECONDS",
        60.0,
        "seconds between looks at all that is young; changes are told at once",
        gt=0,
        le=3600,
    )
    tv_api_listen: str = variable(
        "VV_TV_API_LISTEN", "127.0.0.1:8000", "address and port of vv-tv-api"
    )
    tv_api_hosts: HostNames = variable(
        "VV_TV_API_HOSTS",
        DEFAULT_HOSTS,
        "names that browsers may call the API by, comma-separated",
        min_length=1,
    )

    @field_validator("dvr_ip")
    @classmethod
    def _bare_address(cls, value: str) -> str:
        if value and not _HOST.fullmatch(value):
            raise ValueError("an address or a host name alone, as 192.168.1.50")
        return value
