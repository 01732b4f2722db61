"""Carrying out what the rules of the diagnosis propose (VV_MONITOR_DIAGNOSIS=act). Never what a model proposes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from vv_core.alerts import Alert, Severity
from vv_core.atomic import write_text_atomic
from vv_core.env_file import ENCODING
from vv_core.errors import ConfigError, UnavailableError, from_oserror
from vv_core.monitor.look import Monitor, write_alert
from vv_core.monitor.proposal import Action, Proposal
from vv_core.monitor.texts import say
from vv_core.process import run_child
from vv_core.settings import Settings

DIAGNOSIS_ALERT = "diagnosis"
CACHE_SUFFIX = ".compiled"
_COMMAND_S = 300.0
_MIB = 1024**2
_UNITS = {"": 1, "b": 1, "k": 1024, "m": _MIB, "g": 1024**3}
_SIZE = re.compile(r"(?P<number>[0-9]+)(?P<unit>[bkmg]?)b?", re.IGNORECASE)
_DEFAULTS = {"SCANNER_MEMORY": "1g", "SUMMARIZER_MEMORY": "2g", "WRITER_MEMORY": "256m"}
"""Those of docker-compose.yml."""


def apply_proposal(proposal: Proposal, settings: Settings, monitor: Monitor) -> str:
    """Carry a proposal out; return what was done.

    Raises:
        VvError: it was not done.
    """
    if not proposal.is_of_rules:
        raise ConfigError(
            "a model's proposal is never carried out", advice="This is a fault of the program."
        )
    return _REMEDIES[proposal.action](proposal, settings, monitor)


def _restart(proposal: Proposal, _settings: Settings, monitor: Monitor) -> str:
    names = [
        seen.name
        for seen in monitor.engine.list_containers(monitor.project)
        if seen.service == proposal.target and seen.state == "running" and not seen.is_one_off
    ]
    if not names:
        raise UnavailableError(
            f"no container of {proposal.target} runs any more",
            advice="If nobody stopped it: docker compose up -d.",
        )
    for name in names:
        monitor.engine.restart(name)
    return f"restarted {', '.join(names)}"


def _requeue(proposal: Proposal, settings: Settings, _monitor: Monitor) -> str:
    _run_own(settings, "vv_core.pipeline.orchestrate", ["--requeue", proposal.target])
    return f"put back {proposal.target}"


def _clear_cache(_proposal: Proposal, settings: Settings, _monitor: Monitor) -> str:
    folder = settings.storage.scanner_state
    removed = 0
    for path in sorted(folder.rglob(f"*{CACHE_SUFFIX}")):
        try:
            path.unlink()
        except OSError as exc:
            raise from_oserror(exc, "clear the cache", path) from exc
        removed += 1
    return f"removed {removed} compiled networks"


def _roll_back_model(proposal: Proposal, settings: Settings, _monitor: Monitor) -> str:
    _run_own(settings, "vv_core.models", ["rollback", proposal.target])
    return f"switched back the model that is for {proposal.target}"


def _raise_memory(proposal: Proposal, settings: Settings, _monitor: Monitor) -> str:
    if os.environ.get(proposal.target):
        raise ConfigError(
            f"{proposal.target} stands in the environment, which wins over .env",
            advice="Raise it there, or take it out of there.",
        )
    path = Path(os.environ.get("VV_ENV_FILE") or settings.home / ".env")
    try:
        text = path.read_text(ENCODING) if path.exists() else ""
        raised, size = raise_memory(text, proposal.target, settings.monitor_memory_limit_mb)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        write_text_atomic(path, raised, mode)
    except OSError as exc:
        raise from_oserror(exc, "raise the memory in", path) from exc
    return f"{proposal.target}={size} in {path.name}"


def _escalate(proposal: Proposal, _settings: Settings, monitor: Monitor) -> str:
    language = monitor.language
    moment = monitor.clock.now()
    advice = say(
        language,
        "Veja docs/errors.md e logs/app.log (make logs).",
        "See docs/errors.md and logs/app.log (make logs).",
    )
    alert = Alert(
        Severity.WARNING,
        DIAGNOSIS_ALERT,
        proposal.target or str(proposal.diagnosis),
        f"{proposal.diagnosis}: {proposal.reason}",
        advice,
        {"episode": f"{proposal.key}:{moment.timestamp():.0f}"},
    )
    write_alert(monitor, alert)
    return "told the operator"


def raise_memory(text: str, variable: str, limit_mb: int) -> tuple[str, str]:
    """Return a ``.env`` with half as much memory again for a stage, and the new value.

    Args:
        text: of the ``.env``; everything else in it stays as it is.
        variable: such as SCANNER_MEMORY.
        limit_mb: not beyond this, MiB.

    Raises:
        ConfigError: it is at the limit already, or its value is no size.
    """
    line = re.compile(rf"^[ \t]*(?:export[ \t]+)?{re.escape(variable)}[ \t]*=(?P<value>.*)$", re.M)
    found = list(line.finditer(text))
    value = found[-1]["value"].strip().strip("\"'") if found else ""
    size = _SIZE.fullmatch(value or _DEFAULTS[variable])
    if size is None:
        raise ConfigError(
            f"{variable} is no size of memory", advice=f"Write {variable}=1g, or 1536m."
        )
    now_mb = int(size["number"]) * _UNITS[size["unit"].lower()] // _MIB
    new_mb = min(now_mb * 3 // 2, limit_mb)
    if new_mb <= now_mb:
        raise ConfigError(
            f"{variable} is {now_mb} MiB, and VV_MONITOR_MEMORY_LIMIT_MB is {limit_mb}",
            advice="Raise the limit if the machine has the memory, or cut the videos.",
        )
    told = f"{new_mb}m"
    if found:
        start, end = found[-1].span()
        return f"{text[:start]}{variable}={told}{text[end:]}", told
    glue = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{glue}{variable}={told}\n", told


def _run_own(settings: Settings, module: str, arguments: Sequence[str]) -> None:
    """Run a command of ours.

    Raises:
        UnavailableError: it did not end well.
    """
    argv = [sys.executable, "-m", module, *arguments]
    try:
        result = run_child(argv, timeout_s=_COMMAND_S, cwd=Path(settings.home).absolute())
    except OSError as exc:
        raise UnavailableError(
            f"{module} cannot be started: {exc}", advice="Check memory."
        ) from exc
    if result.exit_code or result.timed_out:
        said = " ".join(result.stderr_tail) or f"exit code {result.exit_code}"
        raise UnavailableError(
            f"{module}: {said}", advice="Do it by hand; see docs/self-healing.md."
        )


_REMEDIES: dict[Action, Callable[[Proposal, Settings, Monitor], str]] = {
    Action.RESTART: _restart,
    Action.REQUEUE: _requeue,
    Action.CLEAR_CACHE: _clear_cache,
    Action.ROLL_BACK_MODEL: _roll_back_model,
    Action.RAISE_MEMORY: _raise_memory,
    Action.ESCALATE: _escalate,
}
