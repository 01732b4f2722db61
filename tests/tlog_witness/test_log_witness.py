"""``vv-log witness …`` on a real log, with a real witness."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.tlog_witness.boxes import NAME, serving
from tests.tlog_witness.conftest import LoggedBox, Run
from vv_core.errors import ConfigError
from vv_core.listen import parse_listen
from vv_core.tlog.heads import read_heads
from vv_core.tlog.note import format_vkey, open_note, parse_vkey
from vv_core.tlog.own_log import open_own_log
from vv_core.tlog.witness_files import WitnessPeer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


def write_witnesses(box: LoggedBox, *peers: WitnessPeer) -> Path:
    path = box.home / "witnesses.yaml"
    entries = "".join(
        f"  - name: {peer.name}\n    url: {peer.url}\n    vkey: {format_vkey(peer.verifier)}\n"
        for peer in peers
    )
    path.write_text(f"witnesses:\n{entries}")
    return path


@pytest.fixture
def observe(box: LoggedBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the witness of these tests observe the box's own log."""
    verifier = parse_vkey(box.vkey)
    monkeypatch.setattr("tests.tlog_witness.boxes.LOGS", {verifier.name: [verifier]})


def test_push(
    run: Run, box: LoggedBox, observe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run("witness", "push")
    assert code == 78
    assert "VV_WITNESSES" in err
    monkeypatch.setenv("VV_WITNESS_POLICY", "1")
    assert "0 of 1 wanted" in run("status")[1]
    with serving(tmp_path / "w") as (_, peer):
        monkeypatch.setenv("VV_WITNESSES", str(write_witnesses(box, peer)))
        code, out, _ = run("witness", "push")
        assert code == 0
        assert out == "sala-2: assinou também (3 linhas)\n"
        assert run("witness", "push")[1] == "sala-2: já conhece (3 linhas)\n"
        # The cosignature stands under the checkpoint, and goes into every proof.
        log = open_own_log(box.settings.storage.log)
        note = open_note(log.note, [log.verifier, peer.verifier])
        assert [each.name for each in note.verified] == [log.head.origin, NAME]
        assert run("prove", "0", "--out", str(tmp_path / "p"))[0] == 0
        keys = ["--vkey", box.vkey, "--vkey", format_vkey(peer.verifier)]
        code, out, _ = run("check", str(tmp_path / "p"), *keys, "--min-witnesses", "1")
        assert code == 0
        assert f"testemunha: {NAME}" in out
        status = json.loads(run("status", "--json")[1])
        assert status["problems"] == []
        assert status["witnesses"][0]["state"] == "current"
        box.add("d.mp4")
        status = json.loads(run("status", "--json")[1])
        assert (status["witnesses"][0]["state"], status["behind_witnesses"]) == ("behind", 1)
        # A line that the witness has seen is proven by the head that it has seen.
        assert run("prove", "1", "--out", str(tmp_path / "p"))[0] == 0
        assert run("check", str(tmp_path / "p"), *keys, "--min-witnesses", "1")[0] == 0
    code, out, _ = run("witness", "push")
    assert code == 69
    assert "não conseguiu" in out
    assert "espera a próxima" in run("witness", "push")[1]
    assert json.loads(run("status", "--json")[1])["witnesses"][0]["state"] == "failing"
    assert run("witness", "push", "--now", "--json")[0] == 69


def test_push_after_an_older_backup(
    run: Run, box: LoggedBox, observe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever puts everything back, keys and state too, is still found out by the witness."""
    shutil.copytree(box.home, tmp_path / "backup")
    box.add("d.mp4")
    with serving(tmp_path / "w") as (_, peer):
        monkeypatch.setenv("VV_WITNESSES", str(write_witnesses(box, peer)))
        assert run("witness", "push")[0] == 0
        shutil.rmtree(box.home)
        shutil.copytree(tmp_path / "backup", box.home)
        write_witnesses(box, peer)
        code, out, _ = run("witness", "push")
        assert code == 65
        assert "CONTRADIZ" in out
        assert "has seen 4 lines, and this log has 3" in out
        assert "contradicts this log" in run("status")[1]


WRONG_LISTS: dict[str, tuple[str, str]] = {
    "nothing": ("", "empty"),
    "no list": ("witnesses: 1\n", "list"),
    "an unknown key": ("witnesses:\n  - nam: x\n", "line 2"),
    "no url": ("witnesses:\n  - name: x\n    vkey: y\n", "url"),
    "a strange name": ("witnesses:\n  - {name: '../x', url: 'http://h', vkey: y}\n", "name"),
    "not http": ("witnesses:\n  - {name: x, url: 'ftp://h', vkey: y}\n", "url"),
    "not a port": ("witnesses:\n  - {name: x, url: 'http://h:99999', vkey: y}\n", "url"),
    "not a key": ("witnesses:\n  - {name: x, url: 'http://h', vkey: y}\n", "vkey"),
}


@pytest.mark.parametrize("name", WRONG_LISTS)
def test_a_wrong_list_of_witnesses(
    run: Run, box: LoggedBox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text, expected = WRONG_LISTS[name]
    (box.home / "w.yaml").write_text(text)
    monkeypatch.setenv("VV_WITNESSES", "w.yaml")
    code, _, err = run("witness", "push")
    assert code == 78
    assert expected in err
    assert "docs/provable-log.md" in err


def test_keys_of_the_wrong_kind(run: Run, box: LoggedBox, monkeypatch: pytest.MonkeyPatch) -> None:
    (box.home / "w.yaml").write_text(
        f"witnesses:\n  - {{name: x, url: 'http://h', vkey: {box.vkey!r}}}\n"
    )
    monkeypatch.setenv("VV_WITNESSES", "w.yaml")
    assert "key of a log" in run("witness", "push")[2]
    vkey = json.loads(run("witness", "key", "--json")[1])["vkey"]
    (box.home / "l.yaml").write_text(f"logs:\n  - vkey: {vkey!r}\n")
    monkeypatch.setenv("VV_WITNESS_LOGS", "l.yaml")
    assert "key of a witness" in run("witness", "serve")[2]


def test_qr(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    code, out, _ = run("witness", "qr")
    assert code == 0
    paths = [Path(line) for line in out.splitlines()]
    assert [path.suffix for path in paths] == [".png", ".svg"]
    note = (box.settings.storage.log / "checkpoint").read_bytes()
    assert [read_heads(path) for path in paths] == [[note], [note]]
    assert run("witness", "qr", "--out", str(tmp_path / "new" / "x"))[0] == 0


def test_usb(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    assert run("witness", "usb", str(tmp_path / "mnt"))[0] == 66
    stick = tmp_path / "stick"
    stick.mkdir()
    shutil.copytree(box.home, tmp_path / "backup")
    box.add("d.mp4")
    code, out, _ = run("witness", "usb", str(stick))
    assert code == 0
    assert "gravada" in out
    assert "já estava lá" in run("witness", "usb", str(stick))[1]
    shutil.rmtree(box.home)
    shutil.copytree(tmp_path / "backup", box.home)
    code, _, err = run("witness", "usb", str(stick))
    assert code == 65
    assert "lines were cut off" in err


def test_webhook(run: Run, box: LoggedBox, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("witness", "webhook")
    assert code == 78
    assert "VV_HEAD_URLS" in err
    monkeypatch.setenv("VV_HEAD_URLS", "http://127.0.0.1:1/secret")
    code, out, err = run("witness", "webhook")
    assert code == 69
    assert "secret" not in out + err


def test_serve_as_a_program(
    run: Run, box: LoggedBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second box: its own home, its own process, started and ended as systemd would."""
    code, _, err = run("witness", "serve")
    assert code == 78
    assert "VV_WITNESS_LOGS" in err
    second = tmp_path / "second"
    (second / "data").mkdir(parents=True)
    (second / "logs.yaml").write_text(f"logs:\n  - vkey: {box.vkey!r}\n")
    environment = {
        **os.environ,
        "VV_HOME": str(second),
        "VV_WITNESS_LOGS": "logs.yaml",
        "VV_BOX_NAME": "sala 2",
    }
    command = [sys.executable, str(ROOT / "scripts" / "vv_log.py"), "witness", "serve"]
    for size in (3, 4):
        with subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            vkey, url = (child.stdout.readline().strip() for _ in range(2))
            peer = WitnessPeer("sala-2", url, parse_vkey(vkey))
            monkeypatch.setenv("VV_WITNESSES", str(write_witnesses(box, peer)))
            assert run("witness", "push", "--now")[1] == f"sala-2: assinou também ({size} linhas)\n"
            child.send_signal(signal.SIGTERM)
            out, err = child.communicate(timeout=30)
        assert (child.returncode, err) == (0, "")
        assert "encerrada" in out
        box.add("d.mp4")
    assert vkey.startswith("vv-witness/sala-2-")


LISTEN: dict[str, tuple[str, int] | None] = {
    "127.0.0.1:8461": ("127.0.0.1", 8461),
    "[::1]:1": ("::1", 1),
    "box:0": ("box", 0),
    "8461": None,
    ":8461": None,
    "h:": None,
    "h:-1": None,
    "h:65536": None,
    "h:٣": None,
    f"h:{'9' * 5000}": None,
}


@pytest.mark.parametrize("text", LISTEN)
def test_where_to_listen(text: str) -> None:
    expected = LISTEN[text]
    if expected is not None:
        assert parse_listen(text) == expected
    else:
        with pytest.raises(ConfigError):
            parse_listen(text)
