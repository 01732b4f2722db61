"""How much memory a process may take: to limit it, and to know what is left."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_FIRST_TO_DIE = 600
"""``oom_score_adj`` (proc(5)): when memory runs out, the kernel takes the worker and not the stage."""


def limit_memory(max_bytes: int) -> None:
    """Let this process take so much memory and no more, and be the first that the kernel ends.

    RLIMIT_DATA counts what the process writes to: heap, key-value cache, repacked weights. The model's
    file, which is mapped and can be read again, does not count (setrlimit(2), since Linux 4.7).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = max_bytes if hard == resource.RLIM_INFINITY else min(max_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_DIE), "ascii")


def available_memory_bytes(read: Callable[[Path], str] = Path.read_text) -> int:
    """Return how much memory this process may still take: the machine's, within its limits."""
    amounts = [sys.maxsize]
    for line in _lines(Path("/proc/meminfo"), read):
        if line.startswith("MemAvailable:"):
            amounts.append(int(line.split()[1]) * 1024)
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY:
        amounts.append(max(0, limit - _data_bytes(read)))
    return min(*amounts, _left_in_control_group(read))


def _left_in_control_group(read: Callable[[Path], str]) -> int:
    limit = _lines(Path("/sys/fs/cgroup/memory.max"), read)
    used = _lines(Path("/sys/fs/cgroup/memory.current"), read)
    if limit and used and limit[0].isdigit():
        return max(0, int(limit[0]) - int(used[0]))
    return sys.maxsize


def _data_bytes(read: Callable[[Path], str]) -> int:
    """Return what counts towards RLIMIT_DATA of this process."""
    for line in _lines(Path("/proc/self/status"), read):
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _lines(path: Path, read: Callable[[Path], str]) -> list[str]:
    try:
        return read(path).splitlines()
    except OSError:
        return []
