"""``vv_ai_logs_YYYYMMDD.manifest.json``: what an archive of logs holds, and checking that it still does."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from vv_core import __version__
from vv_core.clock import format_utc
from vv_core.errors import InputDataError, InputMissingError, from_oserror
from vv_core.jsonio import read_json
from vv_core.log_export.packing import Member, hash_members
from vv_core.log_export.reading import Problem
from vv_core.log_export.selection import Day
from vv_core.utils import compute_sha256

SCHEMA: Final = "vv.log-export/1"
ARCHIVE_SUFFIX: Final = ".tar.gz"
MANIFEST_SUFFIX: Final = ".manifest.json"
_ADVICE = (
    "Keep it aside and find out who changed it; export the day again while its logs are there."
)


def build_manifest(
    archive: Path,
    members: Sequence[Member],
    problems: Sequence[Problem],
    *,
    day: Day,
    box: str,
    zone: str,
    now: datetime,
    size: int,
    sha256: str,
) -> dict[str, Any]:
    """Return the manifest of an archive of ``size`` bytes with the hash ``sha256``."""
    return {
        "schema": SCHEMA,
        "archive": archive.name,
        "archive_bytes": size,
        "archive_sha256": sha256,
        "exported": format_utc(now),
        "version": __version__,
        "box": box,
        "day": day.name.isoformat(),
        "time_zone": zone,
        "from": format_utc(day.start),
        "to": format_utc(day.end),
        "files": [
            {
                "name": member.name,
                "bytes": member.size,
                "sha256": member.sha256,
                "sources": member.sources,
                "redactions": member.redactions,
            }
            for member in sorted(members, key=lambda each: each.name)
        ],
        "unreadable": [{"file": path, "reason": reason} for path, reason in problems],
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest.

    Raises:
        InputDataError: it is none.
        VvError: it cannot be read.
    """
    document = read_json(path)
    if not _is_manifest(document):
        raise InputDataError(
            f"{str(path)!r} is no manifest of exported logs",
            advice="Name a file vv_ai_logs_YYYYMMDD.manifest.json.",
        )
    found: dict[str, Any] = document
    return found


def _is_manifest(document: Any) -> bool:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return False
    archive, files = document.get("archive"), document.get("files")
    if not isinstance(archive, str) or Path(archive).name != archive or not isinstance(files, list):
        return False
    return isinstance(document.get("archive_sha256"), str) and all(
        isinstance(file, dict)
        and isinstance(file.get("name"), str)
        and isinstance(file.get("sha256"), str)
        and isinstance(file.get("bytes"), int)
        for file in files
    )


def verify_export(path: Path) -> dict[str, Any]:
    """Check an archive, beside its manifest, against it, and return the manifest.

    1. The archive has the hash that the manifest names.
    2. It holds exactly the files that the manifest names.
    3. Each has the size and hash named.

    Raises:
        InputMissingError: manifest or archive are not there.
        InputDataError: one of these does not hold.
        VvError: it cannot be read.
    """
    document = read_manifest(path)
    archive = path.parent / document["archive"]
    if not archive.is_file():
        raise InputMissingError(
            f"the archive {str(archive)!r} is not there", advice="Put it beside its manifest."
        )
    if compute_sha256(archive) != document["archive_sha256"]:
        raise InputDataError(f"{str(archive)!r} is not the one of its manifest", advice=_ADVICE)
    named = {file["name"]: (file["bytes"], file["sha256"]) for file in document["files"]}
    try:
        found = hash_members(archive, len(document["files"]))
    except (tarfile.TarError, EOFError, zlib.error) as exc:
        raise InputDataError(f"{str(archive)!r} is damaged: {exc}", advice=_ADVICE) from exc
    except OSError as exc:
        raise from_oserror(exc, "read the archive", archive) from exc
    for name in sorted({*named, *found}):
        if named.get(name) != found.get(name):
            raise InputDataError(
                f"{name!r} in {str(archive)!r} is not the one of the manifest", advice=_ADVICE
            )
    return document


def holds_more(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Tell whether an export has something that the other one lacks: logs may have been removed meanwhile."""
    sizes = {file["name"]: file["bytes"] for file in new["files"]}
    return any(file["bytes"] > sizes.get(file["name"], -1) for file in old["files"])
