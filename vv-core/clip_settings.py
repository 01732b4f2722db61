"""Settings of what makes clips that browsers play; a part of `vv_core.settings`."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from vv_core.setting_fields import variable


class ClipSettings(BaseSettings):
    """What an installer may set about it. `vv_core.settings.Settings` inherits it."""

    clip_window_hours: int = variable(
        "VV_CLIP_WINDOW_HOURS",
        168,
        "hours that clip_converter looks back; no less than the longest window of a TV",
        ge=1,
        le=8784,
    )
    clip_poll_s: float = variable(
        "VV_CLIP_POLL_SECONDS", 5.0, "seconds between looks for new videos", gt=0, le=3600
    )
    clip_max_lines: int = variable(
        "VV_CLIP_MAX_LINES", 1080, "largest height of a clip for TVs", ge=144, le=2160
    )
    clip_timeout_s: float = variable(
        "VV_CLIP_TIMEOUT_SECONDS", 3600.0, "longest time of one pass over a video", ge=1, le=86400
    )
    clip_memory_mb: int = variable(
        "VV_CLIP_MEMORY_MB", 2048, "MiB of addresses that ffmpeg may take", ge=512
    )
    clip_threads: int = variable(
        "VV_CLIP_THREADS", 2, "threads of ffmpeg for one video", ge=1, le=64
    )
