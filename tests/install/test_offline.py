"""A box without any network, from a stick with two files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.conftest import Bundled
from tests.install.test_journey import check_installation
from tests.install.throwaway import OPTIONS, PREFIX, Ran, Throwaway, throwaway
from tests.pipeline.subjects import require_engine
from vv_core.bundle.writing import write_bundle
from vv_core.tlog.note import Signer
from vv_core.tlog.signing_key import create_signing_key

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture
def alone(tmp_path: Path, bundled: Bundled) -> Iterator[Throwaway]:
    """Return a root with no network, and the stick at /shared."""
    require_engine()
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    with throwaway(nothing, tmp_path) as root:
        for name in ("install.sh", bundled.path.name):
            shutil.copy(bundled.folder / name, root.shared / name)
        yield root


def install(root: Throwaway, *options: str, check: bool = True) -> Ran:
    return root.run("bash", "/shared/install.sh", *options, check=check, VV_LANGUAGE="en")


def test_installs_with_no_network_from_two_files(
    alone: Throwaway, bundled: Bundled, tmp_path: Path
) -> None:
    assert "eth0" not in alone.run("ls", "/sys/class/net").out
    bundle = f"/shared/{bundled.path.name}"
    before = alone.snapshot()

    # Not what was signed, or not by whom it should be: refused before anything is written.
    raw = bytearray(bundled.path.read_bytes())
    raw[-20_000] ^= 1
    (alone.shared / "bad.bundle").write_bytes(raw)
    refused = install(alone, *OPTIONS, "--offline", "/shared/bad.bundle", check=False)
    assert refused.code == 65, refused
    theirs = other_bundle(tmp_path, alone.shared / "theirs")
    refused = install(alone, *OPTIONS, "--offline", bundle, "--vkey", theirs.vkey, check=False)
    assert refused.code == 77, refused
    assert {path for path in alone.snapshot() if not path.startswith(f"{PREFIX}/.git")} - {
        PREFIX
    } == before.keys()

    # The first key that signs is told, and counts from then on.
    ran = install(alone, *OPTIONS, "--offline", bundle)
    assert "signature and hashes are right" in ran.out
    assert bundled.vkey in ran.out
    assert "first time: this key counts on this machine from now on" in ran.err
    check_installation(alone)
    refused = install(alone, "--offline", f"/shared/theirs/{theirs.path.name}", check=False)
    assert refused.code == 77
    assert "not signed by the key that is trusted here" in refused.err

    again = install(alone, "--offline", bundle, "--vkey", bundled.vkey)
    assert "no change was needed" in again.out, str(again)
    assert "first time" not in again.err
    assert not alone.exists(f"{PREFIX}/.git/vv-install/bundle")


def other_bundle(tmp_path: Path, output: Path) -> Bundled:
    """Return a bundle that somebody else has signed; what is in it does not matter."""
    path = tmp_path / "keys" / "theirs.pem"
    signer = Signer("theirs", create_signing_key(path))
    output.mkdir()
    target = output / "theirs.bundle"
    vkey = write_bundle(target, {"repository.bundle": path}, {"version": "9"}, signer)
    return Bundled(output, target, vkey)
