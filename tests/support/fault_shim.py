"""Building the library of ``fault_shim.c`` and starting Python under it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fault_shim.c")
ROOT = SOURCE.parents[2]
KILL = 0
"""Instead of an error number: the process is killed."""


def build_shim(folder: Path) -> Path:
    """Compile the library, or skip the test where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here: faults below Python cannot be made")
    library = folder / "fault_shim.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"],
        check=True,
        timeout=120,
    )
    return library


def run_under_shim(library: Path, module: str, arguments: Sequence[str]) -> str:
    """Run a module of the tests in a Python that has the library loaded; return what it prints."""
    # Coverage, where it watches children, would count as calls of its own.
    env = {name: text for name, text in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=False,
        timeout=900,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**env, "LD_PRELOAD": str(library)},
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result.stdout


class Shim:
    """The library, from inside a process that has it loaded."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.vv_fault_count.restype = ctypes.c_long

    def arm(self, nth: int, error: int, *, half: bool = False, repeat: bool = False) -> None:
        """Make the nth call from now fail with an error number, or kill the process there."""
        self._library.vv_fault_arm(ctypes.c_long(nth), error, int(half), int(repeat))

    def disarm(self) -> None:
        """Let all calls go through."""
        self._library.vv_fault_disarm()

    def has_struck(self, nth: int) -> bool:
        """Tell whether as many calls were seen since it was armed; let all others through."""
        self.disarm()
        return int(self._library.vv_fault_count()) >= nth
