"""The units as systemd sees them, filled in for a place that is not the usual one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.install.test_script import with_functions
from tests.install.throwaway import ROOT

pytestmark = pytest.mark.integration

UNITS = {
    "docker": ("vv-video-ai.service", "vv-video-ai.service"),
    "process": ("deploy/systemd/vv-video-ai-process.service", "vv-video-ai.service"),
    "program": ("deploy/systemd/vv-video-ai@.service", "vv-video-ai@.service"),
    "timer": ("vv-video-ai.timer", "vv-video-ai.timer"),
}
MOST_EXPOSED = 2.5


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a prefix with what the units start."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    prefix = tmp_path / "opt" / "box"
    (prefix / ".venv" / "bin").mkdir(parents=True)
    for name in (
        "python",
        "vv-playlist",
        "vv-tv-api",
        "vv-capture",
        "vv-process-video",
        "vv-tv-mirror",
    ):
        (prefix / ".venv" / "bin" / name).symlink_to("/bin/true")
    for name in ("deploy", "docs"):
        shutil.copytree(ROOT / name, prefix / name)
    for name in ("vv-video-ai.service", "vv-video-ai.timer", "docker-compose.yml"):
        shutil.copy(ROOT / name, prefix / name)
    return prefix


def fill(tmp_path: Path, place: Path, *kinds: str) -> Path:
    folder = tmp_path / "units"
    folder.mkdir(exist_ok=True)
    (folder / "docker.service").write_text("[Service]\nExecStart=/bin/true\n")
    for kind in kinds:
        source, name = UNITS[kind]
        text = (
            f"SERVICE_USER=somebody BOOT_DELAY=90; fill_unit '{place / source}' >'{folder / name}'"
        )
        result = with_functions(tmp_path, text)
        assert result.returncode == 0, result.stderr
    return folder


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--man=no", *arguments],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_COLORS": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )


@pytest.mark.parametrize(
    ("kinds", "unit"),
    [
        (("docker", "timer"), "vv-video-ai.service"),
        (("docker", "timer"), "vv-video-ai.timer"),
        (("process",), "vv-video-ai.service"),
        (("process", "program"), "vv-video-ai@vv-playlist.service"),
    ],
)
def test_systemd_has_nothing_to_say(
    tmp_path: Path, place: Path, kinds: tuple[str, ...], unit: str
) -> None:
    folder = fill(tmp_path, place, *kinds)
    result = analyze(folder, "verify", unit)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    text = (folder / unit.replace("@vv-playlist", "@")).read_text()
    assert "/opt/vv-video-ai-system" not in text
    if unit.endswith(".service"):
        assert "\nUser=somebody\n" in text
    else:
        assert "\nOnBootSec=90\n" in text


def test_systemd_would_tell_a_mistake(tmp_path: Path, place: Path) -> None:
    folder = fill(tmp_path, place, "process")
    unit = folder / "vv-video-ai.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=a bit"))
    assert "protect system" in analyze(folder, "verify", unit.name).stderr


@pytest.mark.parametrize("kind", ["docker", "process", "program"])
def test_a_service_is_exposed_little(tmp_path: Path, place: Path, kind: str) -> None:
    folder = fill(tmp_path, place, kind)
    name = UNITS[kind][1]
    threshold = f"--threshold={int(MOST_EXPOSED * 10)}"
    result = analyze(folder, "security", "--offline=yes", threshold, str(folder / name))
    assert result.returncode == 0, result.stdout[-2000:]


def test_the_order_at_boot_and_at_shutdown() -> None:
    docker = (ROOT / UNITS["docker"][0]).read_text()
    assert "Requires=docker.service" in docker
    assert "After=docker.service network-online.target" in docker
    assert "/scripts/compose.py stop" in docker
    program = (ROOT / UNITS["program"][0]).read_text()
    assert "PartOf=vv-video-ai.service" in program
    assert "WantedBy=vv-video-ai.service" in program


def test_data_elsewhere_are_writable_to_the_service(tmp_path: Path, place: Path) -> None:
    (place / ".env").write_text("VIDEO_STORAGE_ROOT=/srv/videos\nVV_LOG_DIR=/var/log/vv\n")
    folder = fill(tmp_path, place, "process")
    text = (folder / "vv-video-ai.service").read_text()
    assert f"ReadWritePaths=/srv/videos /var/log/vv {place}/secrets" in text
