"""Where data lies under the storage root, and which names outputs get."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

FOLDERS = (
    "input",
    "raw",
    "processed",
    "tv_curado",
    "analytic",
    "summaries",
    "loglines",
    "playlists",
    "fallback",
    "corrupted",
    "models",
    "orchestrator_data",
    "exports",
)

MAX_STEM_BYTES = 180
"""Longest stem of an output, so that every suffix still fits into a name of 255 bytes."""
_MAX_NAME_BYTES = 255
_MAX_SUFFIX_BYTES = 32


@dataclass(frozen=True)
class Storage:
    """The folders under ``VIDEO_STORAGE_ROOT``.

    Attributes:
        root: the storage root, absolute.
    """

    root: Path

    @property
    def input(self) -> Path:
        """Videos that wait; sub-folders are cameras."""
        return self.root / "input"

    @property
    def raw(self) -> Path:
        """Recordings that are still being written."""
        return self.root / "raw"

    @property
    def processed(self) -> Path:
        """Videos that are done."""
        return self.root / "processed"

    @property
    def tv_curado(self) -> Path:
        """Curated content for TVs."""
        return self.root / "tv_curado"

    @property
    def analytic(self) -> Path:
        """What the scanner saw, and its pictures."""
        return self.root / "analytic"

    @property
    def summaries(self) -> Path:
        """What happened, in words."""
        return self.root / "summaries"

    @property
    def loglines(self) -> Path:
        """Signed LogLines."""
        return self.root / "loglines"

    @property
    def playlists(self) -> Path:
        """What each TV shows."""
        return self.root / "playlists"

    @property
    def fallback(self) -> Path:
        """What TVs show when there is nothing else."""
        return self.root / "fallback"

    @property
    def corrupted(self) -> Path:
        """Quarantined videos, each with the reason."""
        return self.root / "corrupted"

    @property
    def models(self) -> Path:
        """Model files."""
        return self.root / "models"

    @property
    def orchestrator_data(self) -> Path:
        """State of the orchestrator."""
        return self.root / "orchestrator_data"

    @property
    def processed_log(self) -> Path:
        """The list of what is done (`vv_core.processed_video`)."""
        return self.orchestrator_data / "processed_videos.log"

    @property
    def log(self) -> Path:
        """The provable log: what an auditor copies with the LogLines."""
        return self.loglines / "log"

    @property
    def scanner_state(self) -> Path:
        """What the scanner keeps between starts; it may be deleted."""
        return self.orchestrator_data / "scanner"

    @property
    def services(self) -> Path:
        """Heartbeats and alerts of the programs that stay."""
        return self.orchestrator_data / "services"

    @property
    def media(self) -> Path:
        """Which file plays for each processed video."""
        return self.orchestrator_data / "media"

    @property
    def tvs(self) -> Path:
        """What each screen last said about itself."""
        return self.orchestrator_data / "tvs"

    @property
    def playlist_state(self) -> Path:
        """What the playlists' maker keeps between starts; it may be deleted."""
        return self.orchestrator_data / "playlists"

    @property
    def log_state(self) -> Path:
        """What only the writer of the log needs."""
        return self.orchestrator_data / "log"

    @property
    def exports(self) -> Path:
        """What was packed for others."""
        return self.root / "exports"

    def ensure(self) -> list[Path]:
        """Create the folders that are missing and return those that were created."""
        created = []
        for name in FOLDERS:
            folder = self.root / name
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                created.append(folder)
        return created


def printable_name(raw_name: str) -> str:
    """Return a file name as it may stand in documents and on terminals.

    Control and format characters and bytes that are not UTF-8 become U+FFFD; the rest, emoji and
    accents among it, stays. A zero-width joiner stays too, since emoji need it.
    """
    return "".join(char if _is_printable(char) else "\ufffd" for char in raw_name)


def _is_printable(char: str) -> bool:
    return char == "\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def output_stem(raw_stem: str, sha256: str) -> str:
    """Return the stem that a video's outputs are named by.

    A stem that is safe in every tool is kept. One with control characters, a leading dash or dot, or
    too long is repaired and gets ``-<first 8 of sha256>``, so that two repaired names never meet.
    """
    text = "".join(char if _is_printable(char) else "_" for char in raw_stem)
    if text[:1] in {"-", "."} or not text.strip():
        text = f"_{text}"
    text = _cut_utf8(text, MAX_STEM_BYTES)
    return text if text == raw_stem else with_hash(text, sha256)


def with_hash(stem: str, sha256: str) -> str:
    """Return ``<stem>-<first 8 of sha256>``, within the length limit."""
    return f"{_cut_utf8(stem, MAX_STEM_BYTES - 9)}-{sha256[:8]}"


def renamed_with_hash(raw_name: str, sha256: str) -> str:
    """Return a file name with ``-<first 8 of sha256>`` before its suffix, within 255 bytes."""
    stem, suffix = os.path.splitext(raw_name)
    if len(os.fsencode(suffix)) > _MAX_SUFFIX_BYTES:
        stem, suffix = raw_name, ""
    room = _MAX_NAME_BYTES - 9 - len(os.fsencode(suffix))
    return f"{os.fsdecode(_cut_bytes(os.fsencode(stem), room))}-{sha256[:8]}{suffix}"


def _cut_utf8(text: str, max_bytes: int) -> str:
    return text.encode("utf-8")[:max_bytes].decode("utf-8", "ignore")


def _cut_bytes(raw: bytes, max_bytes: int) -> bytes:
    """Cut between UTF-8 characters where the bytes are UTF-8."""
    if len(raw) <= max_bytes:
        return raw
    for end in range(max_bytes, max_bytes - 4, -1):
        if raw[end] & 0xC0 != 0x80:  # noqa: PLR2004 - 10xxxxxx goes on
            return raw[:end]
    return raw[:max_bytes]
