"""The loop of a program that stays: a turn, a heartbeat, a pause, until it is asked to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vv_core.clock import Clock, SystemClock
from vv_core.errors import ExitCode, VvError, from_oserror
from vv_core.heartbeat import Heartbeat
from vv_core.logs import get_logger
from vv_core.stop_sign import StopSign

_logger = get_logger("service")

Job = Callable[[Callable[[], bool]], Mapping[str, object]]
"""One turn: is told how to ask whether the service should end, returns figures about its work.

It raises a `VvError` when it could not do its job."""

Rest = Callable[[StopSign, float], None]
"""What is done between two turns: returns after so many seconds, earlier when there is work or the sign is set."""


@dataclass(frozen=True)
class Service:
    """How a program stays.

    Attributes:
        name: of the service in docker-compose.yml.
        heartbeat: the file of its heartbeat.
        pause_s: between two turns, at most.
        patience_s: how long one turn may take before the service counts as stuck.
    """

    name: str
    heartbeat: Path
    pause_s: float
    patience_s: float

    @property
    def good_for_s(self) -> float:
        """Seconds for which a heartbeat counts."""
        return self.pause_s + self.patience_s


def run_service(
    service: Service, job: Job, clock: Clock | None = None, rest: Rest = StopSign.wait
) -> int:
    """Work turn by turn until asked to end; a turn that fails is told, and the next one tries again.

    Args:
        service: how the program stays.
        job: one turn.
        clock: the time.
        rest: what is done between two turns; by default nothing.

    Returns:
        0, after the turn in which the process was asked to end.
    """
    state = _State(service, clock or SystemClock())
    with StopSign() as sign:
        while not sign.is_set():
            state.take_turn(job, sign.is_set)
            if not sign.is_set():
                rest(sign, service.pause_s)
    _logger.info("%s ends as it was asked to", service.name)
    return ExitCode.OK


class _State:
    """What is remembered from turn to turn: what was told already."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        self._told = ""

    def take_turn(self, job: Job, is_ending: Callable[[], bool]) -> None:
        problem: VvError | None = None
        details: Mapping[str, object] = {}
        try:
            details = job(is_ending)
        except VvError as exc:
            problem = exc
        except OSError as exc:
            problem = from_oserror(exc, "go on")
        self._tell(problem)
        self._beat(problem, details)

    def _tell(self, problem: VvError | None) -> None:
        """Log a problem once, not with every turn, and its end."""
        text = problem.message if problem else ""
        if problem is not None and text != self._told:
            _logger.error("%s → %s", text, problem.advice)
        if self._told and not text:
            _logger.warning("%s does its job again", self._service.name)
        self._told = text

    def _beat(self, problem: VvError | None, details: Mapping[str, object]) -> None:
        heartbeat = Heartbeat(
            self._service.name,
            self._clock.now(),
            self._service.good_for_s,
            problem.message if problem else "",
            problem.advice if problem else "",
            dict(details),
        )
        try:
            heartbeat.write(self._service.heartbeat)
        except OSError as exc:
            # The old one grows stale, and that is what the healthcheck sees.
            _logger.error("%s", from_oserror(exc, "write the heartbeat").message)
