"""How the log of this box is doing, for a screen and for programs; nothing is written here."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vv_core.audit.keys import load_keys
from vv_core.clock import format_utc
from vv_core.errors import KeyAccessError, VvError
from vv_core.settings import Settings
from vv_core.tlog.events import FOLDER
from vv_core.tlog.head_state import Head, LogRefused, check_promises, mark_path, read_head
from vv_core.tlog.log_files import LogPlaces
from vv_core.tlog.note import format_vkey
from vv_core.tlog.own_log import OwnLog, open_own_log
from vv_core.tlog.witness_receipts import Receipt, read_receipts
from vv_core.tlog.witness_records import PushRecord, read_records
from vv_core.tlog.witness_round import STATE_NAME, configured_witnesses

MAX_EVENTS = 2000
_SHOWN_GAPS = 10
_GAPS = ("camera_silent", "box_off", "clock_step", "file_removed", "recovery")
_EVENT_NAME = re.compile(r"(?P<seq>[0-9]{10,})-(?P<kind>[a-z_]+)\.logevent\.json")
_MAX_EVENT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class WitnessStatus:
    """What one witness is known to hold.

    Attributes:
        name: of the witness.
        size: lines of the newest head that it cosigned; 0: none.
        when: of its cosignature, UTC; "" if there is none.
        behind: lines that it has not seen.
        state: "current", "behind", "failing" or "contradicted".
        error: what failed last.
    """

    name: str
    size: int
    when: str
    behind: int
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The log on one screen.

    Attributes:
        origin, vkey: who it is.
        size, root: its newest head.
        last_line: when its newest line was written, UTC; "" if that cannot be told.
        pruned_below: entries below may be gone.
        witnesses: one for each configured witness.
        wanted: how many must have cosigned the newest head.
        key_id: of the HMAC key that signs; "" if the store cannot be read here.
        key_since: since when it signs, UTC.
        rotations, revocations: lines of these kinds among the newest events.
        silent_cameras: that are silent now.
        gaps: the newest lines that say where the box was blind.
        problems: what a person should look at.
    """

    origin: str
    vkey: str
    size: int
    root: str
    last_line: str
    pruned_below: int
    witnesses: tuple[WitnessStatus, ...]
    wanted: int
    key_id: str
    key_since: str
    rotations: int
    revocations: int
    silent_cameras: tuple[str, ...]
    gaps: tuple[dict[str, Any], ...]
    problems: tuple[str, ...] = field(default_factory=tuple)


def collect_status(settings: Settings) -> LogStatus:
    """Look at the log of this box.

    Raises:
        InputMissingError: there is no log yet.
        VvError: it cannot be read.
    """
    log = open_own_log(settings.storage.log)
    peers = configured_witnesses(settings)
    records = read_records(settings.storage.log_state / STATE_NAME)
    receipts = {each.name: each for each in read_receipts(log, peers)}
    witnesses = tuple(
        witness_status(peer.name, log.head.size, receipts.get(peer.name), records.get(peer.name))
        for peer in peers
    )
    events = read_events(settings.storage.loglines / FOLDER)
    kinds = [event.get("kind") for event in events]
    key_id, key_since = _active_key(settings)
    return LogStatus(
        origin=log.head.origin,
        vkey=format_vkey(log.verifier),
        size=log.head.size,
        root=log.head.root.hex(),
        last_line=_last_line(log),
        pruned_below=log.reader.pruned_below,
        witnesses=witnesses,
        wanted=settings.witness_policy,
        key_id=key_id,
        key_since=key_since,
        rotations=kinds.count("rotation"),
        revocations=kinds.count("revocation"),
        silent_cameras=find_silent(events),
        gaps=tuple(event for event in events if event.get("kind") in _GAPS)[-_SHOWN_GAPS:],
        problems=(
            *find_promise_problems(settings, log),
            *plan_problems(witnesses, settings.witness_policy),
        ),
    )


def witness_status(
    name: str, size: int, receipt: Receipt | None, record: PushRecord | None
) -> WitnessStatus:
    """Return what is known of one witness.

    Args:
        name: of the witness.
        size: lines of the log.
        receipt: the newest head that it cosigned.
        record: how sending heads went.
    """
    seen = receipt.size if receipt else 0
    state = "current" if receipt and seen == size else "behind"
    if record and record.failures:
        state = "contradicted" if record.is_contradicted else "failing"
    when = receipt.when if receipt else ""
    error = record.error if record else ""
    return WitnessStatus(name, seen, when, max(size - seen, 0), state, error)


def plan_problems(witnesses: Sequence[WitnessStatus], wanted: int) -> list[str]:
    """Return what a person should look at about the witnesses, in English."""
    problems = [
        f"the witness {each.name} contradicts this log: {each.error}"
        for each in witnesses
        if each.state == "contradicted"
    ]
    current = sum(1 for each in witnesses if each.state == "current")
    if current < wanted:
        problems.append(f"{current} of {wanted} wanted witnesses have seen the newest head")
    return problems


def find_promise_problems(settings: Settings, log: OwnLog) -> list[str]:
    """Say how the log contradicts the heads that this box signed before, in English."""
    places = LogPlaces.of(settings.storage, settings.resolve(settings.log_key_file))
    try:
        promises = _read_promises((places.head, mark_path(places.key)))
        check_promises(log.head.size, log.head.origin, promises, log.root_at)
    except LogRefused as exc:
        return [f"{exc.message} → {exc.advice}"]
    except (OSError, VvError) as exc:
        return [f"what was signed before cannot be compared: {exc}"]
    return []


def _read_promises(paths: Iterable[Path]) -> list[Head]:
    heads = []
    for path in paths:
        try:
            head = read_head(path)
        except PermissionError:
            # Beside the signing key: only the user of the service may look.
            continue
        if head is not None:
            heads.append(head)
    return heads


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return the newest published events, oldest first; what cannot be read is left out."""
    try:
        names = sorted(name for name in os.listdir(folder) if _EVENT_NAME.fullmatch(name))  # noqa: PTH208
    except FileNotFoundError:
        return []
    events = []
    for name in names[-MAX_EVENTS:]:
        try:
            with (folder / name).open("rb") as stream:
                event = json.loads(stream.read(_MAX_EVENT_BYTES))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("details"), dict):
            events.append(event)
    return events


def find_silent(events: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the cameras whose last word is that they are silent."""
    silent: dict[str, None] = {}
    for event in events:
        camera = str(event["details"].get("camera", ""))
        if event.get("kind") == "camera_silent":
            silent[camera] = None
        elif event.get("kind") == "camera_back":
            silent.pop(camera, None)
    return tuple(silent)


def _last_line(log: OwnLog) -> str:
    if log.head.size == 0:
        return ""
    line = log.reader.entry(log.head.size - 1)
    try:
        logged_at = json.loads(line or b"{}").get("logged_at", "")
    except (ValueError, AttributeError):
        return ""
    return str(logged_at)


def _active_key(settings: Settings) -> tuple[str, str]:
    """Return id and age of the key that signs; nothing where this user may not read the store."""
    try:
        store = load_keys(settings)
    except KeyAccessError:
        return "", ""
    created = store.created.get(store.active)
    return store.active, format_utc(created) if created else ""
