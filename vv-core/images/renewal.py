"""Renewing one image: build, start, wait for health, and back to the one before when that does not come.

The way back is on disk before the build begins: a run that is killed anywhere is put right by the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from vv_core.images.plan import Known, Step, previous_name
from vv_core.logs import get_logger


class Outcome(StrEnum):
    """What came of renewing an image."""

    RENEWED = "renewed"
    UNCHANGED = "unchanged"
    BUILD_FAILED = "build failed"
    ROLLED_BACK = "rolled back"
    NO_WAY_BACK = "not healthy, and none before it"
    ROLLBACK_FAILED = "not healthy, and neither is the one before"

    @property
    def is_good(self) -> bool:
        """Whether the image is now what it should be."""
        return self in {Outcome.RENEWED, Outcome.UNCHANGED}

    @property
    def is_critical(self) -> bool:
        """Whether something does not run because of it."""
        return self in {Outcome.NO_WAY_BACK, Outcome.ROLLBACK_FAILED}


@dataclass(frozen=True)
class Result:
    """An outcome, and why."""

    image: str
    outcome: Outcome
    problem: str = ""


class Engine(Protocol):
    """What renewing needs of Docker; see `engine.ComposeEngine`."""

    def image_id(self, name: str) -> str:
        """Return the id of an image, or ""."""

    def tag(self, image_id: str, name: str) -> None:
        """Give an image a name."""

    def remove(self, image_id: str) -> bool:
        """Remove an image."""

    def build(self, service: str, *, is_pulling: bool) -> str:
        """Build; return why it failed, or ""."""

    def running(self) -> set[str]:
        """Return the services that run."""

    def start(self, services: tuple[str, ...], wait_s: int) -> str:
        """Start and wait; return why they are not healthy, or ""."""

    def try_job(self, service: str) -> str:
        """Let a job say its version; return why it could not, or ""."""


Remember = Callable[[Known], None]


@dataclass(frozen=True)
class Means:
    """What a renewal works with.

    Attributes:
        engine: Docker.
        remember: writes what is remembered about the image, durably.
        wait_s: longest wait for health, seconds.
        is_pulling: fetch the base anew.
    """

    engine: Engine
    remember: Remember
    wait_s: int
    is_pulling: bool = False


def renew(step: Step, known: Known, means: Means) -> Result:
    """Renew one image.

    Args:
        step: which, and what it will be made of.
        known: what is remembered about it.
        means: to work with.

    Raises:
        VvError: engine or disk do not answer; the next run goes on.
    """
    engine, name = means.engine, step.image.name
    running = engine.running()
    services = tuple(service for service in step.image.services if service in running)
    before = _image_before(known, engine, name)
    older = engine.image_id(previous_name(name))
    if before:
        engine.tag(before, previous_name(name))
        means.remember(replace(known, way_back=before))
    if problem := engine.build(step.image.build_service, is_pulling=means.is_pulling):
        if before:
            engine.tag(before, name)
        means.remember(replace(known, way_back=""))
        return Result(name, Outcome.BUILD_FAILED, problem)
    after = engine.image_id(name)
    if problem := _activate(step, services, means):
        if not before or before == after:
            # Nothing to go back to, or it is the very image that ran before: then the fault is elsewhere.
            means.remember(replace(known, way_back=""))
            return Result(name, Outcome.NO_WAY_BACK, problem)
        engine.tag(before, name)
        again = _activate(step, services, means)
        means.remember(replace(known, image_id=before, refused=step.fingerprint, way_back=""))
        _remove(engine, after)
        if again:
            return Result(name, Outcome.ROLLBACK_FAILED, f"{problem}; then: {again}")
        return Result(name, Outcome.ROLLED_BACK, problem)
    means.remember(Known(step.fingerprint, after))
    if after == before:
        if older:
            # What was the one before stays it.
            engine.tag(older, previous_name(name))
        return Result(name, Outcome.UNCHANGED)
    if older not in {"", before, after}:
        _remove(engine, older)
    return Result(name, Outcome.RENEWED)


def _image_before(known: Known, engine: Engine, name: str) -> str:
    """Return the id to go back to, or "".

    After a run that was killed, the name may already be the new image's: then what was noted counts, if it is there.
    """
    if known.way_back and engine.image_id(known.way_back):
        return known.way_back
    return engine.image_id(name)


def _remove(engine: Engine, image_id: str) -> None:
    if not engine.remove(image_id):
        get_logger("images").info("the image %s is still used by somebody", image_id)


def _activate(step: Step, services: tuple[str, ...], means: Means) -> str:
    """Try the jobs of an image and start what runs by it; return what is wrong, or ""."""
    for job in step.image.jobs:
        if problem := means.engine.try_job(job):
            return f"{job}: {problem}"
    return means.engine.start(services, means.wait_s) if services else ""
