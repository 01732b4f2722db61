"""All settings, typed and frozen; the one place that reads the environment and ``.env``.

Each field names its variable, what it means and, where it helps, an example. `.env.example` is
tested against this module.
"""

from __future__ import annotations

import os
import re
import socket
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from vv_core.clip_settings import ClipSettings
from vv_core.env_file import ENCODING, read_names, refuse_unknown
from vv_core.errors import ConfigError
from vv_core.log_settings import LogSettings
from vv_core.monitor_settings import MonitorSettings
from vv_core.paths import Storage
from vv_core.retention_settings import RetentionSettings
from vv_core.service_settings import ServiceSettings
from vv_core.setting_fields import variable

OWN_PREFIXES = (
    *("VV_", "SCAN_", "ORCHESTRATOR_", "VIDEO_STORAGE_"),
    *("LOG_SOURCE_", "LOG_EXPORT_", "RETENTION_DAYS_"),
    *("HEALTHCHECK_FAILURE_", "CONTAINER_MAX_RESTART_", "DVR_"),
)
"""Variables that start so are ours: an unknown one is a spelling mistake, and an error."""

_OUTSIDE_SETTINGS = {"VV_HOME", "VV_ENV_FILE", "VV_PARENT_PID"}

DEFAULT_PATTERNS = ("*.mp4", "*.avi", "*.mkv", "*.mov", "*.m4v", "*.ts", "*.mpg", "*.webm", "*.wmv")

DEFAULT_START_PATTERNS = (
    r"(?P<Y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})[ _T-]?(?P<H>\d{2})[-:.hH]?(?P<M>\d{2})[-:.mM]?(?P<S>\d{2})(?P<z>Z)?",
)

_LEAST_SUMMARY_MEMORY_MB = 256
_START_GROUPS = {"Y", "m", "d", "H", "M", "S"}

Listed = Annotated[tuple[str, ...], NoDecode]


class Settings(ServiceSettings, ClipSettings, LogSettings, MonitorSettings, RetentionSettings):
    """Everything an installer may set. Paths that are relative count from ``home``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=True,
        populate_by_name=True,
        env_ignore_empty=True,
        allow_inf_nan=False,
    )

    home: Path = variable("VV_HOME", Path(), "folder that relative paths count from")
    video_storage_root: Path = variable("VIDEO_STORAGE_ROOT", Path("data"), "folder of all data")
    log_dir: Path = variable("VV_LOG_DIR", Path("logs"), "folder of app.log")
    language: Literal["pt-BR", "en"] = variable(
        "VV_LANGUAGE", "pt-BR", "language of texts for people"
    )
    time_zone: str = variable("VV_TIME_ZONE", "America/Sao_Paulo", "zone of the cameras' clocks")
    box_name: str = variable("VV_BOX_NAME", "", "name of this box in LogLines; empty: host name")

    scan_interval_seconds: float = variable(
        "SCAN_INTERVAL_SECONDS", 1.0, "seconds between the frames looked at", gt=0, le=3600
    )
    yolo_model: Path | None = variable(
        "VV_YOLO_MODEL",
        None,
        "YOLOv8 weights: OpenVINO folder, .xml, .onnx or .pt; empty: activated ones; none: embedded default",
    )
    yolo_backend: Literal["auto", "openvino", "onnxruntime", "ultralytics", "embedded"] = variable(
        "VV_YOLO_BACKEND", "auto", "program that runs the weights; auto chooses by their kind"
    )
    yolo_confidence: float = variable(
        "VV_YOLO_CONFIDENCE", 0.25, "least confidence of a box", gt=0, lt=1
    )
    yolo_iou: float = variable(
        "VV_YOLO_IOU", 0.7, "overlap from which two boxes are one", gt=0, lt=1
    )
    max_frames: int = variable("VV_MAX_FRAMES", 20000, "most frames looked at in one video", ge=1)
    max_pixels: int = variable("VV_MAX_PIXELS", 8192 * 8192, "largest picture accepted", ge=256)
    start_patterns: Listed = variable(
        "VV_START_PATTERNS",
        DEFAULT_START_PATTERNS,
        "regular expressions, one a line, with groups Y m d H M S and z (z: UTC), for the time in a file name",
    )
    faces_enabled: bool = variable("VV_FACES", True, "look for faces where people are")
    recognise_faces: bool = variable("VV_RECOGNISE_FACES", False, "recognise the people enrolled")
    faces_dir: Path = variable(
        "VV_FACES_DIR", Path("faces"), "enrolled people: <name>/<picture>.jpg"
    )
    face_tolerance: float = variable(
        "VV_FACE_TOLERANCE", 0.6, "largest distance of a match", gt=0, le=1
    )
    blur_faces: bool = variable("VV_BLUR_FACES", False, "blur faces in pictures")

    fact_min_frames: int = variable(
        "VV_FACT_MIN_FRAMES", 2, "frames that make a label a fact", ge=1
    )
    fact_min_confidence: float = variable(
        "VV_FACT_MIN_CONFIDENCE", 0.4, "confidence that one of those frames must reach", ge=0, le=1
    )
    summary_model: Path | None = variable(
        "VV_SUMMARY_MODEL",
        None,
        "GGUF that writes; empty: the activated or shipped one; none: rule-based text",
    )
    models_file: Path | None = variable(
        "VV_MODELS_FILE", None, "own list of models; empty: the shipped models.yaml"
    )
    prompt_file: Path | None = variable(
        "VV_PROMPT_FILE", None, "own prompt; empty: the shipped one"
    )
    summary_timeout_s: float = variable(
        "VV_SUMMARY_TIMEOUT_SECONDS",
        30.0,
        "longest time of the model for one scene, a second try included",
        gt=0,
        le=3600,
    )
    summary_memory_mb: int = variable(
        "VV_SUMMARY_MEMORY_MB",
        0,
        "MiB that the model's process may take beside its file, 256 or more; 0: 1024 and twice the file",
        ge=0,
    )
    summary_threads: int = variable(
        "VV_SUMMARY_THREADS", 0, "threads of the model; 0: all cores, one for a small model", ge=0
    )
    summary_context: int = variable(
        "VV_SUMMARY_CONTEXT", 2048, "context of the model, tokens", ge=256
    )
    summary_gpu_layers: int = variable(
        "VV_SUMMARY_GPU_LAYERS", -1, "layers on the GPU; -1: all where there is one", ge=-1
    )
    summary_seed: int = variable("VV_SUMMARY_SEED", 7, "seed of the model", ge=0)

    status_rules_file: Path | None = variable(
        "VV_STATUS_RULES_FILE",
        None,
        "own rules for the status of a LogLine; empty: the shipped ones",
    )
    hmac_keys_file: Path | None = variable(
        "VV_HMAC_KEYS_FILE",
        None,
        "key store for signatures, mode 600; empty: secrets/hmac_keys.json",
    )
    hmac_key: SecretStr | None = variable(
        "VV_HMAC_KEY", None, "signing key for a trial, 32 bytes or more; prefer the file"
    )

    orchestrator_interval: int = variable(
        "ORCHESTRATOR_INTERVAL", 300, "seconds between cycles of --loop", ge=1
    )
    orchestrator_runner: Literal["process", "compose"] = variable(
        "ORCHESTRATOR_RUNNER", "process", "how stages run: on this machine, or docker compose run"
    )
    orchestrator_workers: int = variable(
        "ORCHESTRATOR_WORKERS", 1, "batches at a time", ge=1, le=64
    )
    orchestrator_batch_size: int = variable(
        "ORCHESTRATOR_BATCH_SIZE", 20, "videos that share one start of a stage", ge=1, le=1000
    )
    orchestrator_patterns: Listed = variable(
        "ORCHESTRATOR_PATTERNS", DEFAULT_PATTERNS, "names of videos, comma-separated", min_length=1
    )
    orchestrator_stable_seconds: float = variable(
        "ORCHESTRATOR_STABLE_SECONDS", 10.0, "a file untouched for so long is finished", ge=0
    )
    orchestrator_retry_seconds: float = variable(
        "ORCHESTRATOR_RETRY_SECONDS",
        60.0,
        "first wait after a passing fault; doubles each time",
        gt=0,
    )
    orchestrator_retry_max_seconds: float = variable(
        "ORCHESTRATOR_RETRY_MAX_SECONDS", 6 * 3600.0, "longest wait after a passing fault", gt=0
    )
    orchestrator_alert_after: int = variable(
        "ORCHESTRATOR_ALERT_AFTER", 3, "passing faults of one video until an alert", ge=1
    )
    orchestrator_max_crashes: int = variable(
        "ORCHESTRATOR_MAX_CRASHES", 3, "crashes of a stage until the video is quarantined", ge=1
    )
    scan_timeout_s: float = variable(
        "ORCHESTRATOR_SCAN_TIMEOUT", 1800.0, "seconds for one video", gt=0
    )
    summarize_timeout_s: float = variable(
        "ORCHESTRATOR_SUMMARIZE_TIMEOUT", 300.0, "seconds for one text", gt=0
    )
    logline_timeout_s: float = variable(
        "ORCHESTRATOR_LOGLINE_TIMEOUT", 120.0, "seconds for one LogLine", gt=0
    )
    compose_file: Path = variable(
        "ORCHESTRATOR_COMPOSE_FILE", Path("docker-compose.yml"), "file for the compose runner"
    )
    compose_data_dir: Path = variable(
        "ORCHESTRATOR_COMPOSE_DATA_DIR", Path("/data"), "where containers see VIDEO_STORAGE_ROOT"
    )
    alert_urls: SecretStr | None = variable(
        "VV_ALERT_URLS", None, "apprise URLs, comma-separated, that alerts go to"
    )

    @field_validator("orchestrator_patterns", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("start_patterns", mode="before")
    @classmethod
    def _split_lines(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(line.strip() for line in value.split("\n") if line.strip())
        return value

    @field_validator("start_patterns")
    @classmethod
    def _usable_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for number, pattern in enumerate(value, 1):
            try:
                groups = re.compile(pattern).groupindex.keys()
            except re.error as exc:
                raise ValueError(f"pattern {number} is not a regular expression: {exc}") from exc
            if missing := _START_GROUPS - groups:
                raise ValueError(f"pattern {number} lacks the groups {' '.join(sorted(missing))}")
        return value

    @field_validator("summary_memory_mb")
    @classmethod
    def _enough_memory(cls, value: int) -> int:
        if 0 < value < _LEAST_SUMMARY_MEMORY_MB:
            raise ValueError(f"0 or at least {_LEAST_SUMMARY_MEMORY_MB}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError("not a time zone of the IANA list, as America/Sao_Paulo") from exc
        return value

    @model_validator(mode="after")
    def _one_key_source(self) -> Settings:
        if self.hmac_key is not None and self.hmac_keys_file is not None:
            raise ValueError("VV_HMAC_KEY and VV_HMAC_KEYS_FILE are both set; keep one")
        return self

    def resolve(self, path: Path) -> Path:
        """Return a path of these settings as an absolute one."""
        # Not Path.expanduser, which raises for a user that does not exist.
        return Path(os.path.abspath(self.home / os.path.expanduser(path)))  # noqa: PTH111

    @cached_property
    def storage(self) -> Storage:
        """The folders of all data."""
        return Storage(self.resolve(self.video_storage_root))

    @property
    def zone(self) -> ZoneInfo:
        """The cameras' time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def key_store_path(self) -> Path:
        """The key store, set or by default."""
        return self.resolve(self.hmac_keys_file or Path("secrets/hmac_keys.json"))

    @property
    def box(self) -> str:
        """The name of this box."""
        return self.box_name or socket.gethostname()


def load_settings() -> Settings:
    """Read the environment, and below it the ``.env`` of the home folder.

    The home folder is ``VV_HOME`` or the current one; ``VV_ENV_FILE`` names another ``.env``.
    An empty variable counts as not set.

    Raises:
        ConfigError: a value is wrong or a variable of ours is unknown; the message names it.
    """
    home = Path(os.environ.get("VV_HOME") or Path.cwd())
    env_file = Path(os.environ.get("VV_ENV_FILE") or home / ".env")
    names = {*read_names(env_file), *os.environ}
    known = {*known_variables(), *_OUTSIDE_SETTINGS}
    refuse_unknown((name for name in names if name.startswith(OWN_PREFIXES)), known, env_file)
    try:
        return Settings(home=home, _env_file=env_file, _env_file_encoding=ENCODING)
    except ValidationError as exc:
        raise ConfigError(
            f"settings are wrong: {_explain(exc)}",
            advice=f"Correct the variable in {str(env_file)!r} or the environment; "
            ".env.example describes each.",
        ) from exc


def known_variables() -> dict[str, str]:
    """Return every variable of `Settings` and its description."""
    return {
        str(field.validation_alias): field.description or ""
        for field in Settings.model_fields.values()
    }


def _explain(exc: ValidationError) -> str:
    """Name variable and fault; the value itself is left out, as it may be a secret."""
    return "; ".join(
        f"{'.'.join(str(step) for step in error['loc']) or 'settings'}: "
        f"{error['msg'].removeprefix('Value error, ')}"
        for error in exc.errors(include_input=False, include_url=False, include_context=False)
    )
