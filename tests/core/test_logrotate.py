"""The shipped rules of logrotate, run by the real one while programs write."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import pwd
import re
import shutil
import subprocess
import time
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.support.waiting import wait_for
from vv_core.log_export.selection import split_name
from vv_core.logs import LOG_FILE_NAME, get_logger, setup_logging

TEMPLATE = ROOT / "deploy" / "logrotate" / "vv-video-ai"
LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin:/bin")
WRITERS, LINES = 2, 400

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(LOGROTATE is None, reason="there is no logrotate"),
]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Return the rules for a folder of logs, filled in as install.sh does."""
    logs = tmp_path / "logs"
    logs.mkdir()
    user = pwd.getpwuid(os.geteuid()).pw_name
    text = TEMPLATE.read_text("utf-8").replace("@LOGS@", str(logs)).replace("@USER@", user)
    assert not re.search(r"@[A-Z]+@", text)
    path = tmp_path / "rules"
    path.write_text(text)
    path.chmod(0o644)
    return path


def rotate(rules: Path, *options: str) -> str:
    """Run logrotate and return what it says; nothing may be wrong with the rules."""
    state = rules.with_name("state")
    result = subprocess.run(
        [str(LOGROTATE), "--state", str(state), *options, str(rules)],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert "error" not in result.stderr
    return result.stderr


def write_lines(folder: Path, number: int, written: Synchronized[int]) -> None:
    """Write all lines; tell how many there are so far."""
    setup_logging(f"writer-{number}", folder)
    for line in range(LINES):
        get_logger("test").info("%d:%d", number, line)
        written.value = line + 1
        time.sleep(0.005)


def test_the_rules_are_understood(rules: Path) -> None:
    (rules.parent / "logs" / LOG_FILE_NAME).write_text("x\n")
    assert "considering log" in rotate(rules, "--debug")


def test_no_line_is_lost_while_programs_write(rules: Path) -> None:
    logs = rules.parent / "logs"
    context = multiprocessing.get_context("spawn")
    counts = [context.Value("i", 0) for _ in range(WRITERS)]
    writers = [
        context.Process(target=write_lines, args=(logs, number, count))
        for number, count in enumerate(counts)
    ]
    for writer in writers:
        writer.start()
    rotations = 0
    reached = [0] * WRITERS

    def are_further() -> bool:
        """Tell whether each has begun with a line since: else one that waits for the CPU is two files behind."""
        return all(
            not writer.is_alive() or count.value >= before + 2
            for writer, count, before in zip(writers, counts, reached, strict=True)
        )

    while any(writer.is_alive() for writer in writers) and rotations < 25:
        wait_for(are_further, "more lines")
        rotate(rules, "--force")
        rotations += 1
        reached[:] = [count.value for count in counts]
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    rotate(rules, "--force")
    assert rotations >= 1
    seen = []
    for path in logs.iterdir():
        assert split_name(path.name)[0] == LOG_FILE_NAME
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        seen += [json.loads(line)["message"] for line in text.splitlines()]
    assert sorted(seen) == sorted(f"{n}:{line}" for n in range(WRITERS) for line in range(LINES))


def test_the_oldest_goes_and_what_cron_says_is_cut(rules: Path) -> None:
    logs = rules.parent / "logs"
    (logs / "app.log.30.gz").write_bytes(gzip.compress(b"oldest"))
    (logs / "app.log").write_text("new\n")
    with (logs / "cron.log").open("a") as held:
        held.write("before\n")
        held.flush()
        rotate(rules, "--force")
        held.write("after\n")
    assert (logs / "cron.log").read_text() == "after\n"
    assert sorted(path.name for path in logs.iterdir()) == [
        "app.log.1",
        "cron.log",
        "cron.log.1.gz",
    ]
