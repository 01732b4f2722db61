"""Bringing models without a network: from a file, or from a folder such as a USB stick's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vv_core.atomic import temp_name
from vv_core.clock import Clock
from vv_core.errors import (
    InputDataError,
    InputMissingError,
    TemporaryError,
    UsageError,
    from_oserror,
)
from vv_core.models.fetch import MAX_MODEL_BYTES
from vv_core.models.registry import SUFFIXES, Entry, Kind, Registry, is_model_name
from vv_core.models.store import (
    Installed,
    commit_file,
    list_installed,
    model_folder,
    newest,
    stamp,
)
from vv_core.utils import compute_sha256

MAX_LOOKED_AT = 5000
"""Most names that are looked at in a folder."""

_CHUNK_BYTES = 1024 * 1024
_RESERVE_BYTES = 256 * 1024 * 1024
_GGUF_MAGIC = b"GGUF"
_VERSION_CHARS = 12


@dataclass(frozen=True)
class Found:
    """A file that may be a model.

    Attributes:
        kind: by how its name ends.
    """

    path: Path
    kind: Kind
    sha256: str


@dataclass(frozen=True)
class Plan:
    """What to do with a file.

    Attributes:
        name, version: as which it is kept.
        file: the name that it gets.
        known_sha256: the hash that it must have; None where this is the first time.
        is_published: whether that hash stands in the registry.
    """

    found: Found
    name: str
    version: str
    file: str
    known_sha256: str | None
    is_published: bool


@dataclass(frozen=True)
class Imported:
    """What came of an import: the records that were made, and the files that nobody knows."""

    records: tuple[Installed, ...]
    unknown: tuple[Path, ...]


def import_models(
    source: Path, registry: Registry, models: Path, clock: Clock, *, name: str | None
) -> Imported:
    """Copy the models of a file or folder to this box.

    Args:
        source: a file, or a folder that is searched.
        registry: files are recognised by its hashes, else by its file names.
        models: the folder of models.
        name: as what to keep a single file that the registry does not know.

    Raises:
        UsageError: a name for a folder, or one that cannot be used.
        InputMissingError: there is no model.
        InputDataError: a file is not what its name says.
        VvError: it cannot be read or copied.
    """
    if name is not None and (not source.is_file() or not is_model_name(name)):
        raise UsageError(
            f"--name {name} needs a single file, and letters a-z, digits, dot and dash",
            advice="vv-models import FILE.gguf --name my-model",
        )
    files = list(find_models(source))
    if not files:
        raise InputMissingError(
            f"{str(source)!r} holds no model (.gguf, .pt)",
            advice="Name the file, or the folder that it is in.",
        )
    records, unknown = [], []
    for path, kind in files:
        found = Found(path, kind, compute_sha256(path))
        plan = plan_import(found, registry, list_installed(models), name)
        if plan is None:
            unknown.append(path)
            continue
        records.append(_copy(plan, models, clock))
    if not records:
        raise InputDataError(
            f"the registry knows none of {', '.join(repr(path.name) for path in unknown[:5])}",
            advice="Import one file with a name of its own: vv-models import FILE --name my-model",
        )
    return Imported(tuple(records), tuple(unknown))


def find_models(source: Path) -> Iterator[tuple[Path, Kind]]:
    """Yield the model files at a path, or below it; links are not followed."""
    below = [source] if source.is_file() else islice(source.rglob("*"), MAX_LOOKED_AT)
    for path in sorted(below):
        kind = kind_of(path)
        if kind is not None and path.is_file() and (path == source or not path.is_symlink()):
            yield path, kind


def kind_of(path: Path) -> Kind | None:
    """Return what a file may be a model for, by how its name ends."""
    return next((kind for kind, ends in SUFFIXES.items() if path.suffix.lower() in ends), None)


def plan_import(
    found: Found, registry: Registry, installed: list[Installed], name: str | None
) -> Plan | None:
    """Decide as what to keep a file; None where nobody knows it.

    Raises:
        InputDataError: it is named like a model with another published hash.
    """
    entries = [it for it in registry.entries if not it.is_shipped and it.kind == found.kind]
    for entry in entries:
        if entry.sha256 == found.sha256:
            return _planned(found, entry, entry.sha256)
    if name is not None:
        return Plan(found, name, found.sha256[:_VERSION_CHARS], found.path.name, None, False)
    for entry in entries:
        if entry.file_name.lower() == found.path.name.lower():
            return _by_name(found, entry, installed)
    return None


def _by_name(found: Found, entry: Entry, installed: list[Installed]) -> Plan:
    of_version = [record for record in installed if record.version == entry.version]
    record = newest(of_version, entry.name)
    known = entry.sha256 or (record.sha256 if record is not None else None)
    if known is not None and known != found.sha256:
        raise InputDataError(
            f"{str(found.path)!r} is named like {entry.name}, but has the hash {found.sha256}, not {known}",
            advice="The copy is damaged or another file: copy it again, or give it a name with --name.",
        )
    return _planned(found, entry, known)


def _planned(found: Found, entry: Entry, known: str | None) -> Plan:
    is_published = entry.sha256 is not None
    return Plan(found, entry.name, entry.version, entry.file_name, known, is_published)


def _copy(plan: Plan, models: Path, clock: Clock) -> Installed:
    """Copy a file, look at the copy, and give it its name."""
    folder = model_folder(models, plan.name, plan.version)
    source = plan.found.path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_source(source, folder)
        temporary = folder / temp_name(source.suffix)
        try:
            _copy_durably(source, temporary)
            record = _record(plan, compute_sha256(temporary), temporary, clock)
            # The copy must hold what was read the first time.
            known = plan.known_sha256 or plan.found.sha256
            return commit_file(temporary, folder, record, known_sha256=known)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as exc:
        raise from_oserror(exc, "import the model", source) from exc


def _record(plan: Plan, sha256: str, temporary: Path, clock: Clock) -> Installed:
    return Installed(
        name=plan.name,
        kind=plan.found.kind,
        version=plan.version,
        file=plan.file,
        sha256=sha256,
        size=temporary.stat().st_size,
        origin="published" if plan.is_published else "import",
        source=plan.found.path.name.encode("utf-8", "replace").decode("utf-8"),
        installed=stamp(clock),
    )


def _check_source(source: Path, folder: Path) -> None:
    size = source.stat().st_size
    with source.open("rb") as stream:
        magic = stream.read(len(_GGUF_MAGIC))
    if kind_of(source) == "summary" and magic != _GGUF_MAGIC:
        raise InputDataError(
            f"{str(source)!r} is not a GGUF file", advice="Import a model in the format GGUF."
        )
    if size > MAX_MODEL_BYTES:
        raise InputDataError(
            f"{str(source)!r} is larger than {MAX_MODEL_BYTES >> 30} GiB",
            advice="Import a smaller model.",
        )
    free = shutil.disk_usage(folder).free
    if free < size + _RESERVE_BYTES:
        raise TemporaryError(
            f"{(size + _RESERVE_BYTES) >> 20} MiB are needed in {str(folder)!r}, {free >> 20} MiB are free",
            advice="Free disk space (make status shows use), then import again.",
        )


def _copy_durably(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer, _CHUNK_BYTES)
        writer.flush()
        os.fsync(writer.fileno())
