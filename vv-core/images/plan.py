"""Which images are built anew, and why; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vv_core.images.compose_model import Image


class Reason(StrEnum):
    """Why an image is built, or is not."""

    MISSING = "missing"
    CHANGED = "changed"
    REPLACED = "replaced"
    INTERRUPTED = "interrupted"
    ASKED_FOR = "asked for"
    CURRENT = "current"
    REFUSED = "refused before"

    @property
    def is_due(self) -> bool:
        """Whether this is a reason to build."""
        return self not in {Reason.CURRENT, Reason.REFUSED}


@dataclass(frozen=True)
class Known:
    """What is remembered about an image.

    Attributes:
        fingerprint: of what it was made of.
        image_id: that it had when it was found well.
        refused: the fingerprint that did not become healthy, or "".
        way_back: while it is being renewed, the id of the image before; else "".
    """

    fingerprint: str = ""
    image_id: str = ""
    refused: str = ""
    way_back: str = ""


@dataclass(frozen=True)
class Step:
    """What is to be done about one image."""

    image: Image
    fingerprint: str
    reason: Reason


def choose_images(
    images: Sequence[Image], current_ids: Mapping[str, str], *, are_named: bool
) -> list[Image]:
    """Return the images that concern this box: not an optional one that nobody has built here.

    Args:
        images: of the project, or those that a person has named.
        current_ids: what the engine has by the name of each; "" for nothing.
        are_named: a person wants exactly these.
    """
    return [
        image for image in images if are_named or current_ids[image.name] or not image.is_optional
    ]


def plan_builds(
    images: Sequence[Image],
    fingerprints: Mapping[str, str],
    known: Mapping[str, Known],
    current_ids: Mapping[str, str],
    *,
    is_forced: bool = False,
) -> list[Step]:
    """Decide about every image.

    Args:
        images: of the project.
        fingerprints: of what each would be made of now, by image name.
        known: what is remembered, likewise.
        current_ids: what the engine has by that name; "" for nothing.
        is_forced: build whatever has changed or not.
    """
    return [
        Step(
            image,
            fingerprints[image.name],
            Reason.ASKED_FOR
            if is_forced
            else _reason(
                fingerprints[image.name],
                known.get(image.name, Known()),
                current_ids[image.name],
            ),
        )
        for image in images
    ]


def _reason(fingerprint: str, known: Known, current_id: str) -> Reason:
    if not current_id:
        return Reason.MISSING
    if known.way_back:
        return Reason.INTERRUPTED
    if fingerprint == known.refused:
        return Reason.REFUSED
    if fingerprint != known.fingerprint:
        return Reason.CHANGED
    return Reason.CURRENT if current_id == known.image_id else Reason.REPLACED


def previous_name(image_name: str) -> str:
    """Return the name by which the image before is kept."""
    repository, colon, tag = image_name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = image_name, "latest"
    return f"{repository}:{tag}-previous"
