"""The hash by which documents name what a stage loads."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vv_core.errors import InputMissingError
from vv_core.utils import compute_sha256


def openvino_digest(xml: Path) -> str:
    """Return a SHA-256 that changes with an OpenVINO model, which is a pair of files.

    It is what this shell line prints, run in the folder: ``sha256sum NAME.bin NAME.xml | sha256sum``.

    Raises:
        VvError: a file cannot be read.
    """
    pair = (xml.with_suffix(".bin"), xml)
    listing = "".join(f"{compute_sha256(path)}  {path.name}\n" for path in pair)
    return hashlib.sha256(listing.encode()).hexdigest()


def loaded_digest(path: Path) -> str:
    """Return the hash of what a stage loads: a file, or a folder with one OpenVINO model.

    Raises:
        InputMissingError: the folder holds no such model.
        VvError: it cannot be read.
    """
    if not path.is_dir():
        return compute_sha256(path)
    found = sorted(path.glob("*.xml"))
    if len(found) != 1:
        raise InputMissingError(
            f"{str(path)!r} holds no OpenVINO model (one .xml)",
            advice="Remove that folder and activate the model again; it is exported anew.",
        )
    return openvino_digest(found[0])
