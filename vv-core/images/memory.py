"""What is remembered about images between runs: ``orchestrator_data/images.json``; it may be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from vv_core.atomic import write_json_atomic
from vv_core.errors import InputDataError, InputMissingError, from_oserror
from vv_core.images.plan import Known
from vv_core.jsonio import read_json
from vv_core.logs import get_logger

_NAMES = {field.name for field in fields(Known)}


def load_known(path: Path) -> dict[str, Known]:
    """Return what is remembered by image name; nothing when the file is gone or of no use.

    Raises:
        TemporaryError: it cannot be read now.
    """
    try:
        document = read_json(path)
        return {name: _parse(raw) for name, raw in document.items()}
    except InputMissingError:
        return {}
    except (InputDataError, ValueError, AttributeError) as exc:
        get_logger("images").warning("what was remembered about images is of no use: %s", exc)
        return {}


def save_known(path: Path, known: Mapping[str, Known]) -> None:
    """Write it, durably.

    Raises:
        TemporaryError: the disk is full or closed.
    """
    try:
        write_json_atomic(path, {name: asdict(entry) for name, entry in sorted(known.items())})
    except OSError as exc:
        raise from_oserror(exc, "remember the images", path) from exc


def _parse(raw: object) -> Known:
    if not isinstance(raw, dict) or raw.keys() != _NAMES:
        raise ValueError("other fields")
    if not all(isinstance(value, str) for value in raw.values()):
        raise ValueError("a field is no text")
    return Known(**raw)
