"""How the box is doing, as data: what ``/status`` answers. A part that cannot be told is named, the others are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from tv_ui.health import ALL_FILE, PLAYLIST_SERVICE, find_health_problems
from vv_core import __version__
from vv_core.alerts import read_alerts
from vv_core.clock import format_utc
from vv_core.errors import InputMissingError, VvError
from vv_core.heartbeat import find_problem, read_heartbeat
from vv_core.jsonio import read_json
from vv_core.metrics import collect_metrics
from vv_core.paths import Storage
from vv_core.pipeline.history import History
from vv_core.settings import Settings
from vv_core.tlog.own_log import open_own_log

SHOWN_ALERTS = 20
_Told = TypeVar("_Told")


def collect_box_status(
    settings: Settings, now: datetime, screens: list[dict[str, Any]]
) -> dict[str, Any]:
    """Look at the box; nothing is written.

    Args:
        settings: of this box.
        now: the current time.
        screens: as `ScreenWatch.view` tells of them.
    """
    storage = settings.storage
    problems = find_health_problems(storage, now)

    def tell(look: Callable[[], _Told]) -> _Told | None:
        try:
            return look()
        except VvError as exc:
            problems.append(f"{exc.message} → {exc.advice}")
        except (OSError, sqlite3.Error) as exc:
            problems.append(str(exc))
        return None

    alerts = tell(lambda: read_alerts(storage.orchestrator_data / "alerts.jsonl"))
    services = _services(storage, now)
    told = (each["problem"] for name, each in services.items() if name != PLAYLIST_SERVICE)
    problems += [problem for problem in told if problem]
    problems += [
        f"{each['tv']}/{each['screen']}: {each['problem']}" for each in screens if each["problem"]
    ]
    return {
        "time": format_utc(now),
        "box": settings.box,
        "version": __version__,
        "pipeline": tell(lambda: _pipeline(settings)),
        "playlists": tell(lambda: _playlists(storage, now)),
        "log": tell(lambda: _log_head(storage)),
        "services": services,
        "tvs": screens,
        "alerts": (alerts or [])[-SHOWN_ALERTS:],
        "problems": problems,
    }


def _pipeline(settings: Settings) -> dict[str, Any]:
    path = settings.storage.orchestrator_data / "orchestrator_db.sqlite"
    if not path.exists():
        raise InputMissingError(
            "no cycle has run yet", advice="Run the orchestrator: make once, or wait for cron."
        )
    with closing(History.view(path)) as history:
        metrics = collect_metrics(settings.storage, settings.orchestrator_patterns, history)
    return asdict(metrics)


def _playlists(storage: Storage, now: datetime) -> dict[str, Any]:
    found = {}
    for path in sorted(storage.playlists.glob("*.json")):
        document = read_json(path)
        changed = path.stat().st_mtime
        found[path.stem if path.name != ALL_FILE else "all"] = {
            "items": len(document["items"]),
            "unchanged_for_s": round(now.timestamp() - changed),
        }
    return found


def _log_head(storage: Storage) -> dict[str, Any]:
    head = open_own_log(storage.log).head
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}


def _services(storage: Storage, now: datetime) -> dict[str, Any]:
    return {
        path.stem: _service(path, now)
        for path in sorted(storage.services.glob("*.json"))
        if not path.name.startswith(".")
    }


def _service(path: Path, now: datetime) -> dict[str, Any]:
    try:
        heartbeat = read_heartbeat(path)
    except VvError as exc:
        return {"age_s": None, "problem": f"{exc.message} → {exc.advice}", "details": {}}
    return {
        "age_s": round((now - heartbeat.time).total_seconds()),
        "problem": find_problem(heartbeat, now),
        "details": heartbeat.details,
    }
