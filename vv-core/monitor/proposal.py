"""A diagnosis and one action from a closed list; and how often any may be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

HOUR_S = 3600.0


class Diagnosis(StrEnum):
    """What is wrong, as far as the diagnosis can say."""

    SERVICE_STUCK = "service_stuck"
    SERVICE_BROKEN = "service_broken"
    OUT_OF_MEMORY = "out_of_memory"
    CACHE_DAMAGED = "cache_damaged"
    MODEL_FAULT = "model_fault"
    VIDEOS_HELD_BACK = "videos_held_back"
    DISK_FULL = "disk_full"
    SETTINGS_WRONG = "settings_wrong"
    KEYS_WRONG = "keys_wrong"
    CAMERA_OR_NETWORK = "camera_or_network"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What may be done about it; there is nothing else."""

    RESTART = "restart"
    REQUEUE = "requeue"
    CLEAR_CACHE = "clear_cache"
    RAISE_MEMORY = "raise_memory"
    ROLL_BACK_MODEL = "roll_back_model"
    ESCALATE = "escalate"


@dataclass(frozen=True)
class Proposal:
    """What is proposed.

    Attributes:
        target: service, kind of model, or memory variable that the action is about; "" where it needs none.
        reason: why, for a person.
        source: "rules", or the model's file name.
    """

    diagnosis: Diagnosis
    action: Action
    target: str
    reason: str
    source: str = "rules"

    @property
    def is_of_rules(self) -> bool:
        """Whether rules are sure of it: a model only ever proposes."""
        return self.source == "rules"

    @property
    def key(self) -> str:
        """What makes two proposals the same."""
        return f"{self.diagnosis}:{self.action}:{self.target}"


@dataclass(frozen=True)
class Made:
    """A proposal that was made before: which, and when (seconds since the epoch)."""

    key: str
    at_s: float


def may_propose(key: str, made: Sequence[Made], now_s: float, per_hour: int) -> bool:
    """Tell whether a proposal may be made now: few an hour, and the same one only once in it.

    Times from the future count too: after a clock was put back, that is an hour of silence and no flood.
    """
    recent = [before for before in made if before.at_s > now_s - HOUR_S]
    return len(recent) < per_hour and all(before.key != key for before in recent)


def may_ask(made: Sequence[Made], now_s: float, per_hour: int) -> bool:
    """Tell whether there is room for any proposal: otherwise a model need not even be asked."""
    return sum(1 for before in made if before.at_s > now_s - HOUR_S) < per_hour
