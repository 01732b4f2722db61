"""The real worker processes of stages under test."""

from __future__ import annotations

from pathlib import Path


def worker_of(stage: int) -> int:
    """Return the process id of the worker that a process has started.

    Raises:
        LookupError: it has none.
    """
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if _parent_of(stat) == stage and b"engine_worker" in _command_of(stat):
            return int(stat.parent.name)
    raise LookupError(f"process {stage} has no worker")


def _parent_of(stat: Path) -> int:
    try:
        return int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _command_of(stat: Path) -> bytes:
    try:
        return stat.with_name("cmdline").read_bytes()
    except OSError:
        return b""
