"""One run of the cleanup: look, decide, remove, have the log say so, report."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vv_core.alerts import Alert, Severity, make_alerter
from vv_core.clock import Clock, SystemClock, format_utc
from vv_core.errors import ExitCode, from_oserror
from vv_core.logs import printable
from vv_core.pipeline.coverage_log import append_events
from vv_core.pipeline.lock import AlreadyRunning, CycleLock
from vv_core.pipeline.runners import StageRunner, make_runner
from vv_core.retention.decision import FileFact, Plan, Removal, SpaceLimit, plan_removals
from vv_core.retention.looking import Look, Places, Target, learn_known, look_at
from vv_core.retention.policy import RetentionPolicy
from vv_core.retention.removal_record import RECORD_NAME, RemovalRecord, deliver
from vv_core.retention.removing import Outcome, apply_removals
from vv_core.retention.report import document_of, report_lines, why_text
from vv_core.settings import Settings

_LOCK_NAME = "cleanup.lock"

MakeRunner = Callable[[Settings], StageRunner]


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    Attributes:
        targets: what to look at.
        policy: how long files are kept.
        space: how much is to be free; None: old files go in any case.
        exclude: patterns of names that stay.
        is_dry: nothing is removed.
        is_json: the report is for programs.
        log_file: gets a line for each file.
    """

    targets: Sequence[Target]
    policy: RetentionPolicy
    space: SpaceLimit | None = None
    exclude: tuple[str, ...] = ()
    is_dry: bool = False
    is_json: bool = False
    log_file: Path | None = None


@dataclass
class Result:
    """What a run found and did.

    Attributes:
        plan: what was decided.
        outcome: what became of it; of a dry run nothing.
        look: what could not be looked at or was not there.
        problems: what else a person should know, as playlists that cannot be read.
        logged: lines that the provable log got.
        unlogged: lines that it is still to get.
        log_problem: why it did not.
    """

    plan: Plan
    outcome: Outcome
    look: Look
    problems: list[str] = field(default_factory=list)
    logged: int = 0
    unlogged: int = 0
    log_problem: str = ""

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.outcome.failed or self.look.problems or self.problems:
            return ExitCode.TEMPFAIL
        return ExitCode.NOINPUT if self.look.missing else ExitCode.OK


def run_cleanup(
    settings: Settings,
    places: Places,
    request: Request,
    clock: Clock | None = None,
    make_stage_runner: MakeRunner = make_runner,
) -> int:
    """Clean up, or say what would go, and return the exit code.

    Args:
        settings: of the box.
        places: its folders.
        request: what is asked for.
        clock: the time; the machine's by default.
        make_stage_runner: makes what runs the log's writer.

    Raises:
        VvError: the box's own state, or the log file, cannot be read or written.
    """
    clock = clock or SystemClock()
    data = settings.storage.orchestrator_data
    try:
        with _open_log_file(request.log_file) as write_line:
            if request.is_dry:
                result = _decide(settings, places, request, clock)
                _note(result.plan.removals, "would remove", write_line, settings, clock)
            else:
                data.mkdir(exist_ok=True)
                with CycleLock(data / _LOCK_NAME):
                    result = _clean(
                        settings,
                        places,
                        request,
                        clock=clock,
                        make_stage_runner=make_stage_runner,
                        write_line=write_line,
                    )
    except AlreadyRunning:
        _say(settings, "outra limpeza está em andamento", "another cleanup is at work")
        return ExitCode.OK
    except OSError as exc:
        raise from_oserror(exc, "clean up") from exc
    _show(settings, request, result)
    return result.exit_code


def _decide(settings: Settings, places: Places, request: Request, clock: Clock) -> Result:
    look = look_at(request.targets, places)
    known, problems = learn_known(settings, clock.now().timestamp(), request.exclude)
    facts = list(look.facts.values())
    needed = None if request.space is None else _needed(facts, request.space)
    plan = plan_removals(facts, request.policy, known, needed)
    return Result(plan, Outcome(), look, problems)


def _needed(facts: Sequence[FileFact], space: SpaceLimit) -> dict[int, int]:
    """Return what each file system lacks; one place on each is enough to ask it."""
    one_of = {fact.device: fact.path for fact in facts}
    needed = {}
    for device, path in one_of.items():
        usage = shutil.disk_usage(os.path.dirname(path))  # noqa: PTH120
        needed[device] = space.needed(usage.free, usage.total)
    return needed


def _clean(
    settings: Settings,
    places: Places,
    request: Request,
    *,
    clock: Clock,
    make_stage_runner: MakeRunner,
    write_line: Callable[[str], None],
) -> Result:
    record = RemovalRecord(settings.storage.orchestrator_data / RECORD_NAME)
    record.mend()
    result = _decide(settings, places, request, clock)
    result.outcome = apply_removals(
        result.plan.removals,
        record,
        clock,
        lambda removal: why_text(removal, settings.language),
        lambda removal: _note([removal], "removed", write_line, settings, clock),
    )
    for path, reason in result.outcome.failed:
        write_line(f"{format_utc(clock.now())} not removed {path}: {reason}")
    if record.read():
        runner = make_stage_runner(settings)
        result.logged, result.unlogged, result.log_problem = deliver(
            record, lambda events: append_events(settings, runner, events)
        )
        if result.log_problem:
            _alert(settings, clock, result)
    return result


def _alert(settings: Settings, clock: Clock, result: Result) -> None:
    urls = settings.alert_urls.get_secret_value() if settings.alert_urls else None
    path = settings.storage.orchestrator_data / "alerts.jsonl"
    make_alerter(path, urls, clock.now()).tell(
        Alert(
            Severity.WARNING,
            "removal_not_logged",
            "log",
            f"the log could not be told of {result.unlogged} removed files: {result.log_problem}",
            "Look at vv-log status; it is tried again with the next cleanup.",
        ),
        clock.now(),
    )


def _note(
    removals: Sequence[Removal],
    verb: str,
    write_line: Callable[[str], None],
    settings: Settings,
    clock: Clock,
) -> None:
    for removal in removals:
        fact = removal.fact
        why = why_text(removal, settings.language)
        write_line(f"{format_utc(clock.now())} {verb} {fact.path} ({fact.size} B): {why}")


@contextmanager
def _open_log_file(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Yield what appends a line to the log file of the command line, if there is one."""
    if path is None:
        yield lambda _line: None
        return
    with path.open("a", encoding="utf-8") as stream:

        def write_line(line: str) -> None:
            stream.write(f"{printable(line)}\n")
            stream.flush()

        yield write_line


def _show(settings: Settings, request: Request, result: Result) -> None:
    document = document_of(result.plan, result.outcome, is_dry=request.is_dry)
    problems = [
        f"{path}: {reason}" for path, reason in (*result.look.problems, *result.outcome.failed)
    ]
    problems += result.problems
    problems += [f"{path}: {_missing_text(settings)}" for path in result.look.missing]
    if request.is_json:
        document |= {"problems": problems, "logged": result.logged, "unlogged": result.unlogged}
        print(json.dumps(document, indent=2))  # noqa: T201
        return
    for line in report_lines(document, settings.language):
        print(printable(line))  # noqa: T201
    if result.logged:
        _say(
            settings,
            f"registro: {result.logged} remoções anotadas",
            f"log: {result.logged} removals written down",
        )
    if result.log_problem:
        problems.append(f"{result.unlogged}: {result.log_problem}")
    for problem in problems:
        print(f"! {printable(problem)}", file=sys.stderr)  # noqa: T201


def _missing_text(settings: Settings) -> str:
    return "does not exist" if settings.language == "en" else "não existe"


def _say(settings: Settings, portuguese: str, english: str) -> None:
    print(english if settings.language == "en" else portuguese)  # noqa: T201
