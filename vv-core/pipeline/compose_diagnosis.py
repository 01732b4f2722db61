"""Why a stage's container did not come to its own end: looked up after the fact, from structured answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vv_core.errors import ConfigError, ExitCode, UnavailableError, VvError
from vv_core.jsonio import read_json
from vv_core.pipeline.docker_engine import ask_docker, engine_fault, events_of, last_words
from vv_core.pipeline.stage_end import StageEnd
from vv_core.process import ChildResult

_KILLED = 137
_STAGE_CODES = frozenset(int(code) for code in ExitCode)
_BUILD = "docker compose --profile stages build"


def explain_end(
    child: ChildResult, container: str, compose: Sequence[str], service: str, env: Mapping[str, str]
) -> StageEnd:
    """Find out what ended a stage's container.

    A crash counts as the stage's only when the engine saw the container die. Otherwise the container never
    began, or the engine went away under it, and that is a fault of the box.

    Args:
        child: how ``docker compose run`` ended by itself.
        container: the name that it was given, never used before.
        compose: the command up to its sub-command.
        service: of the stage.
        env: of the commands.

    Raises:
        UnavailableError: there is no docker command any more.
    """
    if child.exit_code in _STAGE_CODES:
        return StageEnd(child)
    happened = events_of(container, env)
    if happened is None or "die" not in happened:
        return StageEnd(child, fault=find_fault(child, compose, service, env))
    return StageEnd(child, out_of_memory=child.exit_code == _KILLED and "oom" in happened)


def find_fault(
    child: ChildResult, compose: Sequence[str], service: str, env: Mapping[str, str]
) -> VvError:
    """Return why a service's container could not be started or kept: the first of engine, file, image, folders.

    Raises:
        UnavailableError: there is no docker command any more.
    """
    if (fault := engine_fault(env)) is not None:
        return fault
    if (fault := fault_before(compose, service, env)) is not None:
        return fault
    return UnavailableError(
        f"the container of {service} could not be started or was lost: {last_words(child)}",
        advice="Correct what Docker names; docs/containers.md lists the variables of docker-compose.yml.",
    )


def fault_before(compose: Sequence[str], service: str, env: Mapping[str, str]) -> VvError | None:
    """Return what keeps a service's container from starting, or None: compose file, image, folders.

    To be asked before ``docker compose run``, which builds an image that is missing: that takes minutes and a
    network, and is for a person to begin.

    Raises:
        UnavailableError: there is no docker command.
    """
    with tempfile.TemporaryDirectory(prefix="vv-compose-") as folder:
        path = Path(folder) / "config.json"
        show = ["config", "--format", "json", "--output", str(path), service]
        shown = ask_docker([*compose, *show], env)
        if shown.exit_code != 0 or shown.timed_out:
            return _refused_file(compose, last_words(shown))
        described = read_json(path)["services"][service]
    image = str(described.get("image", ""))
    if described.get("pull_policy") == "never" and not _has_image(image, env):
        return engine_fault(env) or UnavailableError(
            f"the image {image} is not on this machine",
            advice=f"Run: {_BUILD} – in the product's folder.",
        )
    for source in missing_sources(described):
        return UnavailableError(
            f"the folder {source!r} that {service} needs is missing",
            advice="Mount the disk that holds it, or run: python3 bootstrap.py --skip-existing",
        )
    return None


def _has_image(image: str, env: Mapping[str, str]) -> bool:
    return ask_docker(["image", "inspect", "--format", "{{.Id}}", image], env).exit_code == 0


def _refused_file(compose: Sequence[str], said: str) -> ConfigError:
    shown = " ".join(["docker", *compose, "config"])
    return ConfigError(
        f"docker compose does not accept its file or a variable in it: {said}",
        advice=f"Correct docker-compose.yml or .env; to see the result, run: {shown}",
    )


def missing_sources(service: Mapping[str, Any]) -> Iterator[str]:
    """Yield the bind-mounted paths of a service that do not exist and that Docker is not to make.

    Args:
        service: as ``docker compose config --format json`` shows it.
    """
    for volume in service.get("volumes") or ():
        is_made = (volume.get("bind") or {}).get("create_host_path", False)
        if volume.get("type") == "bind" and not is_made and not Path(volume["source"]).exists():
            yield str(volume["source"])
