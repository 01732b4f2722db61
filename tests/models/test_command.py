"""``vv-models`` as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.models.conftest import ENTRY_LINES, Install
from tests.support.model_server import Behaviour, serve
from vv_core.models.command import main
from vv_core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("list", "fetch", "verify", "activate", "rollback", "bench", "import")
DATA = b"GGUF" + b"x" * 10_000


def run(
    tmp_path: Path, *arguments: str, code: int = 0, own: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command and expect an exit code."""
    result = subprocess.run(
        [sys.executable, "-m", "vv_core.models", *arguments],
        check=False,
        timeout=120,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "VV_HOME": str(tmp_path), "VV_LANGUAGE": "en", **(own or {})},
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def listed(tmp_path: Path, url: str, kind: str = "summary") -> str:
    """Write a list with one model and return its path."""
    entry = ENTRY_LINES.format(name="small", kind=kind, version="1", url=url)
    path = tmp_path / "own-models.yaml"
    path.write_text(f"schema: vv.models/1\nmodels:{entry}", "utf-8")
    return str(path)


def as_json(result: subprocess.CompletedProcess[str]) -> Any:
    """Return what a command told a program."""
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*([command] if command else []), "--help"])
    assert ended.value.code == 0
    assert "usage: vv-models" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["fetch"], ["activate"], ["rollback", "voice"], ["import"], ["list", "--no"], ["nothing"]],
)
def test_a_wrong_command_line_ends_with_64(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 64
    assert "→" in capsys.readouterr().err


def test_the_script_is_the_same_command(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "vv_models.py"), "list", "--json"],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
        env={**os.environ, "VV_HOME": str(tmp_path)},
    )
    names = {model["name"] for model in json.loads(result.stdout)["models"]}
    assert {"vv-scene-bitnet", "bitnet-2b", "yolov8n"} <= names


@pytest.mark.integration
def test_from_the_list_to_the_box_and_back(tmp_path: Path) -> None:
    told = Behaviour(DATA)
    with serve(told, "small.gguf") as url:
        own = {"VV_MODELS_FILE": listed(tmp_path, url)}
        assert "available" in run(tmp_path, "list", own=own).stdout
        first = run(tmp_path, "fetch", "small", own=own)
        assert "recorded now" in first.stdout
        again = as_json(run(tmp_path, "fetch", "small", "--json", own=own))
        assert again["fetched"][0]["was_there"] is True
        told.data = b"GGUF other"
        path = tmp_path / "data/models/small/1/small.gguf"
        assert "intact" in run(tmp_path, "verify", own=own).stdout
        path.write_bytes(b"rot")
        verified = as_json(run(tmp_path, "verify", "small", "--json", code=65, own=own))
        assert verified["verified"][0]["state"] == "changed"
        told.etag = '"two"'
        refused = run(tmp_path, "fetch", "small", code=65, own=own)
        assert "not the expected" in refused.stderr
    (model,) = as_json(run(tmp_path, "list", "--json", own=own))["models"]
    assert (model["place"], model["hash_origin"]) == ("installed", "first_fetch")


@pytest.mark.integration
def test_errors_carry_code_and_advice(tmp_path: Path) -> None:
    assert "Choose of" in run(tmp_path, "fetch", "nobody", code=66).stderr
    assert "fetch bitnet-2b" in run(tmp_path, "verify", "bitnet-2b", code=66).stderr
    assert "nothing was switched" in run(tmp_path, "rollback", code=64).stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("schema: vv.models/1\nmodels: [1]\n")
    told = run(tmp_path, "list", code=78, own={"VV_MODELS_FILE": str(wrong)}).stderr
    assert "wrong.yaml" in told
    assert "line 2" in told


@pytest.mark.integration
def test_a_usb_folder_is_imported(tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "small.gguf").write_bytes(DATA)
    (usb / "other.gguf").write_bytes(DATA + b"y")
    own = {"VV_MODELS_FILE": listed(tmp_path, "https://example.org/small.gguf")}
    told = as_json(run(tmp_path, "import", str(usb), "--json", own=own))
    assert [it["name"] for it in told["imported"]] == ["small"]
    assert told["unknown"] == ["other.gguf"]
    assert (
        "importado"
        in run(
            tmp_path, "import", str(usb / "small.gguf"), own={**own, "VV_LANGUAGE": "pt-BR"}
        ).stdout
    )


def test_what_settings_override_is_said(
    tmp_path: Path,
    models: Path,
    install: Install,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install("mine", b"GGUF")
    os.environ["VV_SUMMARY_MODEL"] = "none"
    os.environ["VV_LANGUAGE"] = "en"
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "VV_SUMMARY_MODEL is set and wins" in shown
    assert "mine" in shown
    assert main(["bench"]) == 64
    assert "no model is in use" in capsys.readouterr().err


def test_a_detector_is_not_measured(
    install: Install, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["activate", "embedded"]) == 0
    assert main(["bench", "embedded"]) == 65
    assert "is a detector" in capsys.readouterr().err


def test_verbosity_may_stand_before_or_behind(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-v", "list", "--json"]) == 0
    assert main(["list", "-vv", "--json"]) == 0
    assert "models" in capsys.readouterr().out
