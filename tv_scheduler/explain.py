"""Why a LogLine is on a TV or is not, in words for people; no files here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from tv_scheduler.choice import Choice, Reason, local_time, sort_by_time
from tv_scheduler.index import SUFFIX
from tv_scheduler.known_lines import Found
from tv_scheduler.line import Line
from tv_scheduler.playlist import Scene
from tv_scheduler.rules import DayHours, TvRule
from vv_core.clock import format_utc
from vv_core.paths import printable_name

SCHEMA = "vv.explain/1"
MAX_LINES = 500
MAX_FILES = 100
REFUSED = "refused"
UNREADABLE = "unreadable"
UNKNOWN = "unknown"
_ID = re.compile(r"([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{12}")
_MAX_NAME = 80


@dataclass(frozen=True)
class Words:
    """A text in both languages."""

    pt: str
    en: str

    def of(self, language: str) -> str:
        """Return the text in a language."""
        return self.en if language == "en" else self.pt


def explain_tv(rule: TvRule, choice: Choice, found: Found, scene: Scene) -> dict[str, Any]:
    """Return the document about a TV: the newest LogLines, and files that are no LogLines.

    Args:
        rule: of the TV.
        choice: what it shows.
        found: what is known.
        scene: for what it is made.
    """
    by_id = {line.id: line for line in found.lines}
    newest = sort_by_time(by_id.values())[: -MAX_LINES - 1 : -1]
    entries = [explain_line(rule, line, choice, scene.zone) for line in newest]
    for code, files in ((REFUSED, found.refused), (UNREADABLE, found.unreadable)):
        entries += [explain_file(name, code, files[name]) for name in sorted(files)[:MAX_FILES]]
    return {
        "schema": SCHEMA,
        "tv": rule.name,
        "generated": format_utc(scene.now),
        "entries": entries,
    }


def explain_line(rule: TvRule, line: Line, choice: Choice, zone: tzinfo) -> dict[str, Any]:
    """Return why a proven LogLine is on a TV or is not."""
    reason = choice.reasons[line.id]
    words = _words(rule, line, reason, choice.levels.get(line.id, 0), zone)
    when = format_utc(datetime.fromtimestamp(line.when, UTC))
    return _entry(line.id, when, reason is Reason.SHOWN, reason, words)


def explain_file(name: str, code: str, problem: str) -> dict[str, Any]:
    """Return why a file is on no TV."""
    if code == REFUSED:
        words = Words(
            "Fora: o registro assinado não tem este arquivo como ele está; confira com logline_verifier.",
            f"Out: the signed log does not have this file as it is ({problem}); audit it with logline_verifier.",
        )
    else:
        words = Words(
            f"Fora: nada se pode dizer deste arquivo agora ({problem}); será lido de novo.",
            f"Out: nothing can be said of this file now ({problem}); it is read again.",
        )
    named = printable_name(name.removesuffix(SUFFIX))[:_MAX_NAME]
    return _entry(named, None, False, code, words)


def explain_unknown(rule: TvRule, wanted: str) -> dict[str, Any]:
    """Return why a LogLine that is not among the known ones is not on a TV."""
    when = _time_in(wanted)
    words = Words(
        f"Fora: nenhum LogLine das últimas {rule.window_hours} horas se chama assim.",
        f"Out: no LogLine of the last {rule.window_hours} hours is called so.",
    )
    if when is not None:
        words = Words(
            f"{words.pt} Pelo nome começou em {when}.",
            f"{words.en} By its name it began at {when}.",
        )
    return _entry(wanted, when, False, UNKNOWN, words)


def _time_in(logline_id: str) -> str | None:
    """Return when a recording began, by the id of its LogLine."""
    found = _ID.fullmatch(logline_id)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return format_utc(moment)


def _entry(
    logline_id: str, when: str | None, is_shown: bool, reason: str, words: Words
) -> dict[str, Any]:
    return {
        "logline_id": logline_id,
        "when": when,
        "shown": is_shown,
        "reason": str(reason),
        "text": {"pt-BR": words.pt, "en": words.en},
    }


def _words(rule: TvRule, line: Line, reason: Reason, level: int, zone: tzinfo) -> Words:
    """Return the reason with what it was measured by."""
    match reason:
        case Reason.SHOWN if level:
            pt = f"Aparece, com prioridade {level}: interrompe o que tem menos."
            en = f"Shown, with priority {level}: it interrupts what has less."
        case Reason.SHOWN:
            pt, en = "Aparece.", "Shown."
        case Reason.FUTURE:
            began = _began(line, zone)
            pt = f"Ainda não: começa em {began}, no futuro; confira o relógio da câmera."
            en = f"Not yet: it begins at {began}, in the future; check the camera's clock."
        case Reason.OLD:
            began, hours = _began(line, zone), rule.reach_s // 3600
            pt = f"Fora: começou em {began}, e esta TV mostra as últimas {hours} horas."
            en = f"Out: it began at {began}, and this TV shows the last {hours} hours."
        case Reason.LONG:
            length, most = -(-line.duration_ms // 60_000), rule.max_length_minutes
            pt = f"Fora: dura {length} minutos, e esta TV mostra até {most}."
            en = f"Out: it lasts {length} minutes, and this TV shows up to {most}."
        case Reason.MANY:
            pt = "Fora: há mais novos ou mais urgentes do que esta TV mostra de uma vez."
            en = "Out: there are more newer or more urgent ones than this TV shows at a time."
        case _:
            pt, en = _other_words(rule, line, reason, zone)
    return Words(pt, en)


def _began(line: Line, zone: tzinfo) -> str:
    return local_time(line, zone).strftime("%d/%m %H:%M")


def _other_words(rule: TvRule, line: Line, reason: Reason, zone: tzinfo) -> tuple[str, str]:
    """Return the reason where the LogLine is other than what the TV shows."""
    match reason:
        case Reason.STATUS:
            pt, en, is_, shown = "a situação", "its status", line.status, rule.pick.statuses
        case Reason.CAMERA:
            pt, en, is_, shown = "a câmera", "its camera", line.camera, rule.pick.cameras
        case Reason.LABEL:
            pt, en, shown = "o que se vê", "what is seen", rule.pick.labels
            is_ = ", ".join(sorted(line.labels))
        case _:
            pt, en, is_ = "o começo", "its start", _began(line, zone)
            shown = frozenset(_hours_text(each) for each in rule.hours)
    wanted = ", ".join(sorted(shown))
    return (
        f"Fora: {pt} é {is_ or '–'}, e esta TV mostra {wanted}.",
        f"Out: {en} is {is_ or '–'}, and this TV shows {wanted}.",
    )


def _hours_text(hours: DayHours) -> str:
    def clock(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    return f"{clock(hours.start)}–{clock(hours.end)}"
