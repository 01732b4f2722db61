"""``rebuild_changed``: build the images whose inputs changed, start them, and go back where they do not get well."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from vv_core.alerts import Alert, Severity, make_alerter
from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import ExitCode, UsageError, from_oserror
from vv_core.images.compose_model import Image, parse_images
from vv_core.images.engine import ComposeEngine
from vv_core.images.fingerprint import fingerprint
from vv_core.images.memory import load_known, save_known
from vv_core.images.plan import Known, Reason, Step, choose_images, plan_builds
from vv_core.images.renewal import Means, Outcome, Result, renew
from vv_core.logs import get_logger, printable, setup_logging
from vv_core.pipeline.compose_environment import client_environment, prepare_folders
from vv_core.pipeline.lock import AlreadyRunning, CycleLock
from vv_core.settings import Settings, load_settings

PROG = "rebuild_changed"
_DEFAULT_WAIT_S = 180

_REASONS = {
    Reason.MISSING: ("não existe: construir", "missing: build"),
    Reason.CHANGED: ("mudou: construir", "changed: build"),
    Reason.REPLACED: ("trocada por fora: construir", "replaced by somebody: build"),
    Reason.INTERRUPTED: ("interrompida da última vez: construir", "interrupted last time: build"),
    Reason.ASKED_FOR: ("pedido: construir", "asked for: build"),
    Reason.CURRENT: ("em dia", "up to date"),
    Reason.REFUSED: (
        "já recusada assim; --force tenta de novo",
        "refused before; --force tries again",
    ),
}
_OUTCOMES = {
    Outcome.RENEWED: ("renovada", "renewed"),
    Outcome.UNCHANGED: ("construída, ficou igual", "built, and is the same"),
    Outcome.BUILD_FAILED: ("não foi construída", "was not built"),
    Outcome.ROLLED_BACK: ("não ficou saudável; voltou à anterior", "did not get healthy; the one before is back"),
    Outcome.NO_WAY_BACK: ("não ficou saudável e não há anterior", "did not get healthy, and there is none before it"),
    Outcome.ROLLBACK_FAILED: ("nem ela nem a anterior ficaram saudáveis", "neither it nor the one before got healthy"),
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def build_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        PROG,
        "Build the images whose inputs have changed, start them, and go back where they do not get healthy.",
        epilog="Exit codes are those of sysexits.h (69: something was not renewed); see docs/self-healing.md.",
    )
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these; default: all")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_true", help="say what would be built, do nothing")
    only.add_argument(
        "--remember",
        action="store_true",
        help="build nothing: the images that are here were made of what is here (after an installation)",
    )
    parser.add_argument("--force", action="store_true", help="build whatever has changed or not")
    parser.add_argument(
        "--pull", action="store_true", help="fetch the bases anew (needs a registry)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--wait",
        type=int,
        default=_DEFAULT_WAIT_S,
        metavar="SECONDS",
        help=f"longest wait for health, {_DEFAULT_WAIT_S} by default",
    )
    return parser


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    data = settings.storage.orchestrator_data
    engine = ComposeEngine(settings.resolve(settings.compose_file), client_environment(settings))
    engine.check()
    try:
        with CycleLock(data / "images.lock"):
            return _run_locked(settings, engine, data / "images.json", arguments)
    except AlreadyRunning:
        words = ("outra reconstrução está em curso", "another rebuild is at work")
        _say(settings, *words)
        return ExitCode.OK
    except OSError as exc:
        raise from_oserror(exc, "look at what images are made of") from exc


def _run_locked(
    settings: Settings, engine: ComposeEngine, path: Path, arguments: argparse.Namespace
) -> int:
    images = _chosen(parse_images(engine.describe()), arguments.services)
    known = load_known(path)
    ids = {image.name: engine.image_id(image.name) for image in images}
    images = choose_images(images, ids, are_named=bool(arguments.services))
    fingerprints = {image.name: fingerprint(image.build, engine.image_id) for image in images}
    ids = {image.name: ids[image.name] for image in images}
    if arguments.remember:
        _remember(path, known, fingerprints, ids)
    steps = plan_builds(
        images,
        fingerprints,
        known,
        ids,
        # A base that is fetched anew may differ, and only the build can tell.
        is_forced=arguments.force or arguments.pull,
    )
    results: list[Result] = []
    due = [step for step in steps if step.reason.is_due]
    if due and not arguments.dry_run and not arguments.remember:
        prepare_folders(settings)
        results = [_renew(step, known, path, engine, arguments) for step in due]
        _alert(settings, [result for result in results if not result.outcome.is_good])
    _show(settings, steps, results, is_json=arguments.json)
    return (
        ExitCode.OK if all(result.outcome.is_good for result in results) else ExitCode.UNAVAILABLE
    )


def _remember(
    path: Path, known: dict[str, Known], fingerprints: Mapping[str, str], ids: Mapping[str, str]
) -> None:
    """Take each image that is here for one of these inputs; what changes nothing writes nothing."""
    found = {name: Known(fingerprints[name], ids[name]) for name in ids if ids[name]}
    if known | found != known:
        known |= found
        save_known(path, known)


def _chosen(images: Sequence[Image], services: Sequence[str]) -> list[Image]:
    there = {name for image in images for name in (*image.services, *image.jobs)}
    if unknown := set(services) - there:
        raise UsageError(
            f"no image is built for {', '.join(sorted(unknown))}",
            advice=f"Choose of: {', '.join(sorted(there))}.",
        )
    wanted = set(services) or there
    return [image for image in images if wanted & {*image.services, *image.jobs}]


def _renew(
    step: Step,
    known: dict[str, Known],
    path: Path,
    engine: ComposeEngine,
    arguments: argparse.Namespace,
) -> Result:
    """Renew one image; that it fails does not stop the next."""
    name = step.image.name

    def remember(entry: Known) -> None:
        known[name] = entry
        save_known(path, known)

    means = Means(engine, remember, arguments.wait, is_pulling=arguments.pull)
    result = renew(step, known.get(name, Known()), means)
    fields = {"image": name, "reason": str(step.reason), "problem": result.problem}
    get_logger("images").info("%s: %s", name, result.outcome, extra={"fields": fields})
    return result


def _alert(settings: Settings, failed: Sequence[Result]) -> None:
    moment: datetime = SystemClock().now()
    urls = settings.alert_urls.get_secret_value() if settings.alert_urls else None
    alerter = make_alerter(settings.storage.orchestrator_data / "alerts.jsonl", urls, moment)
    for result in failed:
        severity = Severity.CRITICAL if result.outcome.is_critical else Severity.WARNING
        words = _OUTCOMES[result.outcome][settings.language == "en"]
        advice = (
            ("Veja logs/app.log e corrija; depois: scripts/rebuild_changed.sh --force.",
             "See logs/app.log and put it right; then: scripts/rebuild_changed.sh --force.")
            [settings.language == "en"]
        )  # fmt: skip
        alerter.tell(
            Alert(severity, "image_not_renewed", result.image, f"{result.image}: {words}", advice,
                  {"outcome": str(result.outcome), "problem": result.problem}),
            moment,
        )  # fmt: skip


def _show(
    settings: Settings, steps: Sequence[Step], results: Sequence[Result], *, is_json: bool
) -> None:
    came = {result.image: result for result in results}
    if is_json:
        rows = [
            {
                "image": step.image.name,
                "reason": str(step.reason),
                "outcome": str(came[step.image.name].outcome) if step.image.name in came else "",
                "problem": came[step.image.name].problem if step.image.name in came else "",
            }
            for step in steps
        ]
        print(json.dumps(rows, indent=2))  # noqa: T201
        return
    is_english = settings.language == "en"
    if not steps:
        _say(
            settings,
            "as imagens vêm de um registro (IMAGE_PULL_POLICY); nada a construir",
            "images come from a registry (IMAGE_PULL_POLICY); nothing to build",
        )
    width = max((len(step.image.name) for step in steps), default=0)
    for step in steps:
        result = came.get(step.image.name)
        words = _REASONS[step.reason] if result is None else _OUTCOMES[result.outcome]
        problem = f" ({result.problem})" if result is not None and result.problem else ""
        print(printable(f"{step.image.name:<{width}}  {words[is_english]}{problem}"))  # noqa: T201


def _say(settings: Settings, portuguese: str, english: str) -> None:
    print(english if settings.language == "en" else portuguese)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
