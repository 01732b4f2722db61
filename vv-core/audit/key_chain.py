"""HMAC keys that evolve one way: each key gives the next, and none gives the one before.

``K[i+1] = HMAC-SHA256(K[i], "vv.hmac-key-evolve/1")``. The id of a key of such a chain is ``<chain>.<i>``.
Who was given an early key derives all later ones; who steals a late one learns nothing about earlier ones.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping

LABEL = b"vv.hmac-key-evolve/1"
MAX_STEPS = 100_000
"""Evolutions derived from one known key: 270 years of one a day."""

_CHAIN_ID = re.compile(r"(?P<chain>[A-Za-z0-9_-][A-Za-z0-9._-]{0,50})\.(?P<step>0|[1-9][0-9]{0,8})")


def evolve(secret: bytes) -> bytes:
    """Return the key that follows this one in its chain."""
    return hmac.digest(secret, LABEL, "sha256")


def split_key_id(key_id: str) -> tuple[str, int] | None:
    """Return chain and step of a key id, or None for a key that does not evolve."""
    match = _CHAIN_ID.fullmatch(key_id)
    return (match["chain"], int(match["step"])) if match else None


class DerivedKeys(Mapping[str, bytes]):
    """Known keys and all that follow from them, by key id.

    Only known keys are iterated over and counted; later ones are derived when asked for, and kept.

    Args:
        known: secrets by key id.
    """

    def __init__(self, known: Mapping[str, bytes]) -> None:
        self._known = dict(known)
        self._derived = dict(known)
        self._tips: dict[str, list[int]] = {}
        for key_id in known:
            place = split_key_id(key_id)
            if place is not None:
                self._tips.setdefault(place[0], []).append(place[1])

    def __getitem__(self, key_id: str) -> bytes:
        """Return the secret of a key; KeyError where it does not follow from a known one."""
        found = self._derived.get(key_id)
        return self._derive(key_id) if found is None else found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids of the known keys."""
        return iter(self._known)

    def __len__(self) -> int:
        """Return how many keys are known without deriving."""
        return len(self._known)

    def __contains__(self, key_id: object) -> bool:
        """Tell whether the key is known or follows from a known one."""
        try:
            return isinstance(key_id, str) and self[key_id] is not None
        except KeyError:
            return False

    def _derive(self, key_id: str) -> bytes:
        chain, step = split_key_id(key_id) or ("", -1)
        earlier = [tip for tip in self._tips.get(chain, ()) if tip < step]
        if not earlier or step - max(earlier) > MAX_STEPS:
            raise KeyError(key_id)
        secret = self._derived[f"{chain}.{max(earlier)}"]
        for _ in range(step - max(earlier)):
            secret = evolve(secret)
        # Asked for in the order of the log, each costs one step.
        self._tips[chain].append(step)
        self._derived[key_id] = secret
        return secret
