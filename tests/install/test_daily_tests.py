"""The tests that a box makes of itself every day, as cron starts them: they pass, and what fails is told."""

from __future__ import annotations

import json
import re

import pytest

from tests.install.throwaway import PREFIX, ROOT, USER, Ran, Throwaway, commit_all

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(3600)]

ALERTS = f"{PREFIX}/data/orchestrator_data/alerts.jsonl"
LOG = f"{PREFIX}/logs/daily_tests.log"


def job(root: Throwaway) -> Ran:
    """Run the job by hand, as cron does: its shell, its user, its few variables."""
    found = re.search(
        r"^30 5 \* \* \* (\S+) (.+daily_tests\.sh.+)$", root.read("/etc/cron.d/vv-video-ai"), re.M
    )
    assert found is not None
    assert found[1] == USER
    bare = ["env", "-i", "HOME=/var/lib/vv-video-ai", "PATH=/usr/bin:/bin", "sh", "-c", found[2]]
    return root.run("runuser", "-u", found[1], "--", *bare, check=False, timeout=1800)


def alerts(root: Throwaway) -> list[dict[str, str]]:
    """Return the alerts of the box."""
    return [json.loads(line) for line in root.read(ALERTS).splitlines()]


def shorten_rings(root: Throwaway) -> None:
    """Leave few tests in the version that is installed: that they are found and run is enough here."""
    script = (ROOT / "scripts" / "run_tests.sh").read_text()
    rings = re.findall(r"tests/\w+", script)
    assert len(rings) >= 5
    for ring in rings[1:]:
        for test in sorted(
            (root.source / ring).glob("test_*.py"), key=lambda path: path.stat().st_size
        )[1:]:
            test.unlink()
    commit_all(root.source, "few tests")


def test_a_box_tests_itself_and_tells_what_fails(root: Throwaway) -> None:
    shorten_rings(root)
    root.install("--no-docker", "--rooms", "writer,selftest")
    before = root.snapshot()
    ran = job(root)
    assert ran.code == 0, root.read(LOG)
    assert re.search(r"^\d+ passed", root.read(LOG), re.M)
    assert not root.exists(ALERTS)
    # Nothing is left of it, and the box's own is as it was.
    assert root.run("find", "/tmp", "-name", "vv-daily-tests-*").out == ""
    after = root.snapshot()
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == set()

    # A contract of the installed files is broken.
    root.run("sed", "-i", "s/integer/string/", f"{PREFIX}/schemas/summary.schema.json")
    assert job(root).code == 1
    assert "FAILED tests/contract" in root.read(LOG)
    (told,) = alerts(root)
    assert told["message"] == "the scheduled job daily_tests ended with code 1"
    assert told["advice"] == "Read logs/daily_tests.log."
    shown = root.run("runuser", "-u", USER, "--", "python3", f"{PREFIX}/scripts/status.py").out
    assert "daily_tests" in shown


def test_a_test_that_cannot_even_begin_is_told_too(root: Throwaway) -> None:
    root.install("--no-docker", "--rooms", "writer,selftest")
    root.run("chmod", "755", "/tmp")  # the box's user cannot make its copy there
    assert job(root).code == 1
    (told,) = alerts(root)
    assert told["code"] == "job_failed"
