"""``make sign`` and ``make verify`` as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.manifest.trees import make_tree
from vv_core import __version__
from vv_core.manifest.command import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("VV_HOME", str(tmp_path / "home"))
    make_tree(tmp_path / "app")

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main([*arguments, "--root", str(tmp_path / "app")])
        except SystemExit as exc:
            code = int(exc.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def test_sign_and_verify(run: Run) -> None:
    code, out, err = run("sign")
    assert (code, err) == (0, "")
    assert "5 arquivos assinados" in out
    assert "chave de desenvolvimento" in out
    code, out, _ = run("verify")
    assert code == 0
    assert out.startswith("VERIFICADO: 5 arquivos")
    assert "chave não fixada" in out


def test_differences_are_listed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("sign")
    (tmp_path / "app" / "README.md").write_text("\x1b[2J")
    (tmp_path / "app" / "evil\x1b[2J.py").write_text("")
    code, out, _ = run("verify")
    assert code == 65
    assert "MUDOU" in out
    assert "\x1b" not in out
    monkeypatch.setenv("VV_LANGUAGE", "en")
    assert run("verify")[1].splitlines()[0].startswith("CHANGED     README.md")
    report = json.loads(run("verify", "--json")[1])
    assert report["verified"] is False
    assert [each["difference"] for each in report["deviations"]] == ["changed", "extra"]


def test_without_a_manifest(run: Run) -> None:
    code, out, _ = run("verify")
    assert code == 66
    assert "→" in out
    assert json.loads(run("verify", "--json")[1])["problem"]


def test_another_key_is_pinned(run: Run) -> None:
    signed = json.loads(run("sign", "--json")[1])
    assert signed["development"] is True
    assert run("verify", "--vkey", signed["vkey"])[0] == 0
    assert "chave não fixada" not in run("verify", "--vkey", signed["vkey"])[1]
    other = "vv-manifest+00000000+AS90"
    assert run("verify", "--vkey", other)[0] == 65
    assert "verifier key" in run("verify", "--vkey", other)[2]


def test_a_key_that_was_named_is_never_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("sign", "--key", str(tmp_path / "release.pem"))[0] == 77
    monkeypatch.setenv("VV_MANIFEST_KEY_FILE", str(tmp_path / "release.pem"))
    code, _, err = run("sign")
    assert code == 77
    assert "→" in err
    assert not (tmp_path / "release.pem").exists()


@pytest.mark.parametrize("arguments", [[], ["other"], ["sign", "--bad"]])
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    code, _, err = run(*arguments)
    assert code == 64
    assert "--help" in err


def test_as_a_script() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "vv_sign.py"), "--version"]
    result = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert result.stdout == f"vv-sign {__version__}\n"
