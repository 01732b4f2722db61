"""``vv-log prove``, ``export`` and ``check``: proofs of exported clips."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vv_core.atomic import write_bytes_atomic
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import EXIT_CODES, Status
from vv_core.errors import InputMissingError, UsageError, from_oserror
from vv_core.log_command.proof_words import ADVICE, REASONS, STATUSES
from vv_core.log_command.told import Box, Told, same
from vv_core.tlog.exporting import export_clip, find_line, prove_line
from vv_core.tlog.note import MAX_NOTE_BYTES, Verifier, format_vkey, parse_vkey
from vv_core.tlog.own_log import VKEY, OwnLog, open_own_log, read_vkey_file
from vv_core.tlog.proof import MAX_PROOF_BYTES, parse_proof
from vv_core.tlog.proof_file import PROOF_SUFFIX
from vv_core.tlog.proof_verdict import ProofReason, ProofVerdict, verify_proof
from vv_core.tlog.witness_receipts import Receipt, read_receipts
from vv_core.tlog.witness_round import configured_witnesses
from vv_core.utils import compute_sha256


def prove(box: Box, arguments: argparse.Namespace) -> Told:
    """Write the proof of a line."""
    log = _open(box, arguments)
    found = find_line(log, arguments.logline)
    data = prove_line(log, _receipts(box, log), found)
    path = arguments.out or Path(f"{_stem(arguments.logline, found.seq)}{PROOF_SUFFIX}")
    try:
        write_bytes_atomic(path, data)
    except OSError as exc:
        raise from_oserror(exc, "write the proof", path) from exc
    document = {"path": str(path), "bytes": len(data), "seq": found.seq, "size": log.head.size}
    line = f"{path}: {len(data)} bytes"
    return Told(document, ((f"{line}, linha {found.seq}", f"{line}, line {found.seq}"),))


def _stem(name: str, seq: int) -> str:
    file_name = Path(name).name
    return file_name.removesuffix(".logline.json") if not name.isdigit() else f"line-{seq}"


def export(box: Box, arguments: argparse.Namespace) -> Told:
    """Copy a clip, its proof and a note on how to check into a folder."""
    log = _open(box, arguments)
    target = arguments.to or box.settings.storage.exports
    if not arguments.clip.is_file():
        raise InputMissingError(
            f"there is no clip {str(arguments.clip)!r}", advice="Name a video, as in processed/."
        )
    result = export_clip(log, _receipts(box, log), arguments.clip, target, box.settings.box)
    document = {
        "folder": str(result.folder),
        "clip": str(result.clip),
        "proof": str(result.proof),
        "proof_bytes": result.proof_bytes,
        "seq": result.seq,
        "vkey": format_vkey(log.verifier),
    }
    return Told(
        document,
        (
            (f"exportado: {result.folder}", f"exported: {result.folder}"),
            (
                f"prova: {result.proof.name}, {result.proof_bytes} bytes, linha {result.seq}",
                f"proof: {result.proof.name}, {result.proof_bytes} bytes, line {result.seq}",
            ),
            (
                "→ Dê a chave pública por outro caminho: vv-log status a mostra.",
                "→ Give the public key by another way: vv-log status shows it.",
            ),
        ),
    )


def _open(box: Box, arguments: argparse.Namespace) -> OwnLog:
    return open_own_log(arguments.log or box.settings.storage.log)


def _receipts(box: Box, log: OwnLog) -> list[Receipt]:
    return list(read_receipts(log, configured_witnesses(box.settings)))


def check(box: Box, arguments: argparse.Namespace) -> Told:
    """Verify a proof; needs no secret, no log and no network."""
    verifiers, is_own = _trusted_keys(box, arguments.vkey)
    clip_sha256 = compute_sha256(arguments.clip) if arguments.clip else None
    data = _read_proof(arguments.proof)
    verdict = (
        verify_proof(
            data, verifiers, clip_sha256=clip_sha256, min_witnesses=arguments.min_witnesses
        )
        if isinstance(data, bytes)
        else data
    )
    document = verdict_json(arguments.proof, verdict, clip_sha256 is not None, is_own)
    lines = verdict_lines(arguments.proof, verdict, clip_sha256 is not None, is_own)
    if arguments.show and isinstance(data, bytes) and verdict.status is not Status.MALFORMED:
        proof = parse_proof(data)
        text = (proof.line + b"\n" + proof.tlog_proof).decode("utf-8", "replace")
        document["text"] = text
        lines += [same(line) for line in ["", *text.splitlines()]]
    return Told(document, tuple(lines), EXIT_CODES[verdict.status])


def _trusted_keys(box: Box, lines: list[str]) -> tuple[list[Verifier], bool]:
    """Return the keys to trust, and whether they are only those that lie on this box."""
    if lines:
        return [verifier for line in lines for verifier in _parse_vkeys(line)], False
    path = box.settings.storage.log / VKEY
    if not path.is_file():
        raise UsageError(
            "no key to trust was given",
            advice="Give the log's key: --vkey 'NAME+ID+KEY'. Ask whoever keeps the box for it.",
        )
    peers = configured_witnesses(box.settings)
    return [read_vkey_file(path), *(peer.verifier for peer in peers)], True


def _parse_vkeys(text: str) -> list[Verifier]:
    """Return the keys of an argument: a verifier key line, or a file that holds such lines."""
    path = Path(text)
    try:
        raw_lines = read_regular_file(path, MAX_NOTE_BYTES).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError, MalformedError):
        raw_lines = [text]
    return [parse_vkey(line) for line in raw_lines if line.strip() and not line.startswith("#")]


def _read_proof(path: Path) -> bytes | ProofVerdict:
    try:
        return read_regular_file(path, MAX_PROOF_BYTES)
    except MalformedError as exc:
        detail = exc.reason.replace("_", " ")
        return ProofVerdict(Status.MALFORMED, ProofReason.NOT_A_PROOF, detail)
    except OSError as exc:
        raise from_oserror(exc, "read the proof", path) from exc


def verdict_json(path: Path, verdict: ProofVerdict, has_clip: bool, is_own: bool) -> dict[str, Any]:
    """Return a verdict for programs."""
    line, head = verdict.document or {}, verdict.checkpoint
    return {
        "schema": "vv.proof-report/1",
        "path": str(path),
        "status": verdict.status,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "clip_checked": has_clip,
        "key_of_this_box": is_own,
        "origin": head.origin if head else None,
        "size": head.size if head else None,
        "seq": line.get("log", {}).get("seq"),
        "id": line.get("id"),
        "when": line.get("when"),
        "witnesses": [
            {"name": each.name, "when": each.when.isoformat().replace("+00:00", "Z")}
            for each in verdict.witnesses
        ],
        "exit": EXIT_CODES[verdict.status],
    }


def verdict_lines(
    path: Path, verdict: ProofVerdict, has_clip: bool, is_own: bool
) -> list[tuple[str, str]]:
    """Return a verdict for people."""
    status, reason = STATUSES[verdict.status], REASONS[verdict.reason]
    detail = f" ({verdict.detail})" if verdict.detail else ""
    lines = [
        (f"{status[0]}  {path}", f"{status[1]}  {path}"),
        (f"  {reason[0]}{detail}", f"  {reason[1]}{detail}"),
    ]
    if verdict.document is not None:
        line = verdict.document
        lines.append(same(f"  {line.get('when')} · {line.get('who')} · {line.get('title', '')}"))
        lines.append(same(f"  {line.get('this', '')}"))
        if not has_clip:
            lines.append(
                (
                    "  o vídeo não foi conferido: --clip ARQUIVO",
                    "  the video was not checked: --clip FILE",
                )
            )
        lines += _witness_lines(verdict)
    if is_own:
        lines.append(
            (
                "  ! com a chave deste equipamento; um auditor usa --vkey",
                "  ! with the key of this box; an auditor uses --vkey",
            )
        )
    if verdict.reason in ADVICE:
        portuguese, english = ADVICE[verdict.reason]
        lines.append((f"→ {portuguese}", f"→ {english}"))
    return lines


def _witness_lines(verdict: ProofVerdict) -> list[tuple[str, str]]:
    if not verdict.witnesses:
        return [
            (
                "  assinada pelo registro; nenhuma testemunha conhecida a viu",
                "  signed by the log; no known witness has seen it",
            )
        ]
    return [
        (
            f"  testemunha: {each.name}, {each.when:%Y-%m-%d %H:%M:%S} UTC",
            f"  witness: {each.name}, {each.when:%Y-%m-%d %H:%M:%S} UTC",
        )
        for each in verdict.witnesses
    ]
