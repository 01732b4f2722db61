"""What a box gets before its first cycle; running it again changes nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vv_core.paths import FOLDERS
from vv_core.preparation import main, prepare
from vv_core.settings import load_settings
from vv_core.utils import load_key_store


def test_folders_and_a_strong_key_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 0
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(FOLDERS)
    store = tmp_path / "secrets" / "hmac_keys.json"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700
    ((key_id, secret),) = load_key_store(store).items()
    output = capsys.readouterr().out
    log_key = store.with_name("log_signing_key.pem")
    assert stat.S_IMODE(log_key.stat().st_mode) == 0o600
    vkey = (tmp_path / "data" / "loglines" / "log" / "vkey").read_text().strip()
    assert vkey in output
    assert output.count("bootstrap: ") == 4
    assert key_id in output
    assert secret.hex() not in output


def test_again_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    store = tmp_path / "secrets" / "hmac_keys.json"
    before = store.read_bytes()
    capsys.readouterr()
    assert main() == 0
    assert capsys.readouterr().out == ""
    assert store.read_bytes() == before


def test_what_is_missing_is_made_again(tmp_path: Path) -> None:
    settings = load_settings()
    prepare(settings)
    settings.storage.exports.rmdir()
    assert prepare(settings) == [f"pastas / folders: exports/ ({tmp_path}/data)"]


def test_a_trial_key_makes_no_store(tmp_path: Path) -> None:
    os.environ["VV_HMAC_KEY"] = "a trial key of at least thirty-two bytes"
    prepare(load_settings())
    assert not (tmp_path / "secrets" / "hmac_keys.json").exists()


def test_a_file_in_a_folders_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "raw").write_text("")
    assert main() == 75
    error = capsys.readouterr().err
    assert "raw" in error
    assert "move it away" in error


def test_a_link_that_leads_nowhere_is_no_key_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "hmac_keys.json").symlink_to("gone")
    assert main() == 77
    assert "never overwritten" in capsys.readouterr().err


def test_wrong_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["VV_LANGUAGE"] = "xx"
    assert main() == 78
    assert "VV_LANGUAGE" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
