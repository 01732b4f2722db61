"""Which model is in use: what the settings say, else what was activated, else the shipped one.

``models/active.json`` holds, for each kind, the current choice and the one before. ``null`` stands for the
default: the shipped model, or for the detector the embedded one. It is replaced whole, so that a reader
finds the old choice or the new one.
"""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vv_core.errors import ConfigError, VvError
from vv_core.jsonio import read_json
from vv_core.models.registry import SWITCHED, Kind, shipped_path
from vv_core.models.registry_file import load_registry
from vv_core.models.shipped import check_shipped
from vv_core.settings import Settings

SCHEMA = "vv.models.active/1"
FILE_NAME = "active.json"
OFF = "none"
"""Value of VV_SUMMARY_MODEL and VV_YOLO_MODEL that switches the model off."""

_MAX_BYTES = 64 * 1024
_TEXTS = ("name", "version", "file", "sha256", "since")


@dataclass(frozen=True)
class Choice:
    """A model that was activated.

    Attributes:
        name: of the model; `version` of its weights.
        file: what a stage loads, a file or folder, relative to the folder of models.
        sha256: of what is loaded, as documents name it.
        since: when it was activated, UTC.
    """

    name: str
    version: str
    file: str
    sha256: str
    since: str


@dataclass(frozen=True)
class Switch:
    """The choice for one kind, and the one before; None is the default."""

    current: Choice | None = None
    previous: Choice | None = None


def active_summary_model(settings: Settings) -> Path | None:
    """Return the GGUF that writes, or None for the rule-based text.

    ``VV_SUMMARY_MODEL`` wins (`OFF` switches the model off), then what was activated, then the shipped
    model where it is there and llama-cpp-python is installed.

    Raises:
        ConfigError: the registry or ``active.json`` is wrong, or the activated file is gone.
    """
    if settings.summary_model is not None:
        return _from_setting(settings, settings.summary_model)
    choice = read_active(settings.storage.models).get("summary", Switch()).current
    if choice is not None:
        return _chosen_path(settings, "summary", choice)
    if importlib.util.find_spec("llama_cpp") is None:
        return None
    entry = load_registry(settings).shipped("summary")
    path = shipped_path(entry) if entry is not None else None
    return path if path is not None and path.is_file() else None


def active_diagnosis_model(settings: Settings) -> Path | None:
    """Return the GGUF that the monitor asks where its rules know nothing, or None where nothing runs it.

    ``VV_MONITOR_MODEL_FILE`` wins, then the shipped model, which is hashed before it is loaded.

    Raises:
        ConfigError: the registry is wrong, or ships no such model.
        InputMissingError: the shipped model is not there.
        InputDataError: it is not the one that was shipped.
    """
    if importlib.util.find_spec("llama_cpp") is None:
        return None
    if settings.monitor_model_file is not None:
        return settings.resolve(settings.monitor_model_file)
    entry = load_registry(settings).shipped("diagnosis")
    if entry is None:
        raise ConfigError(
            "the list of models ships none for the diagnosis",
            advice="Set VV_MONITOR_MODEL_FILE, or VV_MONITOR_MODEL=false.",
        )
    check_shipped(entry)
    return shipped_path(entry)


def active_detector(settings: Settings) -> Path | None:
    """Return the weights that look, or None for the embedded default.

    ``VV_YOLO_MODEL`` wins (`OFF` is the embedded default), then what was activated.

    Raises:
        ConfigError: ``active.json`` is wrong, or the activated weights are gone.
    """
    if settings.yolo_model is not None:
        return _from_setting(settings, settings.yolo_model)
    choice = read_active(settings.storage.models).get("detector", Switch()).current
    return None if choice is None else _chosen_path(settings, "detector", choice)


def _from_setting(settings: Settings, value: Path) -> Path | None:
    return None if str(value).lower() == OFF else settings.resolve(value)


def _chosen_path(settings: Settings, kind: Kind, choice: Choice) -> Path:
    path = settings.storage.models / choice.file
    if not path.exists():
        raise ConfigError(
            f"the {kind} model that was activated ({choice.name} {choice.version}) is gone: {str(path)!r}",
            advice=f"Fetch it again (vv-models fetch {choice.name}), or run vv-models rollback {kind}.",
        )
    return path


def read_active(folder: Path) -> dict[Kind, Switch]:
    """Return what was activated, by kind; nothing where nothing was.

    Args:
        folder: of models.

    Raises:
        ConfigError: ``active.json`` cannot be read or has another form.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    try:
        return parse_active(read_json(path, max_bytes=_MAX_BYTES))
    except ValueError as exc:
        problem = str(exc)
    except VvError as exc:
        problem = exc.message
    raise ConfigError(
        f"{str(path)!r} does not say which models are active: {problem}",
        advice="Remove it to use the shipped models, then activate yours again with vv-models.",
    )


def parse_active(raw: Any) -> dict[Kind, Switch]:
    """Return the content of ``active.json``.

    Raises:
        ValueError: it has another form.
    """
    if not isinstance(raw, dict) or raw.keys() != {"schema", "kinds"} or raw["schema"] != SCHEMA:
        raise ValueError(f"it is not of the form {SCHEMA}")
    kinds = raw["kinds"]
    if not isinstance(kinds, dict) or not kinds.keys() <= set(SWITCHED):
        raise ValueError("it names unknown kinds of models")
    return {kind: _parse_switch(kinds[kind]) for kind in SWITCHED if kind in kinds}


def _parse_switch(raw: Any) -> Switch:
    if not isinstance(raw, dict) or raw.keys() != {"current", "previous"}:
        raise ValueError("a kind needs current and previous")
    return Switch(_parse_choice(raw["current"]), _parse_choice(raw["previous"]))


def _parse_choice(raw: Any) -> Choice | None:
    if raw is None:
        return None
    if not isinstance(raw, dict) or raw.keys() != set(_TEXTS):
        raise ValueError(f"a choice needs {', '.join(_TEXTS)}")
    if not all(isinstance(text, str) and text for text in raw.values()):
        raise ValueError("all values of a choice are texts")
    file = PurePosixPath(raw["file"])
    if file.is_absolute() or ".." in file.parts or "\0" in raw["file"]:
        raise ValueError(f"{raw['file']!r} is not inside the folder of models")
    return Choice(**raw)


def active_document(switches: dict[Kind, Switch]) -> dict[str, Any]:
    """Return the content of ``active.json``; `parse_active` reads it."""
    return {"schema": SCHEMA, "kinds": {kind: asdict(switches[kind]) for kind in switches}}
