"""Runs under the fault library: fails or kills a writer at every call below Python, and checks the log.

``python -m tests.tlog_writing.fault_driver FOLDER``, with the library in ``LD_PRELOAD``; prints how many faults
were made.
"""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.fault_shim import KILL, Shim
from tests.tlog_writing.faults import check_after_fault, write_in_child
from tests.tlog_writing.logs import LogBox

NAMES = ("a", "b")
CASES: dict[str, dict[str, Any]] = {
    "killed": {"error": KILL},
    "killed within a write": {"error": KILL, "half": True},
    "disk full once": {"error": errno.ENOSPC, "half": True},
    "disk full from here on": {"error": errno.ENOSPC, "half": True, "repeat": True},
    "I/O error once": {"error": errno.EIO},
    "I/O error from here on": {"error": errno.EIO, "repeat": True},
}


def main(folder: Path) -> None:
    """Make every fault of every case."""
    template = LogBox(folder / "template")
    template.append("before")
    for name, case in CASES.items():
        steps = sum(1 for _ in strike_everywhere(template, folder / "copy", case))
        print(f"{name}: {steps}")


def strike_everywhere(template: LogBox, home: Path, case: dict[str, Any]) -> Iterator[int]:
    """Yield the number of each call at which the fault was made and overcome."""
    shim, at = Shim(), 0
    while True:
        at += 1
        shutil.copytree(template.home, home)
        box = LogBox(home)
        reported, status = write_in_child(
            box, NAMES, partial(shim.arm, at, **case), partial(shim.has_struck, at)
        )
        check_after_fault(box, ["before", *reported], ["before", *NAMES])
        shutil.rmtree(home)
        if status == 0:
            return
        yield at


if __name__ == "__main__":
    main(Path(sys.argv[1]))
