"""``processed/`` and ``corrupted/``: where videos go, and how they come back."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vv_core.atomic import fsync_directory, move_no_replace, write_json_atomic
from vv_core.errors import InputDataError, UsageError, VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import get_logger, printable
from vv_core.paths import Storage, printable_name, renamed_with_hash
from vv_core.pipeline.outputs import digits_by_eight
from vv_core.utils import compute_sha256

META_SUFFIX = ".meta.json"
_MAX_NAME_BYTES = 255
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Failure:
    """Why a video is quarantined.

    Attributes:
        stage: which stage refused it.
        exit_code: how that stage ended.
        timed_out: ended because it took too long.
        reason: what happened.
        advice: what to do.
        stderr_tail: last lines of the stage's stderr.
        attempts: how often it was tried.
        when: UTC, RFC 3339.
    """

    stage: str
    exit_code: int
    timed_out: bool
    reason: str
    advice: str
    stderr_tail: tuple[str, ...]
    attempts: int
    when: str


def plan_place(folder: Path, relative_name: str, sha256: str) -> Path:
    """Return where a video goes below a folder; its sub-folders (cameras) are kept.

    A different file of the same name stays; the newcomer gets its hash into its name.
    """
    place = folder / relative_name
    for digits in digits_by_eight(sha256):
        if not os.path.lexists(place) or _has_content(place, sha256):
            return place
        place = place.with_name(renamed_with_hash(place.name, digits))
    return place


def move_video(path: Path, target: Path, sha256: str) -> None:
    """Move a video to where `plan_place` said, without replacing or losing anything.

    The very same content that is there already is kept once.

    Raises:
        OSError: from the file system.
    """
    _make_folders(target.parent)
    if _has_content(target, sha256) and not target.samefile(path):
        path.unlink()
        fsync_directory(path.parent)
    else:
        move_no_replace(path, target)


def _has_content(path: Path, sha256: str) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and compute_sha256(path) == sha256
    except VvError:
        return False


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        fsync_directory(folder.parent)


def quarantine(
    storage: Storage, path: Path, relative_name: str, sha256: str, failure: Failure
) -> Path:
    """Move a video to ``corrupted/`` with its meta file, and return where it is then.

    The meta file comes first: a crash in between leaves the video where it is found again.

    Raises:
        OSError: from the file system.
    """
    target = plan_place(storage.corrupted, relative_name, sha256)
    _make_folders(target.parent)
    write_json_atomic(
        meta_path(target),
        {
            "schema": "vv.quarantine/1",
            "file": printable_name(target.name),
            # The exact bytes, so that the video is found and can be put back under its own name.
            "file_bytes": os.fsencode(target.name).hex(),
            "original": printable_name(relative_name),
            "original_bytes": os.fsencode(relative_name).hex(),
            "sha256": sha256,
            "bytes": path.stat().st_size,
            "stage": failure.stage,
            "exit_code": failure.exit_code,
            "timed_out": failure.timed_out,
            "reason": printable(failure.reason),
            "advice": printable(failure.advice),
            "stderr": [printable(line) for line in failure.stderr_tail],
            "attempts": failure.attempts,
            "when": failure.when,
        },
    )
    move_video(path, target, sha256)
    return target


def meta_path(video: Path) -> Path:
    """Return the meta file of a quarantined video; a name too long for the suffix is cut."""
    name = f"{video.name}{META_SUFFIX}"
    if len(os.fsencode(name)) > _MAX_NAME_BYTES:
        raw_name = os.fsencode(video.name)
        mark = f"-{hashlib.sha256(raw_name).hexdigest()[:8]}{META_SUFFIX}"
        name = raw_name[: _MAX_NAME_BYTES - len(mark)].decode("utf-8", "ignore") + mark
    return video.with_name(name)


class Quarantined(NamedTuple):
    """A video in quarantine, its meta file and what that says."""

    video: Path
    meta: Path
    content: dict[str, Any]


def quarantined(storage: Storage) -> Iterator[Quarantined]:
    """Yield everything in ``corrupted/``.

    A meta file that cannot be used is left out with a warning; so is one whose video is gone, silently.
    """
    for meta in sorted(storage.corrupted.rglob(f"*{META_SUFFIX}")):
        try:
            content = read_json(meta)
            _check_meta(content)
            video = meta.with_name(_decode(content["file_bytes"]))
        except (VvError, ValueError) as exc:
            get_logger("pipeline").warning("meta file %s is not usable: %s", meta.name, exc)
            continue
        if video.is_file() and not video.is_symlink():
            yield Quarantined(video, meta, content)


_META_FIELDS: dict[str, type] = {
    "file_bytes": str,
    "original_bytes": str,
    "sha256": str,
    "stage": str,
    "exit_code": int,
    "reason": str,
    "advice": str,
}


def _check_meta(content: Any) -> None:
    """Check what a meta file says: people may have had it in their hands.

    Raises:
        ValueError: it is not one of ours, or names a place outside of its folders.
    """
    if not isinstance(content, dict):
        raise ValueError("not an object")
    for name, kind in _META_FIELDS.items():
        if not isinstance(content.get(name), kind):
            raise ValueError(f"{name!r} is missing or wrong")
    if not _SHA256.fullmatch(content["sha256"]):
        raise ValueError("'sha256' is not a hash")
    stored, original = _decode(content["file_bytes"]), Path(_decode(content["original_bytes"]))
    if "/" in stored or original.is_absolute() or ".." in original.parts or not original.name:
        raise ValueError("it names a place outside of its folder")


def _decode(raw_hex: str) -> str:
    raw_name = bytes.fromhex(raw_hex)
    if b"\0" in raw_name:
        raise ValueError("a name holds a NUL byte")
    return os.fsdecode(raw_name)


_SHORTEST_HASH = 8


def find_quarantined(storage: Storage, names: Sequence[str]) -> list[Quarantined]:
    """Return the quarantined videos that are meant, each once.

    Args:
        storage: the folders.
        names: paths below ``corrupted/``, or hashes or their first 8 digits or more; empty: all.

    Raises:
        UsageError: a name fits nothing in quarantine.
    """
    entries = list(quarantined(storage))
    if not names:
        return entries
    return list(
        {entry.video: entry for entry in (_find(storage, entries, n) for n in names)}.values()
    )


def _find(storage: Storage, entries: Sequence[Quarantined], name: str) -> Quarantined:
    for entry in entries:
        is_hash = len(name) >= _SHORTEST_HASH and entry.content["sha256"].startswith(name)
        if is_hash or name in {entry.video.name, os.path.relpath(entry.video, storage.corrupted)}:
            return entry
    raise UsageError(
        f"nothing in quarantine is called {name!r}",
        advice="Name a file of corrupted/, or its hash; --quarantine lists them all.",
    )


def put_back(storage: Storage, entry: Quarantined) -> str:
    """Put a quarantined video back into ``input/``, under its own name where that is free.

    Returns:
        Its path below ``input/``.

    Raises:
        InputDataError: the file is no longer the video that was quarantined.
        VvError: it cannot be moved.
    """
    original, sha256 = _decode(entry.content["original_bytes"]), entry.content["sha256"]
    if not _has_content(entry.video, sha256):
        raise InputDataError(
            f"{printable(entry.video.name)!r} is no longer the video that was quarantined",
            advice="Move it into input/ by hand and remove its meta file.",
        )
    target = plan_place(storage.input, original, sha256)
    try:
        move_video(entry.video, target, sha256)
        entry.meta.unlink()
        fsync_directory(entry.meta.parent)
    except OSError as exc:
        raise from_oserror(exc, "put the video back", entry.video) from exc
    return os.path.relpath(target, storage.input)
