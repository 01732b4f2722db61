"""``python -m vv_core.monitor.record``: write down a fault as the diagnosis sees it, for `vv_core.monitor.evaluate`.

It looks, and changes nothing. Paths and the project's name are replaced by those of a usual box; names of videos and
what messages say about them stay, so look at the file before you pass it on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from vv_core.atomic import write_text_atomic
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode, InputDataError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import setup_logging
from vv_core.monitor.command import make_monitor
from vv_core.monitor.diagnose import PROPOSALS_FILE, gather, read_proposals
from vv_core.monitor.engine import DockerEngine
from vv_core.monitor.look import Monitor, look
from vv_core.monitor.proposal import Action
from vv_core.monitor.recorded import RECORDED_ORIGIN
from vv_core.monitor.situation import Situation, situation_document
from vv_core.settings import Settings, load_settings

PROG = "record"
USUAL_HOME, USUAL_PROJECT = "/opt/vv-video-ai-system", "vv-video-ai"
_CODE = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Write down a fault as the diagnosis sees it now.")
    parser.add_argument("name", metavar="NAME", help="what happened, in a few words")
    parser.add_argument(
        "action", type=Action, choices=list(Action), metavar="ACTION",
        help=f"what is right: {', '.join(Action)}",
    )  # fmt: skip
    parser.add_argument("--target", default="", help="of the action, as the rules name it")
    parser.add_argument(
        "--known", action="store_true", help="the rules are expected to know it: the target counts"
    )
    parser.add_argument(
        "--into", type=Path, required=True, metavar="FILE", help="JSON; the case is added"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    with closing(DockerEngine(settings.docker_host, settings.docker_timeout_s)) as engine:
        situation = record(settings, make_monitor(settings, engine, is_dry_run=True))
    case = case_document(
        arguments.name,
        scrubbed(situation, settings),
        arguments.action,
        arguments.target,
        is_known=arguments.known,
    )
    add_case(arguments.into, case)
    return ExitCode.OK


def record(settings: Settings, monitor: Monitor) -> Situation:
    """Return what the diagnosis would look at now.

    Raises:
        VvError: the engine does not answer, or the proposals cannot be read.
    """
    watching = replace(monitor, is_dry_run=True)
    entries = read_proposals(monitor.folder / PROPOSALS_FILE)
    return gather(settings, look(watching), watching, entries)


def scrubbed(situation: Situation, settings: Settings) -> dict[str, Any]:
    """Return a situation's document without what tells this box from another."""
    text = json.dumps(situation_document(situation), ensure_ascii=False)
    names = {sys.prefix: f"{USUAL_HOME}/.venv", str(_CODE): USUAL_HOME}
    names[str(Path(settings.home).absolute())] = USUAL_HOME
    names[settings.compose_project] = USUAL_PROJECT
    for own, usual in names.items():
        text = text.replace(json.dumps(own, ensure_ascii=False)[1:-1], usual)
    document: dict[str, Any] = json.loads(text)
    return {name: value for name, value in document.items() if value not in (None, [], {})}


def case_document(
    name: str, situation: dict[str, Any], action: Action, target: str, *, is_known: bool
) -> dict[str, Any]:
    """Return a recorded case in the form of ``recorded.json``."""
    return {
        "name": name,
        "origin": RECORDED_ORIGIN,
        "situation": situation,
        "right": {"action": str(action), "target": target},
        "known_to_rules": is_known,
    }


def add_case(path: Path, case: dict[str, Any]) -> None:
    """Add a case to a file; one of the same name is replaced.

    Raises:
        VvError: the file cannot be read or written, or holds something else.
    """
    cases = read_json(path) if path.exists() else []
    if not isinstance(cases, list) or not all(isinstance(one, dict) for one in cases):
        raise InputDataError(
            f"{str(path)!r} holds no recorded faults", advice="Name another file with --into."
        )
    kept = [one for one in cases if one.get("name") != case["name"]]
    try:
        write_text_atomic(path, json.dumps([*kept, case], indent=1, ensure_ascii=False) + "\n")
    except OSError as exc:
        raise from_oserror(exc, "write the recorded fault", path) from exc


if __name__ == "__main__":
    sys.exit(main())
