"""Running a stage for a batch: on this machine, or in a container."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from vv_core.errors import ConfigError, UnavailableError, VvError
from vv_core.logs import get_logger
from vv_core.pipeline.compose_diagnosis import explain_end, fault_before
from vv_core.pipeline.compose_environment import (
    client_environment,
    docker_environment,
    prepare_folders,
)
from vv_core.pipeline.docker_engine import tell
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec
from vv_core.process import run_child
from vv_core.settings import Settings
from vv_core.stage import StageItem

CONTAINER_LABEL = "ai.voulezvous.vv.stage"


class StageRunner(Protocol):
    """Starts a stage with a batch list and waits for it."""

    def recover(self) -> None:
        """End whatever an orchestrator that was killed left running."""

    def place(self, item: StageItem) -> StageItem:
        """Return the item with its paths as the stage will see them."""

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        """Run the stage with a batch list.

        Args:
            spec: which stage.
            batch_list: the list, on this machine; its items as `place` gave them.
            timeout_s: longest time, seconds.
            is_stalled: True ends the stage early.

        Raises:
            UnavailableError: it cannot be started now.
            ConfigError: it can never be started as things are set.
        """


class ProcessRunner:
    """Runs stages as child processes, with this Python."""

    def __init__(self, settings: Settings, inherited_fd: int | None = None) -> None:
        self._home = settings.home.absolute()
        self._pass_fds = () if inherited_fd is None else (inherited_fd,)

    def recover(self) -> None:
        """Do nothing: stages of this runner end with their orchestrator."""

    def place(self, item: StageItem) -> StageItem:
        """Return the item unchanged."""
        return item

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        """Run ``python -m <module> --batch <list>``."""
        env = {**os.environ, "VV_HOME": str(self._home), "VV_PARENT_PID": str(os.getpid())}
        argv = [sys.executable, "-m", spec.module, "--batch", str(batch_list)]
        try:
            child = run_child(
                argv,
                timeout_s=timeout_s,
                is_stalled=is_stalled,
                env=env,
                cwd=self._home,
                pass_fds=self._pass_fds,
            )
        except OSError as exc:
            raise UnavailableError(
                f"the stage {spec.name} cannot be started: {exc}",
                advice="Check memory and process limits; it is tried again by itself.",
            ) from exc
        return StageEnd(child)


class ComposeRunner:
    """Runs stages with ``docker compose run --rm``; data lies on a shared volume.

    A container outlives an orchestrator that is killed. It must not keep the lock then, since nobody is
    left to time it out: the next cycle removes it.

    Attributes:
        label: marks the containers of this installation, as ``name=value``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.resolve(settings.compose_file)
        self._host_root = settings.storage.root
        self._container_root = settings.compose_data_dir
        # Two installations on one machine must not end each other's containers.
        self.label = (
            f"{CONTAINER_LABEL}={hashlib.sha256(os.fsencode(self._host_root)).hexdigest()[:12]}"
        )

    def recover(self) -> None:
        """Remove containers that a killed orchestrator left behind.

        Raises:
            ConfigError: this user may not use the engine.
            UnavailableError: the engine does not answer.
        """
        env = docker_environment(self._settings)
        listing = ["ps", "--all", "--quiet", "--filter", f"label={self.label}"]
        while containers := tell(listing, env):
            get_logger("pipeline").warning("removing left-over containers %s", containers)
            tell(["rm", "--force", *containers], env)

    def place(self, item: StageItem) -> StageItem:
        """Return the item with the paths of the container's volume."""
        return replace(item, input=self._inside(item.input), output=self._inside(item.output))

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        """Run ``docker compose run --rm <service> --batch <list>``."""
        name = f"vv-{spec.name.replace('_', '-')}-{secrets.token_hex(4)}"
        env = client_environment(self._settings)
        prepare_folders(self._settings)
        compose = ["compose", "--file", str(self._file), "--env-file", os.devnull]
        if (fault := fault_before(compose, spec.service, env)) is not None:
            raise fault
        argv = ["docker", *compose, "run", "--rm", "--no-TTY"]
        argv += ["--name", name, "--label", self.label, spec.service]
        argv += ["--batch", str(self._inside(batch_list))]
        unremoved: list[VvError] = []
        try:
            child = run_child(
                argv,
                timeout_s=timeout_s,
                is_stalled=is_stalled,
                # The client's end does not end the container: by name first, then the client.
                before_end=lambda: unremoved.extend(_remove(name, env)),
                env=env,
                cwd=self._file.parent,
            )
        except OSError as exc:
            raise UnavailableError(
                f"docker cannot be started for {spec.name}: {exc}",
                advice="Install docker with compose v2, or set ORCHESTRATOR_RUNNER=process.",
            ) from exc
        if child.timed_out:
            # With the engine away nobody can tell what hung: it is not held against a video.
            return StageEnd(child, fault=unremoved[0] if unremoved else None)
        return explain_end(child, name, compose, spec.service, env)

    def _inside(self, path: Path) -> Path:
        try:
            return self._container_root / path.relative_to(self._host_root)
        except ValueError as exc:
            raise ConfigError(
                f"{str(path)!r} is outside of VIDEO_STORAGE_ROOT, which is all that containers see",
                advice="Keep input and outputs below VIDEO_STORAGE_ROOT.",
            ) from exc


def _remove(name: str, env: Mapping[str, str]) -> list[VvError]:
    """Remove a container; return why it could not be: recover() of the next cycle removes it then."""
    try:
        tell(["rm", "--force", name], env)
    except VvError as exc:
        get_logger("pipeline").error("container %s could not be removed: %s", name, exc.message)
        return [exc]
    return []


def make_runner(settings: Settings, inherited_fd: int | None = None) -> StageRunner:
    """Return the runner that the settings name.

    Args:
        settings: of this box.
        inherited_fd: the lock's descriptor, for stages to share.
    """
    if settings.orchestrator_runner == "compose":
        return ComposeRunner(settings)
    return ProcessRunner(settings, inherited_fd)
