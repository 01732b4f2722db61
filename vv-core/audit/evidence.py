"""The video that a LogLine speaks of, hashed again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import open_regular
from vv_core.paths import renamed_with_hash

MATCHES = "matches"
ABSENT = "absent"
DIFFERS = "differs"
_CHUNK_BYTES = 1024 * 1024


def check_video(document: Mapping[str, Any], folder: str) -> str | None:
    """Hash the video of a LogLine again.

    Args:
        document: the LogLine.
        folder: where the videos lie, by the name in ``source`` or the last part of it.

    Returns:
        "matches", "differs" or "absent"; None for a line that names no video.
    """
    evidence, source = document.get("evidence"), document.get("source")
    due = evidence.get("video_sha256") if isinstance(evidence, dict) else None
    if not isinstance(due, str) or not isinstance(source, str):
        return None
    found = ABSENT
    for path in _possible_paths(folder, source, due):
        digest = _hash_video(path)
        if digest == due:
            return MATCHES
        if digest is not None:
            found = DIFFERS
    return found


def _possible_paths(folder: str, source: str, sha256: str) -> Iterator[str]:
    parts = PurePosixPath(source).parts
    # A name is not allowed to lead out of the folder.
    if not parts or any(part in {"/", "..", "."} or "\0" in part for part in parts):
        return
    names = dict.fromkeys((parts[-1], renamed_with_hash(parts[-1], sha256)))
    for name in names:
        for above in dict.fromkeys((parts[:-1], ())):
            path = folder
            for part in above:
                path = os.path.join(path, part)
                if Path(path).is_symlink():
                    break
            else:
                yield os.path.join(path, name)


def _hash_video(path: str) -> str | None:
    try:
        descriptor, _ = open_regular(path)
    except (MalformedError, OSError, ValueError):
        return None
    digest = hashlib.sha256()
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
        except OSError:
            return None
    return digest.hexdigest()
