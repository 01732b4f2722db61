"""The model that is part of the product."""

from __future__ import annotations

from vv_core.errors import InputDataError, InputMissingError
from vv_core.models.digest import loaded_digest
from vv_core.models.registry import Entry, shipped_path


def check_shipped(entry: Entry) -> str:
    """Hash a shipped file and return the hash.

    Raises:
        InputMissingError: it is not there.
        InputDataError: its hash is not the published one.
    """
    path = shipped_path(entry)
    if not path.is_file():
        raise InputMissingError(
            f"the shipped model {entry.name} is not there ({str(path)!r})",
            advice="Install the product again.",
        )
    found = loaded_digest(path)
    if entry.sha256 is not None and found != entry.sha256:
        raise InputDataError(
            f"the shipped model {entry.name} has the hash {found}, not {entry.sha256}",
            advice="It was damaged or replaced: install the product again.",
        )
    return found
