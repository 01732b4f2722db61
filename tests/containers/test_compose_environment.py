"""What the orchestrator tells docker compose."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.containers.compose_file import load_services, mounts, variables
from tests.containers.test_policy import ENGINE_SOCKET
from tests.pipeline.box import Box, new_box
from tests.pipeline.users import needs_root
from vv_core.errors import ConfigError, VvError
from vv_core.pipeline.compose_environment import (
    client_environment,
    compose_environment,
    prepare_folders,
)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.delenv("BOX_UID", raising=False)
    return new_box(tmp_path, monkeypatch)


def test_the_paths_of_the_host_are_absolute(box: Box, tmp_path: Path) -> None:
    told = compose_environment(box.settings)
    assert told["VIDEO_STORAGE_ROOT"] == str(tmp_path / "data")
    assert told["VV_LOG_DIR"] == str(tmp_path / "logs")
    assert told["VV_FACES_DIR"] == str(tmp_path / "faces")
    assert told["BOX_KEYS_DIR"] == str(tmp_path / "secrets")


def test_the_compose_file_uses_all_that_it_is_told(box: Box) -> None:
    assert compose_environment(box.settings).keys() <= variables().keys() | {"BOX_GID"}


def test_a_containers_own_host_name_reaches_no_logline(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VV_BOX_NAME")
    assert compose_environment(box.settings)["VV_BOX_NAME"] == os.uname().nodename


def test_files_are_named_by_their_place_inside(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_YOLO_MODEL", "data/models/yolo")
    monkeypatch.setenv("VV_PROMPT_FILE", str(box.folder("config") / "own.prompt"))
    monkeypatch.setenv("VV_SUMMARY_MODEL", "none")
    told = compose_environment(box.settings)
    assert told["VV_YOLO_MODEL"] == "/data/models/yolo"
    assert told["VV_PROMPT_FILE"] == "/data/config/own.prompt"
    assert told["VV_SUMMARY_MODEL"] == "none"
    assert told["VV_STATUS_RULES_FILE"] == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VV_YOLO_MODEL", "/elsewhere/yolo"),
        ("VV_STATUS_RULES_FILE", "rules.yaml"),
        ("VV_SUMMARY_MODEL", "data/config/a.gguf"),
        ("VV_HMAC_KEY", "0123456789abcdef" * 4),
        ("VV_LOG_KEY_FILE", "elsewhere/key.pem"),
    ],
)
def test_what_containers_cannot_have_is_refused_with_advice(
    box: Box, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        compose_environment(box.settings)
    assert name in caught.value.message
    assert caught.value.advice
    assert "0123456789abcdef" not in caught.value.message


def test_containers_are_the_user_that_the_orchestrator_is_unless_it_is_root(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getegid", lambda: 2345)
    told = compose_environment(box.settings)
    assert (told["BOX_UID"], told["BOX_GID"]) == ("1234", "2345")
    assert "BOX_UID" not in compose_environment(box.settings, has_user=True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    owner = box.folder("").stat().st_uid
    assert compose_environment(box.settings).get("BOX_UID", "0") == str(owner)


@needs_root
def test_what_root_starts_runs_as_whom_the_data_belong_to(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.chown(box.folder(""), 1234, 2345)
    told = compose_environment(box.settings)
    assert (told["BOX_UID"], told["BOX_GID"]) == ("1234", "2345")
    os.chown(box.folder(""), 0, 0)
    assert "BOX_UID" not in compose_environment(box.settings)
    monkeypatch.setenv("VIDEO_STORAGE_ROOT", str(tmp_path / "nowhere"))
    assert "BOX_UID" not in compose_environment(box.settings)


def test_every_folder_that_is_mounted_is_there_afterwards(box: Box) -> None:
    told = compose_environment(box.settings)
    (box.folder("orchestrator_data") / "batches").mkdir(exist_ok=True)
    prepare_folders(box.settings)
    prepare_folders(box.settings)
    sources = {
        source
        for service in load_services(told).values()
        for source, _ in mounts(service).values()
        if source != ENGINE_SOCKET
    }
    assert {source for source in sources if not Path(source).is_dir()} == set()
    for name in ("scanner", "log"):
        mode = (box.folder("orchestrator_data") / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o700


def test_a_folder_that_cannot_be_made_says_what_to_do(box: Box) -> None:
    (box.folder("orchestrator_data") / "scanner").write_text("a file is in the way")
    with pytest.raises(VvError) as caught:
        prepare_folders(box.settings)
    assert caught.value.advice


def test_the_settings_file_is_read_as_everywhere(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a value that docker compose would take for a variable, nothing is lost."""
    settings = box.settings
    (tmp_path / ".env").write_text("VV_START_PATTERNS='^(?P<Y>x)$'\nSCANNER_MEMORY=3g\nBOX_UID=7\n")
    monkeypatch.setenv("SCANNER_MEMORY", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    told = client_environment(settings)
    assert told["VV_START_PATTERNS"] == "^(?P<Y>x)$"
    assert told["SCANNER_MEMORY"] == "3g"
    assert told["BOX_UID"] == "7"
    assert told["PATH"] == os.environ["PATH"]


def test_the_environment_goes_before_the_settings_file(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other.env").write_text("SCANNER_CPUS=3\nWRITER_CPUS=3\n")
    monkeypatch.setenv("VV_ENV_FILE", str(tmp_path / "other.env"))
    monkeypatch.setenv("SCANNER_CPUS", "4")
    told = client_environment(box.settings)
    assert (told["SCANNER_CPUS"], told["WRITER_CPUS"]) == ("4", "3")
