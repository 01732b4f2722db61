"""Whole processes, measured: wall time, processor time and peak memory of a command and its children."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What one run of a command took.

    Attributes:
        wall_s: wall time, seconds.
        cpu_s: user and system time, children included, seconds.
        peak_mb: largest resident size of any one of its processes, MiB.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(
    argv: Sequence[str], env: Mapping[str, str] | None = None, timeout_s: float = 3600.0
) -> Usage:
    """Run a command in a process of its own and measure it with ``wait4``.

    Raises:
        RuntimeError: it failed; the message holds the end of its stderr.
    """
    probe = (
        "import os,resource,subprocess,sys,time\n"
        "t=time.monotonic();r=subprocess.run(sys.argv[1:],stdin=subprocess.DEVNULL,"
        "stdout=subprocess.DEVNULL,stderr=subprocess.PIPE);w=time.monotonic()-t\n"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(r.returncode,w,u.ru_utime+u.ru_stime,u.ru_maxrss/1024)\n"
        "sys.stderr.buffer.write(r.stderr[-2000:])"
    )
    result = subprocess.run(
        [sys.executable, "-c", probe, *argv],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=None if env is None else {**os.environ, **env},
    )
    code, wall, cpu, peak = result.stdout.split()
    if code != "0":
        raise RuntimeError(f"{argv[:4]} ended with {code}: {result.stderr}")
    return Usage(float(wall), float(cpu), float(peak))


def median(usages: Sequence[Usage]) -> Usage:
    """Return the medians of some runs."""
    return Usage(
        statistics.median(usage.wall_s for usage in usages),
        statistics.median(usage.cpu_s for usage in usages),
        statistics.median(usage.peak_mb for usage in usages),
    )


def machine_line(*packages: str) -> str:
    """Return machine and versions, for the record."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} absent")
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} x {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )
