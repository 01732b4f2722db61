"""What a cycle did, as data and as words for the person who started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vv_core.errors import ExitCode
from vv_core.logs import printable


@dataclass
class CycleReport:
    """What a cycle did, by path below ``input/``.

    Attributes:
        found: videos that were ready.
        done: videos that got their LogLine.
        known: videos whose content was processed before; only moved.
        quarantined: videos that went to ``corrupted/``.
        retried: videos that failed and will be tried again.
        reasons: why, for videos that were quarantined or will be tried again.
        waiting: videos whose wait is not over.
        growing: files that are still being written.
        ignored: what is named like a video but is not processed.
        stopped_by: what ended the cycle early, or empty.
        advice: what to do about that, or empty.
        exit_code: 0, or the code of what stopped the cycle.
        leaves_rubbish: a stage was killed and may have left temporary files: the next cycle cleans up.
    """

    found: int = 0
    done: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    stopped_by: str = ""
    advice: str = ""
    exit_code: int = ExitCode.OK
    leaves_rubbish: bool = False

    def counts(self) -> dict[str, int]:
        """Return how many videos went which way."""
        return {
            "found": self.found,
            "done": len(self.done),
            "known": len(self.known),
            "quarantined": len(self.quarantined),
            "retried": len(self.retried),
            "waiting": len(self.waiting),
            "growing": len(self.growing),
            "ignored": len(self.ignored),
        }


_WORDS = {
    "done": ("concluídos", "done"),
    "known": ("já processados", "processed before"),
    "quarantined": ("em quarentena", "quarantined"),
    "retried": ("para tentar de novo", "to be tried again"),
    "waiting": ("aguardando nova tentativa", "waiting for their next try"),
    "growing": ("ainda em gravação", "still being written"),
    "ignored": ("ignorados", "ignored"),
}


def report_lines(report: CycleReport, language: str) -> list[str]:
    """Return a report as lines of text.

    Args:
        report: of a cycle.
        language: "pt-BR" or "en".
    """
    is_english = language == "en"
    counts = report.counts()
    parts = [f"{counts[key]} {words[is_english]}" for key, words in _WORDS.items() if counts[key]]
    nothing = "no new video" if is_english else "nenhum vídeo novo"
    lines = [f"{'cycle' if is_english else 'ciclo'}: {', '.join(parts) or nothing}"]
    for key, names in (("quarantined", report.quarantined), ("retried", report.retried)):
        lines += [_video_line(name, _WORDS[key][is_english], report.reasons) for name in names]
    if report.stopped_by:
        head = "stopped" if is_english else "interrompido"
        lines.append(f"  {head}: {printable(report.stopped_by)}")
        if report.advice:
            lines.append(f"  → {printable(report.advice)}")
    return lines


def _video_line(name: str, word: str, reasons: Mapping[str, str]) -> str:
    reason = f" ({printable(reasons[name])})" if reasons.get(name) else ""
    return f"  {printable(name)}: {word}{reason}"
