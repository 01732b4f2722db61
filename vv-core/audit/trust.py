"""What an auditor brings along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vv_core.audit.log_heads import HeldHead, is_log_key
from vv_core.tlog.note import Verifier


@dataclass(frozen=True)
class Trust:
    """What an auditor brings along.

    Attributes:
        keys: secrets by key id; None in an audit without secrets.
        verifiers: public keys of logs and of witnesses.
        heads: heads that witnesses hold.
        witnesses: how many witnesses each line needs.
    """

    keys: Mapping[str, bytes] | None = field(default=None, repr=False)
    verifiers: tuple[Verifier, ...] = ()
    heads: tuple[HeldHead, ...] = ()
    witnesses: int = 0

    @property
    def log_keys(self) -> tuple[Verifier, ...]:
        """The public keys of logs."""
        return tuple(each for each in self.verifiers if is_log_key(each))
