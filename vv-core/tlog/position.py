"""The place of a line in its log: what it says about itself, and how a log is called."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from vv_core.errors import ConfigError

ORIGIN_PREFIX = "vv-log/"
MAX_ORIGIN = 200
_ORIGIN = re.compile(r"[!-*,-~]{1,200}")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_MAX_SLUG = 40


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where the next line goes.

    Attributes:
        origin: name of the log.
        seq: index of the leaf.
        previous: hash of the leaf before it; None for the first.
    """

    origin: str
    seq: int
    previous: bytes | None

    def to_json(self) -> dict[str, Any]:
        """Return the field ``log`` of the line."""
        return {
            "origin": self.origin,
            "seq": self.seq,
            "previous": None if self.previous is None else self.previous.hex(),
        }


def is_origin(text: str) -> bool:
    """Tell whether this may name a log: printable ASCII without spaces and without ``+``."""
    return _ORIGIN.fullmatch(text) is not None


def choose_origin(found: str | None, wanted: str, box: str, public_key: bytes) -> str:
    """Return the name of a log: the one that it has, or for a new one as the settings say.

    Args:
        found: its name, None for a new one.
        wanted: by the settings; empty for the usual name.
        box: name of the box.
        public_key: that signs the heads.

    Raises:
        ConfigError: the settings name another log, or what is no name of one.
    """
    if wanted and (not is_origin(wanted) or found not in {None, wanted}):
        problem = f"the log is {found!r}" if found else "it is no name of a log"
        raise ConfigError(
            f"VV_LOG_ORIGIN is {wanted!r}, but {problem}",
            advice="The name of a log never changes: remove VV_LOG_ORIGIN, or set it to that name.",
        )
    return found or wanted or default_origin(box, public_key)


def default_origin(box: str, public_key: bytes) -> str:
    """Return the name of a new log: that of the box, and a mark of its key that no other box has."""
    ascii_name = unicodedata.normalize("NFKD", box).encode("ascii", "ignore").decode("ascii")
    slug = _NOT_SLUG.sub("-", ascii_name.lower()).strip("-")[:_MAX_SLUG] or "box"
    return f"{ORIGIN_PREFIX}{slug}-{hashlib.sha256(public_key).hexdigest()[:8]}"


def next_epoch(origin: str) -> str:
    """Return the name of the log that follows one that cannot be continued: ``<origin>/e2``, ``/e3`` …"""
    name, _, number = origin.rpartition("/e")
    if name and number.isdigit():
        return f"{name}/e{int(number) + 1}"
    return f"{origin[: MAX_ORIGIN - 8]}/e2"
