"""Faults that really happen on a box, and what is right then; the diagnosis is tried on them, and they can be kept.

``RECORD_FAULTS_INTO=FILE`` writes each situation, as `vv_core.monitor.record` does, for ``recorded.json``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vv_core.monitor.look import Monitor
from vv_core.monitor.proposal import Action
from vv_core.monitor.record import add_case, case_document, record, scrubbed
from vv_core.monitor.rules import propose_by_rules
from vv_core.settings import Settings

INTO = "RECORD_FAULTS_INTO"


@dataclass(frozen=True)
class Right:
    """What a person would do about a fault.

    Attributes:
        name: of the fault.
        target: of the action; counts where the rules know the fault.
        is_known: the rules are expected to know it.
    """

    name: str
    action: Action = Action.ESCALATE
    target: str = ""
    is_known: bool = False


def check_situation(right: Right, settings: Settings, monitor: Monitor) -> None:
    """Check that there is something to see, and that the rules do what is right or leave it alone."""
    situation = record(settings, monitor)
    if INTO in os.environ:
        document = scrubbed(situation, settings)
        case = case_document(
            right.name, document, right.action, right.target, is_known=right.is_known
        )
        add_case(Path(os.environ[INTO]), case)
    assert not situation.is_quiet
    found = propose_by_rules(situation)
    if right.is_known:
        assert found is not None
        assert (found.action, found.target) == (right.action, right.target)
    else:
        assert found is None
