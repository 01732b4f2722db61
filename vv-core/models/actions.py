"""What each sub-command of ``vv-models`` does, and what it tells."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vv_core.errors import TemporaryError, UsageError, from_oserror
from vv_core.models.active import active_summary_model, read_active
from vv_core.models.bench import BenchResult, bench_model, require_summary
from vv_core.models.desk import Desk, Told
from vv_core.models.download import Progress
from vv_core.models.fetch import Fetched, can_export, fetch_model
from vv_core.models.metrics import ModelFigures, read_model_metrics
from vv_core.models.offline import import_models
from vv_core.models.registry import Entry, shipped_path
from vv_core.models.rows import BoxView, build_rows, row_document, row_lines
from vv_core.models.store import list_installed, models_lock
from vv_core.models.switch import Switched, activate, find_candidate, rollback
from vv_core.settings import Settings
from vv_core.utils import compute_sha256

_MIB = 1024 * 1024


def list_models(desk: Desk, _arguments: argparse.Namespace) -> Told:
    """Show all models."""
    settings = desk.settings
    present = {
        entry.name: compute_sha256(shipped_path(entry))
        for entry in desk.registry.entries
        if entry.is_shipped and shipped_path(entry).is_file()
    }
    figures = _figures(settings)
    box = BoxView(list_installed(desk.models), read_active(desk.models), present, figures)
    rows = build_rows(desk.registry, box, settings.language)
    document = {
        "models": [row_document(row) for row in rows],
        "overridden_by_settings": overriding(settings),
        "metrics": [asdict(it) for it in figures],
    }
    lines = [(line, line) for line in row_lines(rows, settings.language)]
    return Told(document, (*lines, *_override_lines(settings)))


def _figures(settings: Settings) -> list[ModelFigures]:
    if not settings.storage.orchestrator_data.is_dir():
        return []
    try:
        return read_model_metrics(settings.storage)
    except OSError as exc:
        raise from_oserror(exc, "look at the summaries") from exc
    except sqlite3.Error as exc:
        raise TemporaryError(
            f"the figures of the models cannot be kept: {exc}",
            advice="Run it as the user of the service.",
        ) from exc


def overriding(settings: Settings) -> list[str]:
    """Return the variables that win over what was activated."""
    pairs = (
        ("VV_SUMMARY_MODEL", settings.summary_model),
        ("VV_YOLO_MODEL", settings.yolo_model),
        ("VV_MONITOR_MODEL_FILE", settings.monitor_model_file),
    )
    return [name for name, value in pairs if value is not None]


def _override_lines(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in overriding(settings):
        yield (
            f"! {name} está definida e vale mais do que o que foi ativado.",
            f"! {name} is set and wins over what was activated.",
        )


def fetch(desk: Desk, arguments: argparse.Namespace) -> Told:
    """Download models."""
    entries = [desk.registry.get(name) for name in arguments.names]
    documents: list[dict[str, Any]] = []
    lines: list[tuple[str, str]] = []
    with models_lock(desk.models):
        for entry in entries:
            with _progress_bar(entry) as progress:
                fetched = fetch_model(entry, desk.models, desk.clock, progress=progress)
            documents.append(
                {
                    **asdict(fetched.record),
                    "was_there": fetched.was_there,
                    "is_first": fetched.is_first,
                }
            )
            lines.extend(_fetched_lines(fetched))
    return Told({"fetched": documents}, tuple(lines))


def _fetched_lines(fetched: Fetched) -> Iterator[tuple[str, str]]:
    record = fetched.record
    size = f"{record.size / _MIB:.1f} MiB"
    if fetched.was_there:
        yield f"{record.name}: já está aqui, íntegro.", f"{record.name}: is here already, intact."
    else:
        yield f"{record.name}: baixado, {size}.", f"{record.name}: fetched, {size}."
    if fetched.is_first:
        yield (
            f"! Nenhum hash publicado: o deste arquivo foi registrado agora e vale daqui em diante: {record.sha256}",
            f"! No published hash: that of this file was recorded now and holds from here on: {record.sha256}",
        )
    if record.kind == "detector" and record.loads is None and not can_export():
        yield (
            "! Para usá-lo falta o ultralytics, que o exporta: python3 bootstrap.py --rooms ultralytics",
            "! To use it, ultralytics is needed, which exports it: python3 bootstrap.py --rooms ultralytics",
        )
    yield f"→ vv-models activate {record.name}", f"→ vv-models activate {record.name}"


@contextmanager
def _progress_bar(entry: Entry) -> Iterator[Progress]:
    """Yield a function that shows progress, when a person is watching."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from tqdm import tqdm  # only worth its import for a person

    with tqdm(total=entry.size, desc=entry.name, unit="B", unit_scale=True) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def activate_model(desk: Desk, arguments: argparse.Namespace) -> Told:
    """Try a model, then switch to it."""
    with models_lock(desk.models):
        switched = activate(desk.settings, desk.registry, arguments.name, desk.clock)
    return _switched(desk.settings, switched)


def rollback_model(desk: Desk, arguments: argparse.Namespace) -> Told:
    """Switch back to the model before."""
    with models_lock(desk.models):
        switched = rollback(desk.settings, arguments.kind)
    return _switched(desk.settings, switched)


def _switched(settings: Settings, switched: Switched) -> Told:
    now, before = switched.switch.current, switched.switch.previous
    names = tuple(f"{it.name} {it.version}" if it else None for it in (now, before))
    lines = []
    if switched.test is not None:
        test = switched.test
        lines.append(
            (
                f"teste: {test.kept} de {test.texts} aprovados, {test.seconds:.1f} s",
                f"test: {test.kept} of {test.texts} passed, {test.seconds:.1f} s",
            )
        )
    lines.append(
        (
            f"{switched.kind}: agora {names[0] or 'o padrão'}; antes {names[1] or 'o padrão'}",
            f"{switched.kind}: now {names[0] or 'the default'}; before {names[1] or 'the default'}",
        )
    )
    document = {
        "kind": switched.kind,
        "current": asdict(now) if now else None,
        "previous": asdict(before) if before else None,
        "test": asdict(switched.test) if switched.test else None,
        "overridden_by_settings": overriding(settings),
    }
    return Told(document, (*lines, *_override_lines(settings)))


def bench(desk: Desk, arguments: argparse.Namespace) -> Told:
    """Measure a model; without a name the one in use."""
    settings = desk.settings
    if arguments.name is None:
        path = active_summary_model(settings)
        if path is None:
            raise UsageError("no model is in use", advice="vv-models bench NAME")
        result = bench_model(settings, path.stem, path, compute_sha256(path), desk.clock)
    else:
        entry = desk.registry.find(arguments.name)
        if entry is not None:
            require_summary(entry.kind, entry.name)
        candidate = find_candidate(settings, desk.registry, arguments.name, desk.clock)
        require_summary(candidate.kind, candidate.name)
        assert candidate.path is not None
        result = bench_model(settings, candidate.name, candidate.path, candidate.sha256, desk.clock)
    return Told(asdict(result), _bench_lines(result))


def _bench_lines(result: BenchResult) -> tuple[tuple[str, str], ...]:
    share = f"{result.kept}/{result.texts}"
    memory = f"{result.peak_rss_bytes / _MIB:.0f} MiB"
    return (
        (
            f"{result.name}: {result.batch_scene_s:.2f} s por cena em lote, {result.cold_s:.2f} s a frio",
            f"{result.name}: {result.batch_scene_s:.2f} s a scene in a batch, {result.cold_s:.2f} s cold",
        ),
        (f"mantidos: {share}; memória: {memory}", f"kept: {share}; memory: {memory}"),
    )


def import_files(desk: Desk, arguments: argparse.Namespace) -> Told:
    """Bring models from a file or a folder."""
    source: Path = arguments.source.absolute()
    with models_lock(desk.models):
        imported = import_models(
            source, desk.registry, desk.models, desk.clock, name=arguments.name
        )
    lines = [
        (f"{it.name} {it.version}: importado", f"{it.name} {it.version}: imported")
        for it in imported.records
    ]
    lines += [
        (f"! {path.name}: não está na lista", f"! {path.name}: is not in the list")
        for path in imported.unknown
    ]
    document = {
        "imported": [asdict(it) for it in imported.records],
        "unknown": [path.name.encode("utf-8", "replace").decode() for path in imported.unknown],
    }
    return Told(document, tuple(lines))
