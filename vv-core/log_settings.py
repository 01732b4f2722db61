"""Settings of the provable log, its witnesses and the integrity manifest; a part of `vv_core.settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from vv_core.setting_fields import variable


class LogSettings(BaseSettings):
    """What an installer may set about the log. `vv_core.settings.Settings` inherits it."""

    log_key_file: Path = variable(
        "VV_LOG_KEY_FILE",
        Path("secrets/log_signing_key.pem"),
        "Ed25519 key that signs the heads of the log, mode 600",
    )
    log_origin: str = variable(
        "VV_LOG_ORIGIN", "", "name of the log, fixed when it begins; empty: vv-log/<box>-<key mark>"
    )
    camera_silent_minutes: int = variable(
        "VV_CAMERA_SILENT_MINUTES",
        60,
        "minutes without a video until the log says that a camera is silent; 0: never",
        ge=0,
        le=525600,
    )
    witnesses_file: Path | None = variable(
        "VV_WITNESSES",
        None,
        "YAML list of the boxes that cosign heads (name, url, vkey); empty: none",
    )
    witness_policy: int = variable(
        "VV_WITNESS_POLICY", 0, "witnesses that must have cosigned the newest head", ge=0, le=100
    )
    witness_timeout_s: float = variable(
        "VV_WITNESS_TIMEOUT_SECONDS",
        10.0,
        "longest time for one request to a witness",
        gt=0,
        le=300,
    )
    head_urls: SecretStr | None = variable(
        "VV_HEAD_URLS",
        None,
        "where vv-log witness webhook sends heads: http(s) URLs, or apprise URLs as mailto://",
    )
    witness_logs_file: Path | None = variable(
        "VV_WITNESS_LOGS", None, "YAML list of the logs (vkey) that this box witnesses; empty: none"
    )
    witness_name: str = variable(
        "VV_WITNESS_NAME", "", "key name of this box as a witness; empty: vv-witness/<box>"
    )
    witness_listen: str = variable(
        "VV_WITNESS_LISTEN", "127.0.0.1:8461", "address and port of vv-log witness serve"
    )
    witness_key_file: Path = variable(
        "VV_WITNESS_KEY_FILE",
        Path("secrets/witness_key.pem"),
        "Ed25519 key that this box cosigns with, mode 600",
    )
    manifest_policy: Literal["warn", "enforce", "off"] = variable(
        "VV_MANIFEST_POLICY",
        "warn",
        "when vv-signature.json does not fit at the start: warn, enforce (refuse) or off",
    )
    manifest_vkey: str = variable(
        "VV_MANIFEST_VKEY", "", "verifier key that must have signed vv-signature.json; empty: any"
    )
    manifest_key_file: Path = variable(
        "VV_MANIFEST_KEY_FILE",
        Path("secrets/manifest_signing_key.pem"),
        "Ed25519 key of make sign, mode 600; a development key is made when it is missing",
    )
