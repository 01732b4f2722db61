"""Why a stage's container did not come to its own end: looked up after the fact, from structured answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
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
    child: ChildResult, container: str, compose: list[str], service: str, env: Mapping[str, str]
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
    child: ChildResult, compose: list[str], service: str, env: Mapping[str, str]
) -> VvError:
    """Return why a service's container could not be started or kept: the first of engine, file, image, folders.

    Raises:
        UnavailableError: there is no docker command any more.
    """
    if (fault := engine_fault(env)) is not None:
        return fault
    with tempfile.TemporaryDirectory(prefix="vv-compose-") as folder:
        path = Path(folder) / "config.json"
        read = ask_docker(
            [*compose, "config", "--format", "json", "--output", str(path), service], env
        )
        if read.exit_code != 0:
            return _refused_file(compose, last_words(read))
        document = read_json(path)
    described = document["services"][service]
    image = str(described.get("image", ""))
    if image and ask_docker(["image", "inspect", "--format", "{{.Id}}", image], env).exit_code != 0:
        return UnavailableError(
            f"the image {image} is not on this machine",
            advice=f"Run: {_BUILD} – in the product's folder.",
        )
    for source in missing_sources(described):
        return UnavailableError(
            f"the folder {source!r} that {service} needs is missing",
            advice="Mount the disk that holds it, or run: python3 bootstrap.py --skip-existing",
        )
    return UnavailableError(
        f"the container of {service} could not be started or was lost: {last_words(child)}",
        advice="Correct what Docker names; docs/containers.md lists the variables of docker-compose.yml.",
    )


def _refused_file(compose: list[str], said: str) -> ConfigError:
    shown = " ".join(["docker", *compose, "config"])
    return ConfigError(
        f"docker compose does not accept its file or a variable in it: {said}",
        advice=f"Correct docker-compose.yml or .env; to see the result, run: {shown}",
    )


def missing_sources(service: Mapping[str, Any]) -> Iterator[str]:
    """Yield the bind-mounted paths of a service that do not exist.

    Args:
        service: as ``docker compose config --format json`` shows it.
    """
    for volume in service.get("volumes") or ():
        if volume.get("type") == "bind" and not Path(volume["source"]).exists():
            yield str(volume["source"])
