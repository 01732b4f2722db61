"""The verifier as one file, on a Python without any package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tlog_verifying.box import built
from tests.tlog_verifying.test_command import write_keys
from vv_core.audit.verifier_archive import build_archive, write_archive

BARE = Path(sys.base_prefix) / "bin" / "python3"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "logline_verifier.pyz"
    write_archive(path)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    box = built(tmp_path, 20)
    write_keys(tmp_path / "keys.json", box.secret)
    (tmp_path / "vkey.txt").write_text(f"{box.signer.vkey}\n")
    root = box.head_text().splitlines()[2]
    (tmp_path / "head.txt").write_text(f"{len(box.entries)} {root}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(archive: Path, *arguments: str, python: Path = BARE) -> tuple[int, str, str]:
    """Run the archive isolated: no site packages, no environment, no current folder on the path."""
    command = [str(python), "-I", "-S", str(archive), *arguments]
    result = subprocess.run(
        command, capture_output=True, timeout=60, check=False, env={"LANG": "C.UTF-8"}
    )
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def run_installed(*arguments: str) -> tuple[int, str, str]:
    """Run the installed command."""
    command = [sys.executable, "-m", "vv_core.audit.verifier_command", *arguments]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("VV_")}
    result = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environ)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def test_two_builds_are_the_same() -> None:
    assert build_archive() == build_archive()


def test_it_says_what_it_is(archive: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o755
    code, out, _ = run(archive, "--version")
    assert (code, out.split()[0]) == (0, "logline_verifier")
    assert archive.read_bytes().startswith(b"#!/usr/bin/env python3\n")


HMAC_AND_HEAD = ["loglines", "--key-file", "keys.json", "--head", "head.txt"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_hmac_and_root_need_no_package(archive: Path, home: Path, jobs: str) -> None:
    code, out, err = run(archive, *HMAC_AND_HEAD, "--jobs", jobs)
    assert (code, err) == (0, "")
    assert out.endswith("Resultado: 23 válidas\n")


def test_the_verdicts_are_those_of_the_installed_command(archive: Path, home: Path) -> None:
    folder = home / "loglines"
    path = folder / "clip000003.logline.json"
    path.write_bytes(path.read_bytes().replace(b"alerta", b"curado"))
    (folder / "clip000004.logline.json").unlink()
    (folder / "a.logline.json").write_bytes(b'{"a":NaN}')
    (folder / "b.logline.json").write_bytes(b"[" * 10_000)
    for language in ("pt-BR", "en"):
        arguments = [*HMAC_AND_HEAD, "--language", language]
        assert run(archive, *arguments) == run_installed(*arguments)
        assert run(archive, *arguments, "--json") == run_installed(*arguments, "--json")
    code, out, _ = run(archive, *HMAC_AND_HEAD, "--json")
    assert code == 1
    assert json.loads(out.splitlines()[-1])["counts"]["MALFORMED"] == 2


def test_signed_heads_need_cryptography(archive: Path, home: Path) -> None:
    code, out, err = run(archive, "loglines", "--vkey", "vkey.txt")
    assert (code, out) == (4, "")
    assert "cryptography" in err
    assert "→" in err


def test_signed_heads_with_cryptography(archive: Path, home: Path) -> None:
    """In the product's environment, but with the modules of the archive: it comes first on the path."""
    command = [sys.executable, str(archive), "loglines", "--vkey", "vkey.txt", "--quiet", "--json"]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_without_anything_to_verify_with(archive: Path, home: Path) -> None:
    code, out, err = run(archive, "loglines")
    assert (code, out) == (4, "")
    assert "--key-file" in err
    assert "--vkey" in err


def test_every_module_in_it_can_be_imported_bare(archive: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        names = [
            name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            for name in content.namelist()
            if name.endswith(".py") and name != "__main__.py"
        ]
    code = f"import sys; sys.path.insert(0, {str(archive)!r})\n"
    code += "\n".join(f"import {name}" for name in names)
    subprocess.run([str(BARE), "-I", "-S", "-c", code], check=True, timeout=60)
