"""What the monitor says to people, in Portuguese and English."""

from __future__ import annotations

from collections.abc import Mapping

from vv_core.alerts import Alert, Severity
from vv_core.logs import printable
from vv_core.monitor.decision import Condition, MonitorState, Plan, Record, Sighting
from vv_core.monitor.engine import EngineProblem, Outcome
from vv_core.monitor.proposal import Proposal

CONTAINER_ALERT = "container_not_healed"
ENGINE_ALERT = "engine_unreachable"

_CONDITIONS = {
    Condition.WELL: ("bem", "well"),
    Condition.STARTING: ("iniciando", "starting"),
    Condition.UNHEALTHY: ("doente", "unhealthy"),
    Condition.FAILED: ("parou com erro", "ended with an error"),
    Condition.LOOPING: ("reinicia sem parar", "restarts again and again"),
    Condition.LEFT_ALONE: ("deixado em paz", "left alone"),
}
_OUTCOMES = {
    Outcome.RESTARTED: ("reiniciado", "restarted"),
    Outcome.VANISHED: ("não existe mais", "is gone"),
    Outcome.REFUSED: ("o proxy recusou", "the proxy refused"),
    Outcome.ENGINE_ERROR: ("o Docker deu erro", "the engine failed"),
    Outcome.TIMED_OUT: ("o Docker não respondeu a tempo", "the engine did not answer in time"),
    Outcome.ENGINE_DOWN: ("o Docker não responde", "the engine does not answer"),
    Outcome.NOT_UNDERSTOOD: ("resposta estranha do Docker", "an answer that is none of an engine"),
}


def say(language: str, portuguese: str, english: str) -> str:
    """Return the text in the language of the settings."""
    return english if language == "en" else portuguese


def condition_text(condition: str, language: str) -> str:
    """Return a condition in words; a name that is not known is returned as it is."""
    pair = {str(kind): words for kind, words in _CONDITIONS.items()}.get(condition)
    return say(language, *pair) if pair else condition


def look_lines(
    plan: Plan, outcomes: Mapping[str, Outcome], language: str, *, is_dry_run: bool
) -> list[str]:
    """Return a look as lines for a terminal."""
    if not plan.sightings:
        return [say(language, "nenhum contêiner do projeto", "no container of the project")]
    width = max(len(seen.container.name) for seen in plan.sightings)
    lines = []
    for seen in plan.sightings:
        words = [condition_text(seen.condition, language)]
        words += _details(seen, plan.state.records[seen.container.name], language)
        if seen.is_due and is_dry_run:
            words.append(say(language, "seria reiniciado", "would be restarted"))
        elif seen.is_due:
            outcome = outcomes.get(seen.container.name)
            words.append(say(language, *_OUTCOMES[outcome]) if outcome else "?")
        lines.append(printable(f"{seen.container.name:<{width}}  {', '.join(words)}"))
    return lines


def _details(seen: Sighting, record: Record, language: str) -> list[str]:
    words = []
    if seen.condition is Condition.FAILED:
        words.append(f"{say(language, 'código', 'exit code')} {seen.container.exit_code}")
        if seen.container.is_out_of_memory:
            words.append(say(language, "faltou memória", "out of memory"))
    if seen.wait_s:
        pause = say(language, "próxima tentativa em", "next attempt in")
        words.append(f"{pause} {seen.wait_s:.0f} s")
    if record.has_given_up:
        words.append(say(language, "o monitor desistiu", "the monitor has given up"))
    elif record.attempts and not seen.is_due:
        words.append(f"{say(language, 'reinícios', 'restarts')}: {record.attempts}")
    return words


def proposal_lines(proposal: Proposal, language: str) -> list[str]:
    """Return a diagnosis as lines for a terminal; what came of it stands in the log."""
    head = say(language, "diagnóstico", "diagnosis")
    action = say(language, "ação", "action")
    target = f" {proposal.target}" if proposal.target else ""
    return [
        printable(f"{head}: {proposal.diagnosis} ({proposal.reason})"),
        printable(f"  → {action}: {proposal.action}{target} [{proposal.source}]"),
    ]


def container_alert(name: str, record: Record, sighting: Sighting, language: str) -> Alert:
    """Return the alert that a container is not to be healed by restarts."""
    problem = condition_text(record.problem, language)
    return Alert(
        Severity.CRITICAL,
        CONTAINER_ALERT,
        name,
        say(
            language,
            f"o contêiner {name} não se recupera: {problem}; reinícios tentados: {record.attempts}",
            f"the container {name} does not recover: {problem}; restarts tried: {record.attempts}",
        ),
        say(
            language,
            f"Veja o motivo: docker logs --tail 50 {name}. Depois de corrigir: docker compose up -d.",
            f"See why: docker logs --tail 50 {name}. When it is put right: docker compose up -d.",
        ),
        {
            "episode": f"{record.container_id[:12]}:{record.gave_up_at:.3f}",
            "attempts": record.attempts,
            "problem": record.problem,
            "note": sighting.container.note,
        },
    )


def engine_alert(problem: EngineProblem, state: MonitorState, language: str) -> Alert:
    """Return the alert that nothing can be looked at."""
    failures = state.engine_failures
    return Alert(
        Severity.CRITICAL,
        ENGINE_ALERT,
        "docker",
        say(
            language,
            f"o Docker não responde ao monitor há {failures} verificações: {problem.message}",
            f"the Docker engine has not answered the monitor for {failures} looks: {problem.message}",
        ),
        problem.advice,
        {"episode": f"engine:{state.engine_failed_at:.3f}", "outcome": str(problem.outcome)},
    )
