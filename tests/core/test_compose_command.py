"""``scripts/compose.py``: docker compose, told what the box's settings say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.pipeline.users import needs_root
from vv_core.pipeline.compose_command import main

FAKE = '#!/bin/sh\necho "$@"\nenv | grep -E "^(VIDEO_STORAGE_ROOT|BOX_UID|VV_BOX_NAME)=" | sort\nexit 7\n'


def compose(
    home: Path, *arguments: str, fake: str = FAKE, user: str = "BOX_UID=4711"
) -> subprocess.CompletedProcess[str]:
    (home / "bin").mkdir()
    docker = home / "bin" / "docker"
    docker.write_text(fake)
    docker.chmod(0o755)
    (home / ".env").write_text(f"VV_BOX_NAME=vv-07\n{user}\n")
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "compose.py"), *arguments],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
        env={**os.environ, "VV_HOME": str(home), "PATH": f"{home / 'bin'}:/usr/bin:/bin"},
    )


def test_docker_compose_is_told_the_settings_and_its_end_is_ours(tmp_path: Path) -> None:
    result = compose(tmp_path, "up", "--detach")
    assert (result.returncode, result.stderr) == (7, "")
    command, *told = result.stdout.splitlines()
    assert (
        command == f"compose --file {tmp_path}/docker-compose.yml --env-file /dev/null up --detach"
    )
    assert sorted(told) == [
        "BOX_UID=4711",
        f"VIDEO_STORAGE_ROOT={tmp_path}/data",
        "VV_BOX_NAME=vv-07",
    ]
    assert (tmp_path / "data" / "orchestrator_data" / "services").is_dir()


@needs_root
def test_root_starts_nothing_that_could_not_write_its_data(tmp_path: Path) -> None:
    result = compose(tmp_path, "up", user="")
    assert result.returncode == 78
    assert "are root's" in result.stderr
    assert "bootstrap.py --owner" in result.stderr
    (tmp_path / "bin" / "docker").unlink()
    (tmp_path / "bin").rmdir()
    assert compose(tmp_path, "stop", user="").returncode == 7


def test_other_commands_make_no_folders(tmp_path: Path) -> None:
    assert compose(tmp_path, "--profile", "*", "down").returncode == 7
    assert not (tmp_path / "data").exists()


def test_without_docker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["ps"]) == 69
    assert "Install docker" in capsys.readouterr().err


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 64
    os.environ["VV_HMAC_KEY"] = "a trial key of at least thirty-two bytes"
    assert main(["ps"]) == 78
    assert "VV_HMAC_KEY" in capsys.readouterr().err
