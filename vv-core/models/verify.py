"""``vv-models verify``: every model file is hashed again."""

from __future__ import annotations

import argparse
from typing import Any

from vv_core.errors import ExitCode, InputMissingError
from vv_core.models.desk import Desk, Told
from vv_core.models.registry import shipped_path
from vv_core.models.shipped import check_shipped
from vv_core.models.store import Check, check_installed, list_installed


def verify(desk: Desk, arguments: argparse.Namespace) -> Told:
    """Hash model files again."""
    name = arguments.name
    entries = [entry for entry in desk.registry.entries if name in (None, entry.name)]
    shipped = [
        entry for entry in entries if entry.is_shipped and (name or shipped_path(entry).is_file())
    ]
    lines = []
    documents: list[dict[str, Any]] = []
    for entry in shipped:
        sha256 = check_shipped(entry)
        documents.append({"name": entry.name, "state": "ok", "sha256": sha256})
        lines.append((f"{entry.name}: íntegro", f"{entry.name}: intact"))
    records = [it for it in list_installed(desk.models) if name in (None, it.name)]
    if name is not None and not records and not shipped:
        desk.registry.get(name)
        raise InputMissingError(
            f"{name} is not on this box", advice=f"Bring it first: vv-models fetch {name}"
        )
    checks = [check_installed(desk.models, record) for record in records]
    documents += [_check_document(check) for check in checks]
    lines += [_check_line(check) for check in checks]
    is_sound = all(check.state == "ok" for check in checks)
    code = ExitCode.OK if is_sound else ExitCode.DATAERR
    return Told({"verified": documents}, tuple(lines), code)


def _check_document(check: Check) -> dict[str, Any]:
    record = check.installed
    return {
        "name": record.name,
        "version": record.version,
        "state": check.state,
        "sha256": record.sha256,
        "found": check.found,
        "origin": record.origin,
    }


def _check_line(check: Check) -> tuple[str, str]:
    name = f"{check.installed.name} {check.installed.version}"
    again = f"vv-models fetch {check.installed.name}"
    if check.state == "ok":
        return f"{name}: íntegro", f"{name}: intact"
    if check.state == "missing":
        return f"{name}: o arquivo sumiu → {again}", f"{name}: the file is gone → {again}"
    return f"{name}: ALTERADO → {again}", f"{name}: CHANGED → {again}"
