"""Videos put into input/, and into quarantine, by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vv_core.paths import Storage
from vv_core.pipeline.quarantine import Failure, quarantine

FAILURE = Failure(
    stage="scan_video",
    exit_code=65,
    timed_out=False,
    reason="no video\x1b[31m in caf\udce9.mp4",
    advice="record it again",
    stderr_tail=("moov atom not found",),
    attempts=1,
    when="2026-11-21T02:03:04Z",
)


def put(folder: Path, name: str, content: bytes) -> tuple[Path, str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def refuse(storage: Storage, name: str, content: bytes) -> Path:
    """Put a video into input/ and then into quarantine."""
    path, sha256 = put(storage.input, name, content)
    target = quarantine(storage, path, name, sha256, FAILURE)
    assert not path.exists()
    assert target.read_bytes() == content
    return target


def contents(folder: Path) -> list[bytes]:
    return sorted(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".meta.json")
    )


def everything(storage: Storage) -> set[bytes]:
    folders = (storage.input, storage.processed, storage.corrupted)
    return {content for folder in folders for content in contents(folder)}
