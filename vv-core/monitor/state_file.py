"""The monitor's state on disk: whole or not at all, and free to be deleted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from vv_core.atomic import write_json_atomic
from vv_core.errors import InputDataError, InputMissingError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.monitor.decision import MonitorState, Record

FOLDER = "monitor"
"""Below orchestrator_data/: all that the monitor writes, so that its container needs nothing else there."""

_VERSION = 1
_MAX_BYTES = 4 * 1024 * 1024
_KINDS: dict[str, tuple[type, ...]] = {
    "container_id": (str,),
    "bad_looks": (int,),
    "attempts": (int,),
    "next_attempt_at": (int, float),
    "well_since": (int, float, type(None)),
    "restart_count": (int,),
    "problem": (str,),
    "gave_up_at": (int, float),
    "is_told": (bool,),
}


def load_state(path: Path) -> MonitorState:
    """Return the state of the last look; a fresh one when there is none that can be used.

    Raises:
        TemporaryError: it is there and cannot be read now.
    """
    try:
        return _parse(read_json(path, max_bytes=_MAX_BYTES))
    except InputMissingError:
        return MonitorState()
    except (InputDataError, ValueError) as exc:
        # Attempts made so far are forgotten; better that than a monitor that never looks again.
        get_logger("monitor").warning("the monitor's state is not usable, starting afresh: %s", exc)
        return MonitorState()


def save_state(path: Path, state: MonitorState) -> None:
    """Write the state, durably.

    Raises:
        OSError: from the file system.
    """
    document = {
        "version": _VERSION,
        "engine_failures": state.engine_failures,
        "engine_failed_at": state.engine_failed_at,
        "is_engine_told": state.is_engine_told,
        "containers": {name: asdict(record) for name, record in sorted(state.records.items())},
    }
    write_json_atomic(path, document)


def _parse(document: Any) -> MonitorState:
    """Return the state in a document.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ValueError("not a state of this version")
    containers = document.get("containers")
    failures, is_told = document.get("engine_failures"), document.get("is_engine_told")
    failed_at = document.get("engine_failed_at")
    if not isinstance(containers, dict) or type(failures) is not int or type(is_told) is not bool:
        raise ValueError("fields are missing")
    if isinstance(failed_at, bool) or not isinstance(failed_at, int | float):
        raise ValueError("engine_failed_at is missing")
    records = {name: _parse_record(name, raw) for name, raw in containers.items()}
    return MonitorState(records, failures, failed_at, is_told)


def _parse_record(name: str, raw: Any) -> Record:
    if not isinstance(raw, dict) or raw.keys() != _KINDS.keys():
        raise ValueError(f"the record of {name!r} has other fields")
    for field, kinds in _KINDS.items():
        if type(raw[field]) not in kinds:
            raise ValueError(f"{field} of {name!r} is a {type(raw[field]).__name__}")
    return Record(**raw)
