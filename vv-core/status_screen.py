"""The box as lines of text, in the language of its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vv_core.box_containers import ContainersView
from vv_core.box_trust import KeyView, LogHeadView
from vv_core.clock import format_utc
from vv_core.logs import printable
from vv_core.metrics import PipelineMetrics
from vv_core.models.metrics import ModelFigures
from vv_core.models.rows import figures_text
from vv_core.number_text import decimal_text
from vv_core.pipeline.history import CycleRun

_GIB = 1024**3
_HEAD_WIDTH = 20
_SHOWN_MODELS = 3


@dataclass(frozen=True)
class BoxStatus:
    """Everything that stands on the screen.

    Attributes:
        root: of the data.
        metrics: of the pipeline.
        models: how they have been doing.
        containers: of the box.
        key: that signs.
        log: its head.
        alerts: the latest.
    """

    root: str
    metrics: PipelineMetrics
    models: Sequence[ModelFigures]
    containers: ContainersView
    key: KeyView
    log: LogHeadView
    alerts: Sequence[dict[str, object]]


class Words:
    """Chooses between the two languages."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, portuguese: str, english: str) -> str:
        """Return the text of the language."""
        return english if self.language == "en" else portuguese

    def number(self, value: float, digits: int) -> str:
        """Return a number with the decimal mark of the language."""
        return decimal_text(value, digits, self.language)


def status_lines(status: BoxStatus, language: str) -> list[str]:
    """Return the screen."""
    words, metrics = Words(language), status.metrics
    say = words.say
    rows = [
        (say("Dados", "Data"), status.root),
        *_container_rows(status.containers, words),
        (say("Fila", "Queue"), f"{metrics.queued}"),
        (say("Para tentar de novo", "To be tried again"), f"{metrics.retrying}"),
        (say("Quarentena", "Quarantine"), f"{metrics.quarantined}"),
        (say("Ignorados", "Ignored"), f"{metrics.ignored}"),
        (say("Último ciclo", "Last cycle"), _cycle_text(metrics.last_cycle, words)),
        *_stage_rows(status, words),
        (say("Disco livre", "Disk free"), _disk_text(metrics, words)),
        (say("Chave", "Key"), _key_text(status.key, words)),
        (say("Registro", "Log"), log_text(status.log, words)),
    ]
    lines = [f"{head:<{_HEAD_WIDTH}} {printable(text)}" for head, text in rows]
    lines += [printable(f"! {problem}") for problem in status.log.problems]
    for alert in status.alerts:
        told = f"! {alert['time']} {alert.get('severity', '')} {alert.get('message', '')}"
        lines += [printable(told), printable(f"  → {alert.get('advice', '')}")]
    if not status.alerts:
        lines.append(f"{say('Alertas', 'Alerts'):<{_HEAD_WIDTH}} {say('nenhum', 'none')}")
    return lines


def _container_rows(view: ContainersView, words: Words) -> list[tuple[str, str]]:
    """Return one line for all that are well, and one for each that is not."""
    head = words.say("Contêineres", "Containers")
    if view.problem:
        return [(head, words.say("não se sabe: ", "not known: ") + view.problem)]
    if not view.containers:
        return [(head, words.say("nenhum (make up)", "none (make up)"))]
    well = sorted({each.service for each in view.containers if each.is_well})
    count = f"{len(well)} {words.say('em ordem', 'well')}"
    rows = [(head, f"{count}: {' '.join(well)}" if well else count)]
    for each in view.containers:
        if not each.is_well:
            rows.append((f"! {each.service}", each.status or each.health or each.state))
    return rows


def _stage_rows(status: BoxStatus, words: Words) -> list[tuple[str, str]]:
    rows = []
    for name, stage in status.metrics.stages.items():
        is_one = stage.failures == 1
        noun = words.say("falha", "failure") if is_one else words.say("falhas", "failures")
        failures = f"{stage.failures} {noun}"
        rows.append((name, f"{stage.runs} ({failures}), {words.number(stage.median_s, 2)} s"))
    for figures in status.models[:_SHOWN_MODELS]:
        writer = figures.model or words.say("regras", "rules")
        text = f"{writer}: {figures_text(figures, words.language)}"
        rows.append((words.say("Texto por", "Text by"), text))
    return rows


def _cycle_text(cycle: CycleRun | None, words: Words) -> str:
    if cycle is None:
        return words.say("nunca", "never")
    parts = [
        format_utc(datetime.fromtimestamp(cycle.started, UTC)),
        f"{words.number(cycle.duration_s, 1)} s",
        f"{cycle.done} {words.say('concluídos', 'done')}",
        f"{cycle.quarantined} {words.say('em quarentena', 'quarantined')}",
    ]
    return ", ".join([*parts, cycle.stopped_by] if cycle.stopped_by else parts)


def _disk_text(metrics: PipelineMetrics, words: Words) -> str:
    free, total = (
        words.number(size / _GIB, 1) for size in (metrics.disk_free_bytes, metrics.disk_total_bytes)
    )
    return f"{free} / {total} GiB"


def _key_text(key: KeyView, words: Words) -> str:
    if key.is_missing:
        return words.say("FALTA: rode make setup", "MISSING: run make setup")
    if key.problem:
        return f"{key.place} ({key.problem})"
    if not key.key_id:
        return key.place
    if not key.created:
        return key.key_id
    since = words.say("desde", "since")
    if key.is_due:
        change = words.say("troca com a próxima LogLine", "changes with the next LogLine")
    else:
        change = f"{words.say('próxima troca', 'next change')} {key.next_rotation}"
    return f"{key.key_id}, {since} {key.created}, {change}"


def log_text(log: LogHeadView, words: Words) -> str:
    """Return the log's head in one line."""
    if log.is_missing:
        return words.say("ainda não há", "none yet")
    if log.problem:
        return words.say("não se sabe: ", "not known: ") + log.problem
    lines = words.say("linha" if log.size == 1 else "linhas", "line" if log.size == 1 else "lines")
    parts = [f"{log.size} {lines}"]
    if log.last_line:
        parts.append(f"{words.say('última', 'last')} {log.last_line}")
    if not log.witnesses:
        parts.append(words.say("sem testemunha", "no witness"))
    elif not log.witnessed_size:
        parts.append(words.say("nenhuma testemunha viu ainda", "no witness has seen any yet"))
    else:
        seen = words.say("testemunhado até", "witnessed up to")
        parts.append(f"{seen} {log.witnessed_size} ({', '.join(log.witnessed_by)})")
    return ", ".join(parts)
