"""Durable appends with a signed head: how long each takes, against the least that the disk needs.

``python bench/log_append.py [LINES]`` appends LogLines one by one to a log in a temporary folder (of the disk
that TMPDIR lies on) and prints medians. The floor, in the same run and folder: one ``fdatasync`` of a frame of the same
size, and one rename of a checkpoint.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import machine_line

from vv_core.audit.keys import create_key_store
from vv_core.settings import load_settings
from vv_core.tlog.log_writer import LogWriter, open_log
from vv_core.tlog.position import LogPosition
from vv_core.tlog.signing_key import create_signing_key
from vv_core.tlog.wal import PublishedFile, Record, encode_frame
from vv_schemas import example_path


def main() -> None:
    """Measure and print."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ.update(VV_HOME=str(home), VV_BOX_NAME="bench")
        create_key_store(home / "secrets/hmac_keys.json")
        create_signing_key(home / "secrets/log_signing_key.pem")
        floor = measure_floor(home)
        each, whole_s = measure_appends(lines)
        single = measure_single()
    print(f"{lines} lines; {machine_line('cryptography')}\n")
    print("| | median ms | 95 % ms |\n|---|---|---|")
    print(row("floor: fdatasync of a frame and rename of a file", floor))
    print(row("append: committed, signed head, published", each))
    print(row("one line alone: open, recover nothing, append, sync everything, close", single))
    print(
        f"\nmean of a batch, syncs of everything included: {1000 * whole_s / lines:.2f} ms a line"
    )


def row(name: str, seconds: list[float]) -> str:
    """Return a row of the table."""
    ordered = sorted(seconds)
    high = ordered[int(0.95 * (len(ordered) - 1))]
    return f"| {name} | {1000 * statistics.median(ordered):.2f} | {1000 * high:.2f} |"


def timed(action: Callable[[int], object], times: int) -> list[float]:
    """Return how long each call took."""
    taken = []
    for number in range(times):
        begun = time.perf_counter()
        action(number)
        taken.append(time.perf_counter() - begun)
    return taken


def measure_floor(home: Path) -> list[float]:
    """Measure one committed frame and one renamed checkpoint."""
    frame = encode_frame(Record(0, bytes(32), bytes(1500), (PublishedFile("a", bytes(4000)),)))
    descriptor = os.open(home / "floor", os.O_WRONLY | os.O_CREAT)

    def step(number: int) -> None:
        os.pwrite(descriptor, frame, number * len(frame))
        os.fdatasync(descriptor)
        (home / "new").write_bytes(bytes(300))
        (home / "new").replace(home / "checkpoint")

    taken = timed(step, 200)
    os.close(descriptor)
    return taken


def measure_appends(lines: int) -> tuple[list[float], float]:
    """Append one after the other; return the time of each, and of the whole batch."""
    begun = time.perf_counter()
    with open_log(load_settings()) as log:
        taken = timed(lambda number: append(log, f"v{number}"), lines)
    return taken, time.perf_counter() - begun


def measure_single() -> list[float]:
    """Append single lines, each by a writer of its own."""

    def step(number: int) -> None:
        with open_log(load_settings()) as log:
            append(log, f"s{number}")

    return timed(step, 50)


def append(log: LogWriter, name: str) -> None:
    """Append the example LogLine with a page."""
    log.append(
        lambda position: line_at(position, name),
        lambda _signed, line: [
            PublishedFile(f"{name}.logline.md", bytes(2500)),
            PublishedFile(f"{name}.logline.json", line + b"\n"),
        ],
    )


def line_at(_position: LogPosition, name: str) -> dict[str, Any]:
    """Return the example LogLine under another name."""
    document: dict[str, Any] = json.loads(example_path("logline").read_bytes())
    del document["signature_details"]
    return {**document, "schema": "vv.logline/2", "source": name}


if __name__ == "__main__":
    main()
