"""``python -m vv_core.monitor.evaluate``: how often rules and model choose the right action for recorded faults.

The situations stand in ``recorded.json``, each with the action that a person would take, and where it comes from: a
fault that happened (`vv_core.monitor.record`) or somebody's pen. Rules must be right wherever they speak, and must
speak exactly where the table says that they know; otherwise it ends with 70. A model counts only against what costs
nothing: telling a person each time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode
from vv_core.logs import printable, setup_logging
from vv_core.monitor.ask_model import ask_quietly
from vv_core.monitor.proposal import Action, Proposal
from vv_core.monitor.recorded import RECORDED, Case, load_cases
from vv_core.monitor.rules import propose_by_rules
from vv_core.monitor.situation import Situation
from vv_core.settings import load_settings

PROG = "evaluate"

Ask = Callable[[Situation], Proposal | None]


@dataclass(frozen=True)
class Row:
    """What came of one case; `model` is None where none was asked, or it did not answer."""

    case: Case
    rules: Proposal | None
    model: Proposal | None
    was_asked: bool

    @property
    def rules_are_right(self) -> bool:
        """Whether the rules did what they should: the right thing, or nothing where they know nothing."""
        if self.rules is None:
            return not self.case.is_known
        return self.case.is_known and (self.rules.action, self.rules.target) == (
            self.case.action,
            self.case.target,
        )

    @property
    def model_is_right(self) -> bool:
        """Whether the model chose the right action."""
        return self.model is not None and self.model.action is self.case.action


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Score rules and model on recorded faults.")
    parser.add_argument(
        "--recorded", type=Path, default=RECORDED, metavar="FILE", help="other faults"
    )
    parser.add_argument("--model", action="store_true", help="ask the language model too")
    parser.add_argument(
        "--min-model",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="with --model: end with 70 when it is right less often (0 to 1) where the rules know nothing",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    ask: Ask | None = None
    if arguments.model:

        def ask(situation: Situation) -> Proposal | None:
            return ask_quietly(situation, settings.summary_timeout_s)

    rows = evaluate(load_cases(arguments.recorded), ask)
    figures = score(rows)
    if arguments.json:
        print(json.dumps(figures, indent=2))  # noqa: T201
    else:
        print("\n".join([*row_lines(rows), "", *figure_lines(figures)]))  # noqa: T201
    is_good = all(row.rules_are_right for row in rows)
    if arguments.model:
        is_good = is_good and figures["model_right_where_rules_know_nothing"] >= arguments.min_model
    return ExitCode.OK if is_good else ExitCode.SOFTWARE


def evaluate(cases: Sequence[Case], ask: Ask | None) -> list[Row]:
    """Let rules, and a model where there is one, choose for every case."""
    return [
        Row(
            case,
            propose_by_rules(case.situation),
            ask(case.situation) if ask is not None else None,
            was_asked=ask is not None,
        )
        for case in cases
    ]


def score(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the figures: counts, and shares from 0 to 1."""
    spoken = [row for row in rows if row.rules is not None]
    silent = [row for row in rows if row.rules is None]
    asked = [row for row in rows if row.was_asked]
    figures: dict[str, Any] = {
        "faults": len(rows),
        "recorded": sum(row.case.is_recorded for row in rows),
        "rules_spoke": len(spoken),
        "rules_right": _share([row.rules_are_right for row in spoken]),
        "rules_silent_where_they_should_speak": sum(row.case.is_known for row in silent),
        # What happens without a model: nothing but what a person sees anyway.
        "escalate_right_where_rules_know_nothing": _share(
            [row.case.action is Action.ESCALATE for row in silent]
        ),
    }
    if asked:
        told = figures["escalate_right_where_rules_know_nothing"]
        mine = _share([row.model_is_right for row in silent])
        figures |= {
            "model_answered": sum(row.model is not None for row in asked),
            "model_right": _share([row.model_is_right for row in asked]),
            "model_right_where_rules_know_nothing": mine,
            "model_against_escalate": round(mine / told, 4) if told else None,
            "model_chose": sorted({str(row.model.action) for row in asked if row.model}),
        }
    return figures


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 1.0


def row_lines(rows: Sequence[Row]) -> list[str]:
    """Return a line for every case."""
    lines = []
    for row in rows:
        mark = "ok " if row.rules_are_right else "BAD"
        said = "-" if row.rules is None else f"{row.rules.action} {row.rules.target}".strip()
        text = f"{mark} {row.case.name}: right {row.case.action}, rules {said}"
        if row.was_asked:
            text += f", model {row.model.action if row.model else 'no answer'}"
        lines.append(printable(text))
    return lines


def figure_lines(figures: dict[str, Any]) -> list[str]:
    """Return the figures, one a line."""
    return [f"{name}: {value}" for name, value in figures.items()]


if __name__ == "__main__":
    sys.exit(main())
