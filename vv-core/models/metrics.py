"""How each model has been doing, from the summaries that the box has written.

The figures of each summary are kept in ``orchestrator_data/model_metrics.sqlite``, so that they survive the
summaries and nothing is read twice. Like all history there it may be deleted at any time.
"""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from vv_core.errors import VvError
from vv_core.jsonio import read_json
from vv_core.paths import Storage
from vv_core.pipeline.database import open_database

FILE_NAME = "model_metrics.sqlite"
MAX_NEW = 2000
"""Most summaries that one call reads; the next call goes on."""
MAX_ROWS = 20_000
"""Most summaries that the figures are of: the latest."""

_MAX_LISTED = 500_000
_MAX_SUMMARY_BYTES = 1024 * 1024
_SUFFIX = ".summary.json"
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS texts(
    file TEXT PRIMARY KEY, mtime_ns INTEGER, model TEXT, model_hash TEXT, kept INTEGER,
    first_try INTEGER, seconds REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS texts_mtime ON texts(mtime_ns);
"""


@dataclass(frozen=True)
class TextFigures:
    """What one summary says about the model that was asked.

    Attributes:
        model, model_hash: which; both None where the rules alone wrote.
        kept: the model's text passed the check.
        first_try: at the first attempt.
        seconds: that the text took.
    """

    model: str | None
    model_hash: str | None
    kept: bool
    first_try: bool
    seconds: float


@dataclass(frozen=True)
class ModelFigures:
    """How one version of a model has been doing.

    Attributes:
        model, model_hash: which; None for the rules alone.
        summaries: that it was asked for.
        kept_share: of these, written by the model and kept after the check, 0 to 1; the rest fell back
            to the rules.
        first_try_share: kept at the first attempt, 0 to 1.
        median_s, p95_s: time of a text, seconds.
    """

    model: str | None
    model_hash: str | None
    summaries: int
    kept_share: float
    first_try_share: float
    median_s: float
    p95_s: float


def model_metrics(texts: Iterable[TextFigures]) -> list[ModelFigures]:
    """Sum figures up by model and hash, the most used first."""
    groups: dict[tuple[str | None, str | None], list[TextFigures]] = defaultdict(list)
    for text in texts:
        groups[text.model, text.model_hash].append(text)
    figures = [_sum_up(key, those) for key, those in groups.items()]
    return sorted(figures, key=lambda it: (-it.summaries, it.model or "", it.model_hash or ""))


def _sum_up(key: tuple[str | None, str | None], texts: list[TextFigures]) -> ModelFigures:
    seconds = sorted(text.seconds for text in texts)
    count = len(texts)
    return ModelFigures(
        model=key[0],
        model_hash=key[1],
        summaries=count,
        kept_share=round(sum(text.kept for text in texts) / count, 4),
        first_try_share=round(sum(text.first_try for text in texts) / count, 4),
        median_s=round(statistics.median(seconds), 3),
        p95_s=round(seconds[-(-95 * count // 100) - 1], 3),  # nearest rank
    )


def figures_of(summary: Mapping[str, Any]) -> TextFigures | None:
    """Return what a summary document says about its model; None where it does not say it."""
    engine, grounding = summary.get("engine"), summary.get("grounding")
    if not isinstance(engine, dict) or not isinstance(grounding, dict):
        return None
    model, model_hash, seconds = (engine.get(key) for key in ("model", "model_hash", "elapsed_s"))
    if not isinstance(seconds, int | float) or not isinstance(model, str | None):
        return None
    if not isinstance(model_hash, str | None):
        return None
    kept = grounding.get("path") == "model"
    # Documents of versions that asked only once do not list the attempts.
    attempts = grounding.get("attempts", [None])
    is_first = kept and isinstance(attempts, list) and len(attempts) <= 1
    return TextFigures(model, model_hash, kept, is_first, float(seconds))


def read_model_metrics(storage: Storage) -> list[ModelFigures]:
    """Note the summaries that are new and return the figures of all.

    Raises:
        OSError: the folder of summaries cannot be listed.
        sqlite3.Error: the figures cannot be read or kept.
    """
    with closing(
        open_database(storage.orchestrator_data / FILE_NAME, _SCHEMA, _VERSION)
    ) as connection:
        known = dict(connection.execute("SELECT file, mtime_ns FROM texts"))
        rows = []
        for name, mtime_ns in islice(_new_files(storage.summaries, known), MAX_NEW):
            figures = _read_figures(storage.summaries / name)
            # One that cannot be used is noted too, so that it is not read again.
            values = (None, None, None, None, None) if figures is None else _values(figures)
            rows.append((name, mtime_ns, *values))
        with connection:
            connection.executemany("INSERT OR REPLACE INTO texts VALUES(?,?,?,?,?,?,?)", rows)
            connection.execute(
                "DELETE FROM texts WHERE file NOT IN"
                " (SELECT file FROM texts ORDER BY mtime_ns DESC LIMIT ?)",
                (2 * MAX_ROWS,),
            )
        kept = connection.execute(
            "SELECT model, model_hash, kept, first_try, seconds FROM texts"
            " WHERE seconds IS NOT NULL ORDER BY mtime_ns DESC LIMIT ?",
            (MAX_ROWS,),
        ).fetchall()
    return model_metrics(
        TextFigures(model, sha256, bool(is_kept), bool(first), seconds)
        for model, sha256, is_kept, first, seconds in kept
    )


def _new_files(folder: Path, known: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the summaries that are not known as they are, the latest first."""
    try:
        with os.scandir(folder) as listing:
            found = [
                (entry.name, entry.stat(follow_symlinks=False).st_mtime_ns)
                for entry in islice(listing, _MAX_LISTED)
                if entry.name.endswith(_SUFFIX) and _is_storable(entry.name)
            ]
    except FileNotFoundError:
        return []
    new = [(name, mtime_ns) for name, mtime_ns in found if known.get(name) != mtime_ns]
    return sorted(new, key=lambda it: -it[1])


def _is_storable(name: str) -> bool:
    """Tell whether SQLite takes a name: bytes that are not UTF-8 it does not."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _read_figures(path: Path) -> TextFigures | None:
    try:
        summary = read_json(path, max_bytes=_MAX_SUMMARY_BYTES)
    except VvError:
        return None
    return figures_of(summary) if isinstance(summary, dict) else None


def _values(figures: TextFigures) -> tuple[str | None, str | None, int, int, float]:
    return (
        figures.model,
        figures.model_hash,
        int(figures.kept),
        int(figures.first_try),
        figures.seconds,
    )
