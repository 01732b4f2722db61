"""The services of a compose file with all variables filled in, as far as images are concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.errors import ConfigError

_STAGES = "stages"
_FROM_REGISTRY = {"always", "missing", "if_not_present", "daily", "weekly"}


@dataclass(frozen=True)
class Build:
    """How an image is built.

    Attributes:
        context, dockerfile: absolute.
        arguments: build arguments.
        extra_contexts: folders with a name of their own (``additional_contexts``).
        target: the stage to stop at, or "".
    """

    context: Path
    dockerfile: Path
    arguments: Mapping[str, str]
    extra_contexts: Mapping[str, Path]
    target: str


@dataclass(frozen=True)
class Image:
    """An image of the project, and who runs it.

    Attributes:
        name: with its tag.
        build_service: the service that it is built by.
        services: that stay; they are started anew with a new image.
        jobs: services that start and end; they are only tried.
        is_optional: only services use it that a person starts by a profile of their own.
    """

    name: str
    build: Build
    build_service: str
    services: tuple[str, ...]
    jobs: tuple[str, ...]
    is_optional: bool = False


def parse_images(document: Any) -> list[Image]:
    """Return the images that ``docker compose config --format json`` says are built here.

    One that is fetched from a registry is left to whoever keeps that registry, even if it could be built.

    Raises:
        ConfigError: a service is built without a name for its image, or the document is none of compose's.
    """
    try:
        services: dict[str, Any] = document["services"]
        builders: dict[str, str] = {}
        for name, service in sorted(services.items()):
            if service.get("build") and service.get("pull_policy") not in _FROM_REGISTRY:
                builders.setdefault(_image_name(name, service), name)
        return [_image(image, builder, services) for image, builder in sorted(builders.items())]
    except (KeyError, TypeError, AttributeError) as exc:
        raise ConfigError(
            f"docker compose describes its services in a way that is not known: {exc!r}",
            advice="Report it with the version of docker compose (docker compose version).",
        ) from exc


def _image_name(name: str, service: Mapping[str, Any]) -> str:
    image = service.get("image")
    if not image:
        raise ConfigError(
            f"the service {name} is built, but its image has no name",
            advice="Give it image: in docker-compose.yml, so that there is a way back to the one before.",
        )
    return str(image)


def _image(image: str, builder: str, services: Mapping[str, Any]) -> Image:
    users = [name for name, service in sorted(services.items()) if service.get("image") == image]
    jobs = [name for name in users if services[name].get("restart", "no") == "no"]
    raw = services[builder]["build"]
    context = Path(raw["context"])
    return Image(
        name=image,
        build=Build(
            context=context,
            dockerfile=context / raw.get("dockerfile", "Dockerfile"),
            arguments={key: str(value) for key, value in (raw.get("args") or {}).items()},
            extra_contexts={
                key: Path(value) for key, value in (raw.get("additional_contexts") or {}).items()
            },
            target=str(raw.get("target", "")),
        ),
        build_service=builder,
        services=tuple(name for name in users if name not in jobs),
        jobs=tuple(jobs),
        is_optional=all(set(services[name].get("profiles") or ()) - {_STAGES} for name in users),
    )
