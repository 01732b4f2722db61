"""The table of faults, ``recorded.json``: each with the action that a person would take, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.errors import InputDataError
from vv_core.jsonio import read_json
from vv_core.monitor.proposal import Action
from vv_core.monitor.situation import Situation, parse_situation

RECORDED = Path(__file__).with_name("recorded.json")
RECORDED_ORIGIN, WRITTEN_ORIGIN = "recorded", "written"
"""Where a case comes from: a fault that happened, or somebody's pen."""


@dataclass(frozen=True)
class Case:
    """A recorded fault and what is right.

    Attributes:
        target: of the action, as rules name it; a model names none.
        is_known: the rules are expected to know it.
        is_recorded: it happened; otherwise somebody wrote it down from what the product would say.
    """

    name: str
    situation: Situation
    action: Action
    target: str
    is_known: bool
    is_recorded: bool


def load_cases(path: Path) -> list[Case]:
    """Return recorded faults.

    Raises:
        VvError: the file is not there, or holds something else.
    """
    document = read_json(path)
    try:
        return [_case(raw) for raw in document]
    except (KeyError, TypeError, ValueError) as exc:
        raise InputDataError(
            f"{str(path)!r} holds no recorded faults: {exc}",
            advice="Write it as vv-core/monitor/recorded.json.",
        ) from exc


def _case(raw: Any) -> Case:
    return Case(
        raw["name"],
        parse_situation(raw["situation"]),
        Action(raw["right"]["action"]),
        raw["right"]["target"],
        raw["known_to_rules"],
        _is_recorded(raw["origin"]),
    )


def _is_recorded(origin: object) -> bool:
    if origin not in (RECORDED_ORIGIN, WRITTEN_ORIGIN):
        raise ValueError(f"an origin is {RECORDED_ORIGIN} or {WRITTEN_ORIGIN}")
    return origin == RECORDED_ORIGIN
