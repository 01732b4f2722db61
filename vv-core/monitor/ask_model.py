"""Asking the local language model for a diagnosis, in a process of the summarizer's room.

The model chooses from closed lists by a grammar; what it chooses is a proposal and never carried out.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from vv_core.atomic import write_json_atomic
from vv_core.errors import UnavailableError, VvError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.monitor.proposal import Action, Diagnosis, Proposal
from vv_core.monitor.situation import Situation
from vv_core.process import run_child

MODULE = "summarize_scene.choose"
_START_S = 60.0
_SHOWN_LOG, _SHOWN_QUARANTINE = 12, 4
_LINE_CHARS = 160
_NUMBER = re.compile("[0-9]+")

INSTRUCTIONS = """You look after a video box. Below are the facts of a fault. Choose what is wrong and one action.
restart: a service hangs. requeue: good videos were set aside by a fault that is over.
clear_cache: kept work files are damaged. raise_memory: a stage was ended for want of memory.
roll_back_model: a new model fails. escalate: only a person can help, or you are not sure."""


def situation_text(situation: Situation) -> str:
    """Return the facts as short lines for a model, the telling ones first."""
    lines = [
        f"queued {situation.queued} retrying {situation.retrying} "
        f"quarantined {len(situation.quarantine)} disk free {situation.disk_free_percent:.0f}%"
    ]
    # First, since the text is cut at its end: without it nobody could tell what going back would go back to.
    if situation.kinds_with_way_back:
        lines.append(f"activated models: {' '.join(situation.kinds_with_way_back)}")
    for fact in situation.containers:
        memory = " out of memory" if fact.is_out_of_memory else ""
        lines.append(
            f"container {fact.service} {fact.condition} exit {fact.exit_code}{memory} {fact.note}"
        )
    lines += [
        f"service {name}: {problem}"
        for name, problem in sorted((situation.heartbeats or {}).items())
    ]
    for entry in situation.quarantine[:_SHOWN_QUARANTINE]:
        raised = " (has more memory since)" if entry.has_more_memory else ""
        lines.append(f"quarantined by {entry.stage} exit {entry.exit_code}{raised}: {entry.reason}")
    return "\n".join(" ".join(line.split())[:_LINE_CHARS] for line in [*lines, *_log(situation)])


def _log(situation: Situation) -> list[str]:
    """Return the newest lines, oldest first; those that differ in numbers alone are told once, with their count."""
    told: dict[str, tuple[int, str]] = {}
    for line in reversed(situation.log):
        text = f"{line.level} {line.component}: {line.message}"
        count, newest = told.get(alike := _NUMBER.sub("0", text), (0, text))
        told[alike] = (count + 1, newest)
    shown = list(told.values())[:_SHOWN_LOG]
    return [f"{count} times {text}" if count > 1 else text for count, text in reversed(shown)]


def ask_model(situation: Situation, timeout_s: float) -> Proposal:
    """Return what the model would do.

    Args:
        situation: the facts.
        timeout_s: for the choice itself; the model's start comes on top.

    Raises:
        VvError: there is no model, or it did not answer with one of the given words.
    """
    with tempfile.TemporaryDirectory(prefix="vv-choose-") as raw_folder:
        request, answer = Path(raw_folder) / "request.json", Path(raw_folder) / "answer.json"
        write_json_atomic(request, request_document(situation), 0o600)
        argv = [sys.executable, "-m", MODULE, str(request), str(answer)]
        try:
            result = run_child(argv, timeout_s=timeout_s + _START_S)
        except OSError as exc:
            raise _no_answer(f"it cannot be started: {exc}") from exc
        if result.exit_code or result.timed_out:
            last = result.stderr_tail[0] if result.stderr_tail else f"exit code {result.exit_code}"
            raise _no_answer("it took too long" if result.timed_out else last)
        return parse_answer(read_json(answer))


def request_document(situation: Situation) -> dict[str, Any]:
    """Return the request that ``summarize_scene.choose`` reads."""
    return {
        "schema": "vv.choice/1",
        "instructions": INSTRUCTIONS,
        "facts": situation_text(situation),
        "fields": [
            {"name": "diagnosis", "options": [str(kind) for kind in Diagnosis]},
            {"name": "action", "options": [str(kind) for kind in Action]},
        ],
    }


def parse_answer(document: Any) -> Proposal:
    """Return the proposal in an answer.

    Raises:
        UnavailableError: it is none of the given words.
    """
    try:
        choice = document["choice"]
        diagnosis, action = Diagnosis(choice["diagnosis"]), Action(choice["action"])
        model = str(document["model"])
    except (KeyError, TypeError, ValueError) as exc:
        raise _no_answer(f"its answer is none of the given words: {exc}") from exc
    return Proposal(diagnosis, action, "", "the rules know no answer; the model chose this", model)


def ask_quietly(situation: Situation, timeout_s: float) -> Proposal | None:
    """Ask; a model that does not answer is logged."""
    try:
        return ask_model(situation, timeout_s)
    except VvError as exc:
        get_logger("monitor").warning("%s → %s", exc.message, exc.advice)
        return None


def _no_answer(reason: str) -> UnavailableError:
    return UnavailableError(
        f"the language model gave no diagnosis: {reason}",
        advice="Look at VV_MONITOR_MODEL_FILE, or set VV_MONITOR_MODEL=false.",
    )
