"""``make help``: every command of the project, made from the comments in the Makefile."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.core.conftest import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


def make(*arguments: str) -> str:
    result = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert result.stderr == ""
    return result.stdout


def targets() -> set[str]:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return set(phony.split())


def test_help_shows_every_target_with_what_it_does() -> None:
    shown = dict(re.findall(r"^  make (\S+)\s+(\S.*)$", make("help"), re.MULTILINE))
    assert set(shown) == targets()
    assert all(len(text) > 10 for text in shown.values())


def test_make_alone_shows_the_help() -> None:
    assert make() == make("help")


@pytest.mark.parametrize("target", sorted(targets()))
def test_every_target_can_be_made(target: str) -> None:
    """Without being run: all that they depend on is there."""
    assert make("--dry-run", target)
