"""Making a bundle: what goes in, what cannot, and the installer that travels with it."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bundle.bundles import make_signer, write_parts
from tests.install.throwaway import ROOT, commit_all, git
from vv_core.bundle import command, parts
from vv_core.bundle.command import told_lines
from vv_core.bundle.opening import check_bundle, unpack_bundle
from vv_core.bundle.parts import (
    collect_debs,
    collect_images,
    collect_models,
    collect_repository,
    requirements_of,
)
from vv_core.bundle.writing import write_bundle, write_installer
from vv_core.errors import (
    ConfigError,
    InputDataError,
    InputMissingError,
    SoftwareError,
    UnavailableError,
    VvError,
)
from vv_core.tlog.note import format_vkey

PYPROJECT = b"""
[build-system]
requires = ["setuptools>=77"]
[project]
dependencies = ["tqdm"]
[project.optional-dependencies]
writer = ["segno", "tqdm"]
api = ["fastapi"]
"""


def test_requirements_are_those_of_the_rooms_and_of_the_build() -> None:
    assert requirements_of(PYPROJECT, ["writer"]) == ["segno", "setuptools>=77", "tqdm"]
    with pytest.raises(InputMissingError, match="unknown room: kitchen"):
        requirements_of(PYPROJECT, ["writer", "kitchen"])


def test_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    signer = make_signer(tmp_path)
    files = write_parts(tmp_path)
    write_bundle(tmp_path / "a", files, {"version": "1"}, signer)
    for path in files.values():
        os.utime(path, (0, 0))
        path.chmod(0o600)
    vkey = write_bundle(tmp_path / "b", files, {"version": "1"}, signer)
    assert vkey == format_vkey(signer.verifier)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", ["../x", "a b", ".hidden", "ç.whl"])
def test_a_name_that_no_box_would_take_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "part").write_text("x")
    with pytest.raises(InputDataError, match="cannot be bundled"):
        write_bundle(tmp_path / "a", {name: tmp_path / "part"}, {}, make_signer(tmp_path))
    assert not (tmp_path / "a").exists()


def test_a_part_that_changes_meanwhile_leaves_no_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_parts(tmp_path)
    from vv_core.bundle import writing

    seal = writing.seal

    def seal_and_change(*arguments: object) -> bytes:
        next(iter(files.values())).write_bytes(b"History")
        return seal(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "seal", seal_and_change)
    with pytest.raises(SoftwareError, match="would not open"):
        write_bundle(tmp_path / "a", files, {}, make_signer(tmp_path))
    assert not (tmp_path / "a").exists()


def test_a_part_that_is_gone_or_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(VvError, match="cannot read the content"):
        write_bundle(tmp_path / "a", {"x": tmp_path / "none"}, {}, make_signer(tmp_path))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    path = tmp_path / "checkout"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    (path / "a").write_text("1")
    commit_all(path, "one")
    return path


@pytest.mark.integration
def test_the_repository_can_be_cloned_from_the_bundle(checkout: Path, tmp_path: Path) -> None:
    files = collect_repository(checkout, tmp_path)
    git(tmp_path, "clone", "--quiet", str(files["repository.bundle"]), "clone")
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == git(checkout, "rev-parse", "HEAD")


@pytest.mark.integration
def test_half_a_repository_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a").write_text("2")
    commit_all(checkout, "two")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout}", "shallow")
    with pytest.raises(ConfigError, match="not a whole git checkout") as caught:
        collect_repository(tmp_path / "shallow", tmp_path)
    assert "--unshallow" in caught.value.advice
    with pytest.raises(ConfigError):
        collect_repository(tmp_path, tmp_path)


def test_models_are_taken_as_they_lie_and_links_are_not(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "yolo").mkdir(parents=True)
    (models / "yolo" / "a.xml").write_text("x")
    (models / ".vv-tmp-1").write_text("half")
    assert collect_models(models) == {"models/yolo/a.xml": models / "yolo" / "a.xml"}
    assert collect_models(tmp_path / "none") == {}
    (models / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputDataError, match="link"):
        collect_models(models)


def test_debian_packages_come_from_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match=r"no \.deb files"):
        collect_debs(tmp_path)
    (tmp_path / "jq_1.6_amd64.deb").write_text("x")
    assert list(collect_debs(tmp_path)) == ["debs/jq_1.6_amd64.deb"]


FakeTool = Callable[[str, str], None]


@pytest.fixture
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """Return what puts a program of a name onto PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def put(name: str, text: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)

    return put


def test_images_are_those_of_the_compose_file_or_those_named(
    tmp_path: Path, fake_tool: FakeTool
) -> None:
    fake_tool(
        "docker",
        'case "$*" in *config*) echo b; echo a; echo b;; *save*) shift 3; t=$1; shift; echo "$@" >"$t";; esac',
    )
    assert collect_images(tmp_path, tmp_path)["images.tar"].read_text() == "a b\n"
    assert collect_images(tmp_path, tmp_path, ["x"])["images.tar"].read_text() == "x\n"
    fake_tool("docker", "echo no such image >&2; exit 1")
    with pytest.raises(UnavailableError, match="no such image"):
        collect_images(tmp_path, tmp_path)
    with pytest.raises(UnavailableError, match="are they built"):
        collect_images(tmp_path, tmp_path, ["x"])


def test_pip_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.sys, "executable", "/bin/false")
    with pytest.raises(UnavailableError, match="pip made no wheels"):
        parts.collect_wheels(ROOT, tmp_path, ["writer"])


def test_the_installer_contains_the_program_that_checks(tmp_path: Path) -> None:
    text = (ROOT / "install.sh").read_text()
    opener = (ROOT / "vv-core" / "bundle" / "opening.py").read_text()
    write_installer(tmp_path / "install.sh", text, opener)
    shown = subprocess.run(
        ["bash", "-c", f"source {tmp_path}/install.sh; bundle_opener"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert shown.stdout == opener
    assert os.access(tmp_path / "install.sh", os.X_OK)
    with pytest.raises(ConfigError, match="not the one that belongs"):
        write_installer(tmp_path / "x", "echo hello", opener)
    with pytest.raises(ConfigError):
        write_installer(tmp_path / "x", text, opener + "END_OF_OPENING_PY\n")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with one tiny room, whose wheels pip takes from a folder."""
    root = tmp_path / "project"
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "constraints.txt").write_text("vvtiny==1.0\n")
    (root / "requirements" / "no-deps-room.txt").write_text("vvalone==2.0\n")
    (root / "vv-core" / "bundle").mkdir(parents=True)
    for name in ("install.sh", "vv-core/bundle/opening.py"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    (root / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\n[project]\ndependencies = []\n"
        '[project.optional-dependencies]\nroom = ["vvtiny"]\n'
    )
    git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root, "one")
    for name, version, needs in (
        ("vvtiny", "1.0", ""),
        ("vvalone", "2.0", "Requires-Dist: vvmissing\n"),
    ):
        _make_wheel(tmp_path / "index", name, version, needs)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("VV_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VV_LANGUAGE", "en")
    (tmp_path / "home").mkdir()
    return root


def _make_wheel(folder: Path, name: str, version: str, needs: str) -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.integration
def test_the_command_makes_a_bundle_and_says_how_to_use_it(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "dist"
    common = ["--root", str(project), "--output", str(output), "--rooms", "room", "--no-images"]
    assert command.main([*common, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["commit"] == git(project, "rev-parse", "HEAD")
    assert not told["modified"]
    assert told["development"]
    assert sorted(path.name for path in output.iterdir()) == ["install.sh", Path(told["path"]).name]
    statement = unpack_bundle(Path(told["path"]), tmp_path / "out", told["vkey"])
    assert statement["predicate"]["rooms"] == "room"
    assert sorted(path.name for path in (tmp_path / "out" / "wheels").iterdir()) == [
        "vvalone-2.0-py3-none-any.whl",
        "vvtiny-1.0-py3-none-any.whl",
    ]

    (project / "a").write_text("not committed")
    git(project, "add", "a")
    (tmp_path / "debs").mkdir()
    (tmp_path / "debs" / "x.deb").write_text("x")
    assert command.main([*common, "--no-models", "--debs", str(tmp_path / "debs")]) == 0
    shown = capsys.readouterr().out
    assert "! uncommitted changes are not in it" in shown
    assert "! development key" in shown
    assert f"--vkey '{told['vkey']}'" in shown
    assert "debs/x.deb" in {
        each["name"] for each in check_bundle(Path(told["path"]), None)["subject"]
    }


@pytest.mark.integration
def test_the_command_tells_what_is_wrong(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--root", str(project), "--output", str(tmp_path / "dist"), "--no-images"]
    assert command.main([*common, "--rooms", "kitchen"]) == 66
    assert command.main([*common, "--rooms", "room", "--key", str(tmp_path / "none.pem")]) == 77
    (tmp_path / "file").write_text("x")
    common[3] = str(tmp_path / "file" / "dist")
    assert command.main([*common, "--rooms", "room"]) in {66, 75}
    assert "Traceback" not in capsys.readouterr().err
    assert list((tmp_path / "dist").iterdir()) == []


@pytest.mark.integration
def test_images_reach_the_bundle(project: Path, tmp_path: Path, fake_tool: FakeTool) -> None:
    fake_tool("docker", 'shift 3; t=$1; shift; echo "$@" >"$t"')
    common = ["--root", str(project), "--output", str(tmp_path / "dist"), "--rooms", "room"]
    assert command.main([*common, "--images", "one,two"]) == 0
    bundle = next((tmp_path / "dist").glob("*.bundle"))
    unpack_bundle(bundle, tmp_path / "out", None)
    assert (tmp_path / "out" / "images.tar").read_text() == "one two\n"


def test_it_speaks_portuguese() -> None:
    told: dict[str, object] = {
        "path": "/d/a.bundle",
        "installer": "/d/install.sh",
        "size": 1024**2,
        "files": 2,
    }
    told |= {"vkey": "k", "fingerprint": "f", "modified": True, "development": True}
    text = "\n".join(told_lines(told, "pt-BR"))
    assert "2 arquivos" in text
    assert "chave de desenvolvimento" in text
    assert "mudanças sem commit" in text
    assert "--offline a.bundle" in text
