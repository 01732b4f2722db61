"""``vv-log status``: the log on one screen."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from vv_core.log_command.told import Box, Told, same
from vv_core.tlog.log_status import LogStatus, WitnessStatus, collect_status

_STATES = {
    "current": ("em dia", "current"),
    "behind": ("atrasada", "behind"),
    "failing": ("não responde", "does not answer"),
    "contradicted": ("CONTRADIZ", "CONTRADICTS"),
}
_WIDTH = 18


def show_status(box: Box, _arguments: argparse.Namespace) -> Told:
    """Show origin, key, size, witnesses, keys, gaps and problems."""
    status = collect_status(box.settings)
    document = {"schema": "vv.log-status/1", **asdict(status), "behind_witnesses": _behind(status)}
    return Told(document, tuple(status_lines(status)))


def _behind(status: LogStatus) -> int:
    """Return how many of the newest lines no witness has seen."""
    return min((each.behind for each in status.witnesses), default=status.size)


def status_lines(status: LogStatus) -> list[tuple[str, str]]:
    """Return the screen."""
    lines = [
        _row("Registro", "Log", status.origin),
        _row("Chave pública", "Public key", status.vkey),
        _row("Linhas", "Lines", f"{status.size}"),
        _row("Raiz", "Root", status.root),
        _row("Última linha", "Last line", status.last_line or "–"),
        _row("Chave HMAC", "HMAC key", " ".join((status.key_id, status.key_since)).strip() or "–"),
    ]
    lines += [_witness_line(each) for each in status.witnesses]
    if not status.witnesses:
        lines.append(
            _row(
                "Testemunhas",
                "Witnesses",
                "nenhuma: nada fora do equipamento prova que o fim não foi cortado",
                "none: nothing outside the box proves that its tail was not cut",
            )
        )
    if status.pruned_below:
        lines.append(
            _row(
                "Apagadas",
                "Pruned",
                f"linhas abaixo de {status.pruned_below}",
                f"lines below {status.pruned_below}",
            )
        )
    lines += [_row("Câmera muda", "Silent camera", name or "–") for name in status.silent_cameras]
    lines += [_gap_line(event) for event in status.gaps]
    lines += [same(f"! {problem}") for problem in status.problems]
    return lines


def _row(
    portuguese: str, english: str, text: str, english_text: str | None = None
) -> tuple[str, str]:
    return (
        f"{portuguese:<{_WIDTH}} {text}",
        f"{english:<{_WIDTH}} {text if english_text is None else english_text}",
    )


def _witness_line(witness: WitnessStatus) -> tuple[str, str]:
    portuguese, english = _STATES[witness.state]
    seen = f"{witness.name}: {witness.size}"
    when = f", {witness.when}" if witness.when else ""
    rows = _row(
        "Testemunha",
        "Witness",
        f"{seen} linhas{when}, {portuguese}" + (f" ({witness.behind})" if witness.behind else ""),
        f"{seen} lines{when}, {english}" + (f" ({witness.behind})" if witness.behind else ""),
    )
    return (
        rows
        if not witness.error
        else (f"{rows[0]}: {witness.error}", f"{rows[1]}: {witness.error}")
    )


def _gap_line(event: dict[str, Any]) -> tuple[str, str]:
    text = f"{event.get('when', '')} {event.get('this', '')}"
    return _row("Lacuna", "Gap", text)
