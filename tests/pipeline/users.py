"""Doing things as a user without rights, as the tests themselves often run as root."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.forking import fork

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def run_forked(body: Callable[[], object]) -> bool:
    """Run something in a forked child; True when it returned something true."""
    child = fork()
    if child == 0:
        code = 1
        try:
            code = 0 if body() else 1
        except BaseException:  # noqa: BLE001 - a fork never returns into the test
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@contextmanager
def other_user(folder: Path) -> Iterator[Callable[[Callable[[], object]], bool]]:
    """Yield a function that runs something as nobody, who can reach ``folder`` meanwhile."""
    closed = [path for path in (folder, *folder.parents) if not path.stat().st_mode & 0o001]
    modes = {path: path.stat().st_mode & 0o7777 for path in closed}
    for path, mode in modes.items():
        path.chmod(mode | 0o011)

    def do(body: Callable[[], object]) -> bool:
        def as_nobody() -> object:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            return body()

        return run_forked(as_nobody)

    try:
        yield do
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
