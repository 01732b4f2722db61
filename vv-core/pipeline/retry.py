"""What follows from how a stage ended: the table of exit codes, as a function."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum

from vv_core.errors import ExitCode


class Action(Enum):
    """What the orchestrator does with a video after a stage."""

    ADVANCE = "advance"
    SKIP = "skip"
    RETRY = "retry"
    QUARANTINE = "quarantine"
    STOP = "stop"


@dataclass(frozen=True)
class RetryPolicy:
    """How patient the box is.

    Attributes:
        first_wait_s: wait after the first failure, seconds; doubles each time.
        longest_wait_s: upper limit of the wait.
        alert_after: failures until an operator is told.
        max_crashes: crashes until the video is quarantined.
    """

    first_wait_s: float
    longest_wait_s: float
    alert_after: int
    max_crashes: int


@dataclass(frozen=True)
class Attempts:
    """How often a video has failed so far.

    Attributes:
        failures: passing faults and crashes.
        crashes: crashes and time-outs of a stage.
        next_at: not before this time, seconds since 1970.
    """

    failures: int = 0
    crashes: int = 0
    next_at: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """A decision.

    Attributes:
        action: what to do.
        attempts: what to remember about the video.
        alert: whether an operator should know.
    """

    action: Action
    attempts: Attempts
    alert: bool = False


_ACTIONS: dict[int, Action] = {
    ExitCode.OK: Action.ADVANCE,
    ExitCode.DATAERR: Action.QUARANTINE,
    ExitCode.NOINPUT: Action.SKIP,
    ExitCode.USAGE: Action.STOP,
    ExitCode.CONFIG: Action.STOP,
    ExitCode.NOPERM: Action.STOP,
    ExitCode.UNAVAILABLE: Action.RETRY,
    ExitCode.TEMPFAIL: Action.RETRY,
    # Neither our bugs nor the kernel end with SIGTERM: somebody shuts the machine or the service down.
    128 + signal.SIGTERM: Action.RETRY,
}
"""A code that is not here is a crash: tried a few times, then quarantined."""


def is_crash(exit_code: int, timed_out: bool) -> bool:
    """Tell whether a stage crashed, or had to be ended."""
    return timed_out or exit_code not in _ACTIONS


def decide(
    exit_code: int, timed_out: bool, before: Attempts, now: float, policy: RetryPolicy
) -> Verdict:
    """Decide what happens to a video after a stage ended for it.

    Args:
        exit_code: of the stage for this video (``sysexits.h``; anything unknown is a crash).
        timed_out: the stage was ended because it took too long.
        before: the video's failures until now.
        now: seconds since 1970.
        policy: how patient to be.
    """
    has_crashed = is_crash(exit_code, timed_out)
    action = Action.RETRY if has_crashed else _ACTIONS[exit_code]
    if action in (Action.ADVANCE, Action.SKIP, Action.STOP):
        return Verdict(action, before, alert=action is Action.STOP)
    attempts = _failed(before, now, policy, has_crashed)
    if has_crashed and attempts.crashes >= policy.max_crashes:
        return Verdict(Action.QUARANTINE, attempts, alert=True)
    is_persistent = action is Action.RETRY and attempts.failures >= policy.alert_after
    return Verdict(action, attempts, alert=is_persistent)


def is_due(attempts: Attempts, now: float, policy: RetryPolicy) -> bool:
    """Tell whether a video's wait is over.

    A wait longer than the policy allows comes from a clock that was set back, and is not believed.
    """
    return now >= attempts.next_at or attempts.next_at - now > policy.longest_wait_s


def _failed(before: Attempts, now: float, policy: RetryPolicy, has_crashed: bool) -> Attempts:
    # 2.0 ** 64 is beyond any limit, and a larger exponent would overflow after years of failing.
    wait = min(policy.first_wait_s * 2.0 ** min(before.failures, 64), policy.longest_wait_s)
    return Attempts(before.failures + 1, before.crashes + has_crashed, now + wait)
