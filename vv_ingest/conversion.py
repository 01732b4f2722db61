"""Making sure that one video plays: as it is, or as a version that was made, decoded and found right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import temp_name
from vv_core.errors import InputDataError, TemporaryError, from_oserror
from vv_core.logs import get_logger
from vv_ingest.decision import (
    Decision,
    Limits,
    Sound,
    Work,
    decide,
    drop_sound,
    encode_instead,
    find_stillness,
    is_long,
    is_short,
    tolerance_s,
)
from vv_ingest.probe import Probe
from vv_ingest.tools import Pass, Tools

ROOM_BYTES = 4 * 2**20
"""So much must still fit beside a version that failed: otherwise the disk was its fault."""
_ADVICE = "Nothing can be made of it; TVs show its picture instead."
_DAMAGED = "a part of it is damaged"
_UNKNOWN_LIMIT_S = 12 * 3600.0

_logger = get_logger("clips")


@dataclass(frozen=True)
class Playable:
    """A file that plays.

    Attributes:
        path: where it is now; None: the video itself.
        probe: what is known of it.
        duration_s: how long it plays.
        note: what is not quite right, "" when all is.
    """

    path: Path | None
    probe: Probe
    duration_s: float
    note: str = ""


class Conversion:
    """The work on one video.

    Args:
        source: the video.
        sha256: of its content.
        target: where a version is made; whoever calls gives it its name, or removes it.
        tools: ffmpeg.
        limits: what a TV takes.
    """

    def __init__(
        self, source: Path, sha256: str, target: Path, *, tools: Tools, limits: Limits
    ) -> None:
        self._source = source
        self._sha256 = sha256
        self._target = target
        self._tools = tools
        self._limits = limits

    def run(self) -> Playable:
        """Find out whether the video plays, or make a version that does.

        Raises:
            InputDataError: nothing that plays can be made of it.
            ToolFault: ffmpeg did not come to an end.
            TemporaryError: the disk is full, or we were asked to end.
            OSError: a file cannot be read or written.
        """
        if self._source.stat().st_size == 0:
            raise InputDataError("it is empty", advice=_ADVICE)
        probe = self._tools.probe(self._source)
        decision = self._look_for_stillness(decide(probe, self._limits))
        if decision.work is Work.NOTHING:
            found = self._as_it_is(probe, decision)
            if isinstance(found, Playable):
                return found
            decision = encode_instead(decision, found)
        if decision.work is Work.REFUSE:
            raise InputDataError(decision.why, advice=_ADVICE)
        return self._make_best(probe, decision)

    def _look_for_stillness(self, decision: Decision) -> Decision:
        """Return the decision to encode where pictures that would be left as they are stand too long."""
        if decision.work not in {Work.NOTHING, Work.COPY} or decision.video is None:
            return decision
        problem = find_stillness(self._tools.times(self._source, decision.video))
        return encode_instead(decision, problem) if problem else decision

    def _as_it_is(self, probe: Probe, decision: Decision) -> Playable | str:
        """Return the video itself, or why it does not play."""
        assert decision.video is not None
        passed = self._tools.decode(self._source, decision.video, decision.audio)
        damage = find_damage(passed, probe)
        return damage or Playable(None, probe, probe.duration_s or passed.seconds)

    def _make_best(self, probe: Probe, decision: Decision) -> Playable:
        problem = ""
        for attempt in plan_attempts(decision):
            fields = {"why": attempt.why, "work": attempt.work}
            _logger.info("makes a version", extra={"fields": fields})
            made = self._make(probe, attempt)
            if isinstance(made, Playable):
                return made
            _logger.info("it is of no use", extra={"fields": {"problem": made}})
            require_room(self._target.parent)
            problem = problem or made
        raise InputDataError(problem, advice=_ADVICE)

    def _make(self, probe: Probe, decision: Decision) -> Playable | str:
        """Make a version and look at it; return why it is none."""
        said_s = probe.duration_s
        limit_s = _UNKNOWN_LIMIT_S if said_s is None else said_s + tolerance_s(said_s)
        passed = self._tools.make(self._source, self._target, decision, limit_s, self._sha256)
        is_copy = decision.work is Work.COPY
        if passed.exit_code or (is_copy and passed.problem):
            return passed.problem
        made, seconds, problem = self._look_at_made()
        if problem or made is None:
            return problem
        if is_long(seconds, said_s):
            return f"it lasts {seconds:.1f} instead of {said_s:.1f} s"
        if not is_short(seconds, said_s):
            return Playable(self._target, made, seconds, _DAMAGED if passed.problem else "")
        note = f"{seconds:.1f} of {said_s:.1f} s could be read"
        return note if is_copy else Playable(self._target, made, seconds, note)

    def _look_at_made(self) -> tuple[Probe | None, float, str]:
        """Return what was made, how long it plays, and why it does not play, or ""."""
        try:
            made = self._tools.probe(self._target)
        except InputDataError as exc:
            return None, 0, exc.message
        judged = decide(made, self._limits)
        if judged.work is not Work.NOTHING or judged.video is None:
            return None, 0, judged.why
        passed = self._tools.decode(self._target, judged.video, judged.audio)
        return made, made.duration_s or passed.seconds, find_damage(passed, made)


def find_damage(passed: Pass, probe: Probe) -> str:
    """Return what is wrong with a video that was decoded, or ""."""
    if passed.problem or passed.exit_code:
        return passed.problem
    said = probe.videos[0].frames
    if passed.frames == 0:
        return "no picture can be decoded"
    if is_short(passed.seconds, probe.duration_s):
        return f"only {passed.seconds:.1f} of {probe.duration_s:.1f} s can be decoded"
    if said is not None and is_short(passed.frames, said):
        return f"only {passed.frames} of {said} pictures can be decoded"
    return ""


def plan_attempts(decision: Decision) -> Iterator[Decision]:
    """Yield what to try, the cheapest first."""
    yield decision
    if decision.work is Work.COPY:
        decision = encode_instead(decision, f"{decision.why}, and copying failed")
        yield decision
    if decision.sound is not Sound.NONE:
        yield drop_sound(decision)


def require_room(folder: Path) -> None:
    """Make sure that a failure was not the disk's: what is full, or not writable, says so when it is asked.

    Raises:
        TemporaryError: it was.
    """
    path = folder / temp_name(".room")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, ROOM_BYTES)
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as exc:
        error = from_oserror(exc, "make a clip for TVs in", folder)
        raise TemporaryError(error.message, advice=error.advice) from exc
