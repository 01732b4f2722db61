"""The long one, by hand: from nothing with all rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.test_journey import check_installation
from tests.install.throwaway import PREFIX, USER, throwaway
from tests.pipeline.subjects import require_engine
from tests.support.clips import make_clip

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.torture,
    pytest.mark.timeout(3600),
]


@pytest.mark.parametrize("rooms", [["--rooms", "writer"], []], ids=["few rooms", "all rooms"])
def test_from_nothing(source: Path, tmp_path: Path, rooms: list[str]) -> None:
    """A bare Debian: no git, no Python, no sudo; packages, wheels and compiler from the registries."""
    require_engine()
    with throwaway(source, tmp_path, network="bridge", image="debian:bookworm-slim") as root:
        assert root.run("which", "git", "python3", "sudo", "ffmpeg", check=False).out == ""
        script = (source / "install.sh").read_text()
        piped = ["bash", "-s", "--", "--no-docker", "--source", "/src", *rooms]
        ran = root.run(*piped, stdin=script, VV_LANGUAGE="en", timeout=3000)
        assert "done; changes:" in ran.out
        check_installation(root)
        if rooms:
            return
        make_clip(root.shared / "20261121-020304.mp4")
        root.run(
            "install",
            "-o",
            USER,
            "-m",
            "644",
            "/shared/20261121-020304.mp4",
            f"{PREFIX}/data/input/",
        )
        root.run("touch", "-d", "1 hour ago", f"{PREFIX}/data/input/20261121-020304.mp4")
        as_user = ["runuser", "-u", USER, "--", "env", "ORCHESTRATOR_STABLE_SECONDS=0"]
        cycle = root.run(
            *as_user, f"{PREFIX}/.venv/bin/python", f"{PREFIX}/scripts/orchestrator.py", "--once"
        )
        assert root.exists(f"{PREFIX}/data/loglines/20261121-020304.logline.json"), cycle
