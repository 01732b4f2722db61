"""``vv-log rotate``, ``revoke``, ``prune`` and ``repair``: what a person does with a log."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from vv_core.errors import UsageError, from_oserror
from vv_core.log_command.told import Box, Told
from vv_core.tlog import maintenance
from vv_core.tlog.repair import repair


def rotate_key(box: Box, arguments: argparse.Namespace) -> Told:
    """Change the key that signs LogLines, and erase the old one."""
    if arguments.export_key and os.path.lexists(arguments.export_key):
        raise UsageError(
            f"{str(arguments.export_key)!r} exists, and a key is never written over another",
            advice="Name another file.",
        )
    result = maintenance.rotate(box.settings, box.clock)
    document = {
        "old_key_id": result.old_key_id,
        "new_key_id": result.new_key_id,
        "seq": result.seq,
        "exported": None,
    }
    lines = [
        (
            f"chave trocada: {result.old_key_id} → {result.new_key_id}",
            f"key changed: {result.old_key_id} → {result.new_key_id}",
        )
    ]
    if arguments.export_key:
        key_id, data = maintenance.export_signing_key(box.settings)
        _write_secret(arguments.export_key, data)
        document["exported"] = str(arguments.export_key)
        lines.append(
            (
                f"! {arguments.export_key} verifica, e poderia forjar, a partir de {key_id}: é um segredo",
                f"! {arguments.export_key} verifies, and could forge, from {key_id} on: it is a secret",
            )
        )
    return Told(document, tuple(lines))


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, where there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
    except OSError as exc:
        raise from_oserror(exc, "write the key", path) from exc


def revoke_key(box: Box, arguments: argparse.Namespace) -> Told:
    """Declare that what a key signed from a line on does not count."""
    _need_yes(
        arguments,
        f"every line that {arguments.key_id} signed from line {arguments.from_seq} on becomes INVALID",
    )
    result = maintenance.revoke(box.settings, arguments.key_id, arguments.from_seq, box.clock)
    names = ", ".join(result.key_ids)
    document = {
        "key_ids": list(result.key_ids),
        "from_seq": result.from_seq,
        "new_key_id": result.new_key_id,
        "seq": result.seq,
    }
    return Told(
        document,
        (
            (
                f"revogada: {names} a partir da linha {result.from_seq} (linha {result.seq})",
                f"revoked: {names} from line {result.from_seq} on (line {result.seq})",
            ),
            (f"assina agora: {result.new_key_id}", f"signs now: {result.new_key_id}"),
        ),
    )


def prune_entries(box: Box, arguments: argparse.Namespace) -> Told:
    """Delete the text of old lines; their hashes stay, so that every proof still holds."""
    _need_yes(arguments, f"the text of the lines below {arguments.below} is deleted for good")
    result = maintenance.prune(box.settings, arguments.below, box.clock)
    document = {"below": result.below, "bundles": result.bundles, "seq": result.seq}
    return Told(
        document,
        (
            (
                f"apagadas as linhas abaixo de {result.below} ({result.bundles} arquivos)",
                f"pruned the lines below {result.below} ({result.bundles} files)",
            ),
        ),
    )


def repair_log(box: Box, arguments: argparse.Namespace) -> Told:
    """Make a log that is refused usable again."""
    if arguments.new_epoch:
        _need_yes(arguments, "if lines are lost, this log is closed and another one begins")
    result = repair(box.settings, box.clock, source=arguments.source, new_epoch=arguments.new_epoch)
    document = {
        "action": result.action,
        "problem": result.problem,
        "origin": result.origin,
        "size": result.size,
        "kept": str(result.kept) if result.kept else None,
    }
    words = {
        "nothing": ("nada a reparar", "nothing to repair"),
        "rebuilt": ("reconstruído com todas as linhas", "rebuilt with all lines"),
        "new_epoch": ("fechado; outro registro começa", "closed; another log begins"),
    }
    portuguese, english = words[result.action]
    where = f"{result.origin}, {result.size}"
    lines = [(f"{portuguese}: {where} linhas", f"{english}: {where} lines")]
    if result.kept:
        lines.append((f"o anterior está em {result.kept}", f"the one before lies in {result.kept}"))
    return Told(document, tuple(lines))


def _need_yes(arguments: argparse.Namespace, what: str) -> None:
    if not arguments.yes:
        raise UsageError(
            f"this cannot be undone: {what}", advice="If that is what you want, add --yes."
        )
