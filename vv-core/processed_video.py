"""A line of ``processed_videos.log``, the list of what is done: for whoever writes it and whoever reads it.

SHA-256, time, output stem, path below ``processed/`` (both as JSON, so that any name fits on a line), separated by
tabs. Only whole lines count.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ProcessedVideo:
    """One line.

    Attributes:
        sha256: of the video's content.
        finished: UTC, RFC 3339.
        stem: how its outputs are called.
        relative_name: its place below ``processed/``.
    """

    sha256: str
    finished: str
    stem: str
    relative_name: str

    def to_line(self) -> str:
        """Return the line, without newline."""
        return "\t".join(
            (self.sha256, self.finished, json.dumps(self.stem), json.dumps(self.relative_name))
        )


def parse_line(raw: bytes) -> ProcessedVideo | None:
    """Return the video of a line of the list; what follows its newline is left out.

    Returns:
        None where it is no whole line of that form.
    """
    line, newline, _ = raw.partition(b"\n")
    try:
        sha256, finished, stem, name = line.decode("ascii").split("\t")
        video = ProcessedVideo(sha256, finished, json.loads(stem), json.loads(name))
    except (ValueError, RecursionError):
        return None
    is_text = isinstance(video.stem, str) and isinstance(video.relative_name, str)
    return video if newline and is_text and _SHA256.fullmatch(sha256) else None
