"""Bringing a model of the registry onto this box, and exporting a detector for the fast path."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from vv_core.clock import Clock
from vv_core.errors import ConfigError, UsageError, VvError, from_exit_code, from_oserror
from vv_core.logs import get_logger
from vv_core.models.digest import loaded_digest
from vv_core.models.download import Download, Patience, Progress, Surroundings
from vv_core.models.registry import Entry
from vv_core.models.store import (
    Installed,
    check_installed,
    commit_file,
    model_folder,
    read_record,
    stamp,
    write_record,
)
from vv_core.models.transfer import Expected
from vv_core.process import run_child
from vv_core.settings import Settings
from vv_core.utils import compute_sha256

MAX_MODEL_BYTES = 16 * 1024**3
"""Largest model that is fetched where the registry states no size."""

EXPORT_TIMEOUT_S = 1800.0
_EXPORT_SUFFIX = "_openvino_model"


@dataclass(frozen=True)
class Fetched:
    """What came of a fetch.

    Attributes:
        was_there: nothing was fetched, the file is there with its hash.
        is_first: its hash was not known before and was recorded now.
    """

    record: Installed
    was_there: bool
    is_first: bool


def fetch_model(
    entry: Entry,
    models: Path,
    clock: Clock,
    *,
    progress: Progress = lambda _done, _total: None,
    patience: Patience | None = None,
    surroundings: Surroundings | None = None,
) -> Fetched:
    """Fetch a model, or go on with it; its hash is checked before it gets its name.

    Raises:
        UsageError: it is shipped.
        UnavailableError: the server does not bring it.
        InputDataError: its hash is not the expected one.
        VvError: the disk is full or cannot be written.
    """
    if entry.url is None:
        raise UsageError(
            f"{entry.name} is part of the product, there is nothing to fetch",
            advice=f"Check it with: vv-models verify {entry.name}",
        )
    folder = model_folder(models, entry.name, entry.version)
    _make_folder(folder)
    record = read_record(folder)
    known = entry.sha256 or (record.sha256 if record is not None else None)
    if (
        record is not None
        and record.sha256 == known
        and check_installed(models, record).state == "ok"
    ):
        return Fetched(record, was_there=True, is_first=False)
    expected = Expected(entry.url, entry.size, entry.size or MAX_MODEL_BYTES, known is not None)
    download = Download(folder / entry.file_name, expected, patience, surroundings, progress)
    part = download.run()
    if known is not None and compute_sha256(part) != known and download.was_resumed:
        # The beginning may be of another file than the end: once more, as a whole.
        get_logger("models").warning(
            "%s: the resumed file has a wrong hash, it starts anew", entry.name
        )
        download.discard()
        part = download.run()
    kept = _keep(part, folder, _record(entry, part, clock), known, download)
    return Fetched(kept, was_there=False, is_first=known is None)


def _record(entry: Entry, part: Path, clock: Clock) -> Installed:
    return Installed(
        name=entry.name,
        kind=entry.kind,
        version=entry.version,
        file=entry.file_name,
        sha256=compute_sha256(part),
        size=part.stat().st_size,
        origin="published" if entry.sha256 else "first_fetch",
        source=entry.url or "",
        installed=stamp(clock),
    )


def _keep(
    part: Path, folder: Path, record: Installed, known: str | None, download: Download
) -> Installed:
    try:
        kept = commit_file(part, folder, record, known_sha256=known)
        download.finish()
    except OSError as exc:
        raise from_oserror(exc, "keep the model", folder) from exc
    except VvError:
        # Its bytes are wrong: going on from them would never end well.
        download.discard()
        raise
    return kept


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise from_oserror(exc, "make the folder of the model", folder) from exc


def can_export() -> bool:
    """Tell whether ultralytics, which exports detectors, is installed."""
    return importlib.util.find_spec("ultralytics") is not None


def export_detector(settings: Settings, record: Installed) -> Installed:
    """Export a detector's weights to OpenVINO, unless that is done; return its record.

    Raises:
        ConfigError: ultralytics is not installed.
        VvError: the export failed.
    """
    folder = model_folder(settings.storage.models, record.name, record.version)
    loads = record.loads or f"{Path(record.file).stem}{_EXPORT_SUFFIX}"
    if record.loads_sha256 is not None and _is_exported(folder / loads, record.loads_sha256):
        return record
    if not can_export():
        raise ConfigError(
            f"{record.file} must be exported to OpenVINO, and ultralytics is not installed",
            advice="Install it (python3 bootstrap.py --rooms ultralytics), then run the same command again; "
            "or export on another machine and set VV_YOLO_MODEL to the folder.",
        )
    try:
        if (folder / loads).exists():
            shutil.rmtree(folder / loads)
        _run_export(settings, folder / record.file, folder / loads)
        exported = replace(record, loads=loads, loads_sha256=loaded_digest(folder / loads))
        write_record(folder, exported)
    except OSError as exc:
        raise from_oserror(exc, "export the detector", folder / loads) from exc
    return exported


def _is_exported(path: Path, sha256: str) -> bool:
    return path.exists() and loaded_digest(path) == sha256


def _run_export(settings: Settings, weights: Path, output: Path) -> None:
    result = run_child(
        [sys.executable, "-m", "scan_video.export", str(weights), str(output)],
        timeout_s=EXPORT_TIMEOUT_S,
        cwd=settings.home.absolute(),
    )
    if result.exit_code != 0:
        raise from_exit_code(
            result.exit_code,
            "\n".join(result.stderr_tail) or f"the export ended with {result.exit_code}",
            advice="Read the lines above and logs/app.log.",
        )
