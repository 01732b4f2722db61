"""Which files are shipped, who signs, and what happens at the start."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.audit.samples import settings_of
from tests.manifest.trees import FILES, SIGNER, FixedClock, git, make_tree, sign_tree
from vv_core import __version__
from vv_core.alerts import read_alerts
from vv_core.errors import ConfigError, ExitCode, InputDataError
from vv_core.manifest.check import (
    ManifestRefused,
    check_at_start,
    check_installation,
    check_manifest,
    manifest_facts,
    own_paths,
)
from vv_core.manifest.compare import Deviation, Difference
from vv_core.manifest.dsse import parse_envelope
from vv_core.manifest.sign import load_manifest_key, sign_installation
from vv_core.manifest.statement import parse_statement
from vv_core.manifest.tree import MANIFEST_NAME
from vv_core.tlog.note import format_vkey

MODULE = "vv-core/pipeline/cycle.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = make_tree(tmp_path / "app")
    assert sign_tree(root) == []
    return root


# ── what is shipped ──


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = make_tree(tmp_path / "checkout")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "x")
    return root


def test_of_a_checkout_the_tracked_files_are_shipped(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("mine")
    assert sign_tree(checkout) == ["notes.txt"]
    report = check_installation(checkout, SIGNER.verifier)
    assert report.manifest is not None
    assert set(report.manifest.files) == set(FILES)
    assert report.manifest.commit is not None
    assert not report.manifest.is_modified
    assert report.deviations == (Deviation(Difference.EXTRA, "notes.txt"),)


def test_changed_tracked_files_are_said(checkout: Path) -> None:
    (checkout / MODULE).write_text("new")
    (checkout / "README.md").unlink()
    sign_tree(checkout)
    manifest = parse_statement(parse_envelope((checkout / MANIFEST_NAME).read_bytes()).payload)
    assert manifest.is_modified
    assert "README.md" not in manifest.files


def test_signed_again_without_git_the_same_files_are_shipped(tree: Path) -> None:
    (tree / "extra.txt").write_text("not shipped")
    assert sign_tree(tree) == ["extra.txt"]


def test_a_broken_git_folder_is_told(tree: Path) -> None:
    (tree / ".git").mkdir()
    with pytest.raises(ConfigError, match="git does not say"):
        sign_tree(tree)


def test_links_are_not_shipped(checkout: Path) -> None:
    (checkout / "link").symlink_to("README.md")
    git(checkout, "add", ".")
    with pytest.raises(InputDataError, match="symlink"):
        sign_tree(checkout)


def test_a_name_that_is_not_utf8_is_not_shipped(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "app")
    (root / os.fsdecode(b"\xff")).write_text("x")
    with pytest.raises(InputDataError, match="not UTF-8"):
        sign_tree(root)


def test_a_development_key_is_made_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key.pem"
    with pytest.raises(Exception, match="no signing key"):
        load_manifest_key(path, may_create=False)
    signer, is_made = load_manifest_key(path, may_create=True)
    assert is_made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, is_made_again = load_manifest_key(path, may_create=True)
    assert not is_made_again
    assert again.verifier == signer.verifier
    root = make_tree(tmp_path / "app")
    manifest, _ = sign_installation(root, signer, FixedClock())
    assert manifest.is_development
    assert "development" in manifest.vkey


# ── at the start ──


def start(root: Path, policy: str, **variables: str) -> object:
    settings = settings_of(root, VV_MANIFEST_POLICY=policy, **variables)
    return check_at_start(settings, root)


def test_the_policy_decides_at_the_start(tree: Path) -> None:
    vkey = format_vkey(SIGNER.verifier)
    for policy in ("warn", "enforce"):
        assert start(tree, policy, VV_MANIFEST_VKEY=vkey) is not None
    (tree / MODULE).write_text("evil")
    assert start(tree, "off") is None
    assert start(tree, "warn") is not None
    with pytest.raises(ManifestRefused, match=r"cycle\.py \(changed\)") as caught:
        start(tree, "enforce")
    assert caught.value.exit_code is ExitCode.NOPERM
    assert "make verify" in caught.value.advice


def test_the_operator_hears_of_a_changed_installation(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vv_core.manifest.check.installation_root", lambda: tree)
    settings = settings_of(tree, VV_MANIFEST_POLICY="warn")
    settings.storage.ensure()
    alerts = settings.storage.orchestrator_data / "alerts.jsonl"
    assert check_manifest(settings, FixedClock()) is not None
    assert read_alerts(alerts) == []
    (tree / MODULE).write_text("evil")
    for _ in range(2):
        check_manifest(settings, FixedClock())
    (told,) = read_alerts(alerts)
    assert (told["severity"], told["code"]) == ("WARNING", "manifest")
    assert MODULE in str(told["message"])
    alerts.unlink()
    with pytest.raises(ManifestRefused):
        check_manifest(settings_of(tree, VV_MANIFEST_POLICY="enforce"), FixedClock())
    assert read_alerts(alerts)[0]["severity"] == "CRITICAL"
    (tree / MANIFEST_NAME).unlink()
    alerts.unlink()
    check_manifest(settings, FixedClock())
    assert read_alerts(alerts) == [], "a checkout that was never signed is no alarm"


def test_without_a_manifest(tmp_path: Path) -> None:
    root = make_tree(tmp_path)
    assert start(root, "warn") is not None
    with pytest.raises(ManifestRefused, match="there is no vv-signature"):
        start(root, "enforce")
    assert manifest_facts(root) == {"version": __version__, "sha256": None, "verified": False}


def test_the_facts_for_the_log(tree: Path) -> None:
    facts = manifest_facts(tree)
    assert facts["verified"] is True
    assert len(str(facts["sha256"])) == 64
    (tree / MODULE).write_text("evil")
    assert manifest_facts(tree) == {**facts, "verified": False}


def test_data_that_lie_elsewhere_are_the_boxs_own(tree: Path) -> None:
    settings = settings_of(
        tree, VIDEO_STORAGE_ROOT="videos", VV_LOG_DIR="var/log", VV_FACES_DIR="/srv/faces"
    )
    assert {"videos", "var/log"} <= own_paths(settings, tree)
    here = own_paths(settings_of(tree, VIDEO_STORAGE_ROOT="."), tree)
    assert "input" in here
    assert "" not in here
    assert "." not in here
