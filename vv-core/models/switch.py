"""The switch: verify, try, then replace ``active.json``; and the way back.

Everything that can fail comes before the one rename that switches.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import write_json_atomic
from vv_core.clock import Clock
from vv_core.errors import InputDataError, InputMissingError, UsageError, from_oserror
from vv_core.logs import get_logger
from vv_core.models.active import FILE_NAME, Choice, Switch, active_document, read_active
from vv_core.models.digest import loaded_digest
from vv_core.models.fetch import export_detector
from vv_core.models.registry import SWITCHED, Entry, Kind, Registry, shipped_path
from vv_core.models.shipped import check_shipped
from vv_core.models.smoke import SmokeTest, refuse, smoke_test_summary
from vv_core.models.smoke_detector import smoke_test_detector
from vv_core.models.store import Installed, check_installed, list_installed, newest, stamp
from vv_core.settings import Settings

EMBEDDED = "embedded"
"""Name of the detector without weights, for `activate`."""


@dataclass(frozen=True)
class Candidate:
    """A model that may be switched to.

    Attributes:
        path: what a stage loads; `sha256` its hash. None for the embedded detector.
        choice: what ``active.json`` will hold; None for a default.
        least_kept_percent: what it must reach on the fixed scenes.
    """

    name: str
    kind: Kind
    path: Path | None
    sha256: str
    choice: Choice | None
    least_kept_percent: int = 1


@dataclass(frozen=True)
class Switched:
    """What came of a switch; the test is None where there was nothing to try."""

    kind: Kind
    switch: Switch
    test: SmokeTest | None


def activate(settings: Settings, registry: Registry, name: str, clock: Clock) -> Switched:
    """Switch to a model, after its hash was checked and it was tried.

    Raises:
        InputMissingError: it is not here.
        UsageError: models of its kind are not switched.
        InputDataError: its hash is wrong, or it did not pass the test; nothing was changed.
        VvError: it could not be tried, or the switch not be written.
    """
    candidate = find_candidate(settings, registry, name, clock)
    if candidate.kind not in SWITCHED:
        raise UsageError(
            f"{name} is for the monitor's diagnosis, which is not switched",
            advice="Name another file with VV_MONITOR_MODEL_FILE.",
        )
    test = _try(settings, candidate)
    if test is not None and not test.is_passed:
        raise refuse(name, candidate.kind, test)
    switches = read_active(settings.storage.models)
    before = switches.get(candidate.kind, Switch())
    if _is_same(before.current, candidate.choice):
        return Switched(candidate.kind, before, test)
    switch = Switch(candidate.choice, before.current)
    _write(settings, {**switches, candidate.kind: switch})
    return Switched(candidate.kind, switch, test)


def find_candidate(settings: Settings, registry: Registry, name: str, clock: Clock) -> Candidate:
    """Return a model that is here and whose hash is right.

    Raises:
        InputMissingError: it is not here.
        InputDataError: its hash is not the recorded one.
        VvError: a detector cannot be exported.
    """
    if name == EMBEDDED:
        return Candidate(name, "detector", None, "", None)
    entry = registry.find(name)
    if entry is not None and entry.is_shipped:
        path = shipped_path(entry)
        return Candidate(name, entry.kind, path, check_shipped(entry), None, entry.min_kept_percent)
    record = _installed(settings, registry, entry, name)
    if check_installed(settings.storage.models, record).state != "ok":
        raise InputDataError(
            f"{record.name} {record.version} is not what was recorded (vv-models verify {record.name})",
            advice=f"Fetch it again: vv-models fetch {record.name}. Nothing was changed.",
        )
    if record.kind == "detector":
        record = export_detector(settings, record)
    return _candidate(settings, record, entry, clock)


def rollback(settings: Settings, kind: Kind | None) -> Switched:
    """Switch back to the model before, in one step; once more and it is undone.

    Args:
        kind: which; may be left out where only one was ever switched.

    Raises:
        UsageError: the kind is needed, or nothing was switched.
        InputDataError: the model before is gone or damaged; nothing was changed.
    """
    switches = read_active(settings.storage.models)
    chosen = kind if kind is not None else _only_kind(switches)
    if chosen not in switches:
        raise UsageError(
            f"there is no earlier {chosen} model to go back to",
            advice="vv-models list shows what is in use.",
        )
    now = switches[chosen]
    if now.previous is not None:
        _check_choice(settings.storage.models, now.previous)
    switch = Switch(now.previous, now.current)
    _write(settings, {**switches, chosen: switch})
    return Switched(chosen, switch, None)


def _only_kind(switches: dict[Kind, Switch]) -> Kind:
    if len(switches) == 1:
        return next(iter(switches))
    raise UsageError(
        "name what to roll back" if switches else "nothing was switched yet",
        advice=f"vv-models rollback {' or '.join(SWITCHED)}",
    )


def _check_choice(models: Path, choice: Choice) -> None:
    path = models / choice.file
    if not path.exists() or loaded_digest(path) != choice.sha256:
        raise InputDataError(
            f"the earlier model {choice.name} {choice.version} is gone or changed: {str(path)!r}",
            advice="Nothing was changed. Fetch it again, or activate another one (vv-models list).",
        )


def _installed(settings: Settings, registry: Registry, entry: Entry | None, name: str) -> Installed:
    records = list_installed(settings.storage.models)
    if entry is not None:
        records = [record for record in records if record.version == entry.version]
    record = newest(records, name)
    if record is not None:
        return record
    if entry is None:
        registry.get(name)
    raise InputMissingError(
        f"{name} is not on this box", advice=f"Bring it first: vv-models fetch {name}"
    )


def _candidate(
    settings: Settings, record: Installed, entry: Entry | None, clock: Clock
) -> Candidate:
    loads, sha256 = record.file, record.sha256
    if record.loads is not None and record.loads_sha256 is not None:
        loads, sha256 = record.loads, record.loads_sha256
    file = f"{record.name}/{record.version}/{loads}"
    choice = Choice(record.name, record.version, file, sha256, stamp(clock))
    least = entry.min_kept_percent if entry is not None else 1
    path = settings.storage.models / file
    return Candidate(record.name, record.kind, path, sha256, choice, least)


def _try(settings: Settings, candidate: Candidate) -> SmokeTest | None:
    if candidate.path is None:
        return None
    if candidate.kind == "detector":
        return smoke_test_detector(settings, candidate.path, candidate.sha256)
    return smoke_test_summary(
        settings, candidate.path, candidate.sha256, candidate.least_kept_percent
    )


def _is_same(one: Choice | None, other: Choice | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.file, one.sha256) == (other.file, other.sha256)


def _write(settings: Settings, switches: dict[Kind, Switch]) -> None:
    path = settings.storage.models / FILE_NAME
    try:
        write_json_atomic(path, active_document(switches))
    except OSError as exc:
        raise from_oserror(exc, "write which models are active", path) from exc
    fields = {
        kind: switch.current.name if switch.current else "default"
        for kind, switch in switches.items()
    }
    get_logger("models").info("switched models", extra={"fields": fields})
