"""The log that the product writes, read by Go's own note and tlog packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tlog_writing.logs import LogBox

SOURCE = Path(__file__).with_name("go_peer") / "peer.go"
GO_PATH = Path("/usr/share/gocode")
"""Where Debian's golang-golang-x-mod-dev lies."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go (apt: golang-go)"),
    pytest.mark.skipif(
        not (GO_PATH / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
        reason="Go's tlog package is not installed (apt: golang-golang-x-mod-dev)",
    ),
]

Peer = Callable[[Path, str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    """Return how to run the peer, built once."""
    folder = tmp_path_factory.mktemp("go")
    program = folder / "peer"
    environ = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(GO_PATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    command = ["go", "build", "-o", str(program), str(SOURCE)]
    subprocess.run(command, check=True, timeout=280, env=environ)

    def run(log: Path, vkey: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), str(log), vkey], check=False, timeout=60, capture_output=True, text=True
        )

    return run


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> LogBox:
    """Return a box whose log has a full tile and the beginning of a second."""
    box = LogBox(tmp_path_factory.mktemp("box"))
    for number in range(0, 260, 20):
        box.append(*(f"clip-{each}" for each in range(number, number + 20)))
    return box


def vkey_of(box: LogBox) -> str:
    return (box.folder / "vkey").read_text().strip()


def test_go_proves_every_line_and_every_smaller_log(peer: Peer, box: LogBox) -> None:
    result = peer(box.folder, vkey_of(box))
    assert (result.stdout, result.stderr) == ("ok 260\n", "")


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/entries/000", "tile/1/000.p/1"])
def test_go_sees_a_changed_file(peer: Peer, box: LogBox, tmp_path: Path, name: str) -> None:
    """Else its approval above would say nothing."""
    copy = tmp_path / "log"
    shutil.copytree(box.folder, copy)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    assert peer(copy, vkey_of(box)).returncode == 1


def test_go_refuses_another_key(peer: Peer, box: LogBox, tmp_path: Path) -> None:
    other = LogBox(tmp_path)
    other.append("a")
    assert peer(box.folder, vkey_of(other)).returncode == 1
