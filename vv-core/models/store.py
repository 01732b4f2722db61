"""Where model files lie: ``models/<name>/<version>/``, each with a record of its hash.

The record is written before the file gets its name. A record without its file is a hash that is known:
the next fetch must bring the same bytes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from vv_core.atomic import fsync_directory, write_json_atomic
from vv_core.clock import Clock, format_utc
from vv_core.errors import ConfigError, InputDataError, TemporaryError, VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.models.registry import KINDS, Kind
from vv_core.utils import compute_sha256

SCHEMA = "vv.models.installed/1"
RECORD_NAME = "model.json"
LOCK_NAME = ".lock"
MAX_MODELS = 200
"""Most records that are read."""

Origin = Literal["published", "first_fetch", "import"]
"""How the hash is known: from the registry, from the first fetch, or from the file that was imported."""

State = Literal["ok", "missing", "changed"]

_MAX_RECORD_BYTES = 64 * 1024
_NEEDED = ("name", "kind", "version", "file", "sha256", "size", "origin", "source", "installed")


@dataclass(frozen=True)
class Installed:
    """The record of a model file.

    Attributes:
        name, kind, version: as in the registry.
        file: its name in its folder.
        sha256: of the file; `size` in bytes.
        origin: how the hash is known.
        source: where it came from: a URL, or the name of an imported file.
        installed: when, UTC.
        loads: what a stage loads instead of the file, such as an exported folder; its hash is `loads_sha256`.
    """

    name: str
    kind: Kind
    version: str
    file: str
    sha256: str
    size: int
    origin: Origin
    source: str
    installed: str
    loads: str | None = None
    loads_sha256: str | None = None


@dataclass(frozen=True)
class Check:
    """What came of hashing a model file again.

    Attributes:
        state: "changed" when its hash is not the recorded one.
        found: the hash that was found; None when the file is missing.
    """

    installed: Installed
    state: State
    found: str | None


def model_folder(models: Path, name: str, version: str) -> Path:
    """Return the folder of one version of a model."""
    return models / name / version


def read_record(folder: Path) -> Installed | None:
    """Return the record in a model's folder; None where there is none.

    Raises:
        ConfigError: there is something else.
    """
    path = folder / RECORD_NAME
    if not path.exists():
        return None
    try:
        return parse_record(read_json(path, max_bytes=_MAX_RECORD_BYTES))
    except ValueError as exc:
        problem = str(exc)
    except VvError as exc:
        problem = exc.message
    raise ConfigError(
        f"{str(path)!r} is not the record of a model: {problem}",
        advice="Move that folder away and fetch or import the model again.",
    )


def parse_record(raw: Any) -> Installed:
    """Return the content of a record.

    Raises:
        ValueError: it has another form.
    """
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise ValueError(f"it is not of the form {SCHEMA}")
    fields = {key: value for key, value in raw.items() if key != "schema"}
    if fields.keys() != {*_NEEDED, "loads", "loads_sha256"}:
        raise ValueError(f"a record needs {', '.join(_NEEDED)}, loads, loads_sha256")
    texts = {key: value for key, value in fields.items() if key != "size"}
    if not all(isinstance(texts[key], str) and texts[key] for key in texts if key in _NEEDED):
        raise ValueError("a text is missing")
    if not all(value is None or isinstance(value, str) for value in texts.values()):
        raise ValueError("loads must be a text or null")
    if type(fields["size"]) is not int or fields["size"] < 0:
        raise ValueError("size must be a whole number")
    if fields["kind"] not in KINDS or fields["origin"] not in get_args(Origin):
        raise ValueError("kind or origin is not known")
    if any(Path(name).name != name for name in (fields["file"], fields["loads"]) if name):
        raise ValueError("a file name leads out of the folder")
    return Installed(**fields)


def write_record(folder: Path, record: Installed) -> None:
    """Write a model's record, whole and durable.

    Raises:
        OSError: from the file system.
    """
    write_json_atomic(folder / RECORD_NAME, {"schema": SCHEMA, **asdict(record)})


def list_installed(models: Path) -> list[Installed]:
    """Return the records of all models, by name and version; at most `MAX_MODELS`.

    Raises:
        ConfigError: a record is damaged.
    """
    paths = sorted(islice(models.glob(f"*/*/{RECORD_NAME}"), MAX_MODELS))
    records = (read_record(path.parent) for path in paths)
    return [record for record in records if record is not None]


def newest(records: list[Installed], name: str) -> Installed | None:
    """Return the record of a name that was installed last."""
    of_name = [record for record in records if record.name == name]
    return max(of_name, key=lambda record: record.installed, default=None)


def installed_path(models: Path, record: Installed) -> Path:
    """Return where the file of a record is."""
    return model_folder(models, record.name, record.version) / record.file


def check_installed(models: Path, record: Installed) -> Check:
    """Hash a model file again.

    Raises:
        VvError: it cannot be read.
    """
    path = installed_path(models, record)
    if not path.is_file():
        return Check(record, "missing", None)
    found = compute_sha256(path)
    return Check(record, "ok" if found == record.sha256 else "changed", found)


def commit_file(
    complete: Path, folder: Path, record: Installed, *, known_sha256: str | None
) -> Installed:
    """Give a complete file its name and keep its record; both durable.

    Args:
        complete: the file, on the same file system, with the content that `record` states.
        folder: the model's.
        record: what to keep.
        known_sha256: the hash that it must have; None where this is the first time.

    Raises:
        InputDataError: the hash is another one; nothing was changed.
        OSError: from the file system.
    """
    if known_sha256 is not None and record.sha256 != known_sha256:
        raise InputDataError(
            f"{record.file!r} has the hash {record.sha256}, not the expected {known_sha256}",
            advice="Do not use it. Fetch it again; if that ends the same way, the source has changed its file.",
        )
    before = read_record(folder)
    if before is not None and before.sha256 == record.sha256:
        record = replace(
            record, origin=before.origin, loads=before.loads, loads_sha256=before.loads_sha256
        )
    complete.chmod(0o644)
    write_record(folder, record)
    os.replace(complete, folder / record.file)
    fsync_directory(folder)
    return record


def stamp(clock: Clock) -> str:
    """Return the current time as records hold it."""
    return format_utc(clock.now())


@contextmanager
def models_lock(models: Path) -> Iterator[None]:
    """Hold the folder of models for one command that changes it.

    Raises:
        TemporaryError: another command holds it.
        VvError: the folder cannot be made or written.
    """
    try:
        models.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(models / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as exc:
        raise from_oserror(exc, "use the folder of models", models) from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TemporaryError(
            "another vv-models is changing the models", advice="Wait until it has ended."
        ) from None
    finally:
        os.close(descriptor)
