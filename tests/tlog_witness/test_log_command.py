"""``vv-log`` as a person runs it, command by command, on a real log."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.tlog_witness.conftest import LoggedBox, Run
from vv_core import __version__
from vv_core.log_command.command import build_parser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

ALL = [
    *("status", "prove", "export", "check", "rotate", "revoke", "prune", "repair", "witness"),
    *(f"witness {name}" for name in ("push", "qr", "usb", "webhook", "serve", "key")),
]


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help(run: Run, name: str) -> None:
    code, out, _ = run(*name.split(), "--help")
    assert code == 0
    assert name == "witness" or "--json" in out
    assert f"vv-log {name}" in out


def test_version_and_wrong_usage(run: Run, box: LoggedBox) -> None:
    assert run("--version")[1] == f"vv-log {__version__}\n"
    for arguments in ([], ["other"], ["witness"], ["prune"], ["prune", "--below", "x"], ["prove"]):
        code, out, err = run(*arguments)
        assert (code, out) == (64, "")
        assert "--help" in err


def test_there_is_no_log_yet(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    for arguments in (["status"], ["prove", "0"], ["witness", "qr"], ["witness", "usb", "/"]):
        code, _, err = run(*arguments)
        assert code == 66
        assert "→" in err


# ── status ──


def test_status(run: Run, box: LoggedBox) -> None:
    code, out, err = run("status")
    assert (code, err) == (0, "")
    assert "Linhas             3\n" in out
    assert box.vkey in out
    assert "Testemunhas        nenhuma" in out
    report = json.loads(run("status", "--json")[1])
    assert report["size"] == 3
    assert report["vkey"] == box.vkey
    assert report["problems"] == []
    assert report["behind_witnesses"] == 3
    assert report["key_id"].endswith(".0")
    assert run("status", "--language", "en")[1].startswith("Log ")


def test_status_of_an_older_backup(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    shutil.copytree(box.settings.storage.log, tmp_path / "backup")
    box.add("d.mp4")
    shutil.rmtree(box.settings.storage.log)
    shutil.copytree(tmp_path / "backup", box.settings.storage.log)
    code, out, _ = run("status")
    assert code == 0
    assert "older backup" in out
    assert "vv-log repair" in out


# ── prove, export, check ──


def test_prove_and_check(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    proof = tmp_path / "b.vvproof"
    line = str(box.loglines / "b.logline.json")
    code, out, err = run("prove", line, "--out", str(proof))
    assert (code, err) == (0, "")
    assert "linha 1" in out
    assert proof.stat().st_size <= 2048
    code, out, _ = run("check", str(proof), "--vkey", box.vkey, "--clip", str(box.clip("b.mp4")))
    assert code == 0
    assert out.startswith("VÁLIDA ")
    assert "nenhuma testemunha" in out
    code, out, _ = run("check", str(proof), "--vkey", box.vkey, "--clip", str(box.clip("a.mp4")))
    assert code == 1
    assert "o vídeo não é o que a LogLine nomeia" in out
    out = run("check", str(proof), "--vkey", box.vkey, "--show")[1]
    assert "\nc2sp.org/tlog-proof@v1\nindex 1\n" in out
    report = json.loads(run("check", str(proof), "--vkey", box.vkey, "--json")[1])
    assert (report["status"], report["seq"], report["clip_checked"]) == ("VALID", 1, False)


def test_check_needs_nothing_of_the_box(
    run: Run, box: LoggedBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("prove", "2")[0] == 0
    # On the box itself its own key is taken, and that is said.
    code, out, _ = run("check", "line-2.vvproof")
    assert code == 0
    assert "com a chave deste equipamento" in out
    monkeypatch.setenv("VV_HOME", str(tmp_path / "elsewhere"))
    code, _, err = run("check", "line-2.vvproof")
    assert code == 64
    assert "--vkey" in err
    assert run("check", "line-2.vvproof", "--vkey", box.vkey)[0] == 0
    (tmp_path / "keys").write_text(f"# from the installer\n{box.vkey}\n\n")
    assert run("check", "line-2.vvproof", "--vkey", "keys")[0] == 0
    assert run("check", "line-2.vvproof", "--vkey", box.vkey, "--min-witnesses", "1")[0] == 2
    other = "vv-log/other+" + box.vkey.split("+", 1)[1]
    assert run("check", "line-2.vvproof", "--vkey", other)[0] == 65
    (tmp_path / "junk").write_bytes(b"junk")
    assert run("check", "junk", "--vkey", box.vkey)[0] == 3
    assert run("check", "gone", "--vkey", box.vkey)[0] == 66
    os.mkfifo(tmp_path / "fifo")
    assert run("check", "fifo", "--vkey", box.vkey)[0] == 3


NOT_LINES: dict[str, tuple[str | None, int]] = {
    "99": (None, 66),
    "gone.logline.json": (None, 66),
    "not-json.logline.json": ("x", 65),
    "a-list.logline.json": ("[]", 65),
    "old.logline.json": ('{"schema":"vv.logline/1"}', 65),
    "elsewhere.logline.json": ('{"log":{"seq":1}}', 65),
    "negative.logline.json": ('{"log":{"seq":-1}}', 66),
    "true.logline.json": ('{"log":{"seq":true}}', 65),
}


@pytest.mark.parametrize("name", NOT_LINES)
def test_what_cannot_be_proven(
    run: Run, box: LoggedBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text, expected = NOT_LINES[name]
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    code, _, err = run("prove", name)
    assert code == expected
    assert "→" in err


def test_export(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    code, out, err = run("export", str(box.clip("b.mp4")))
    assert (code, err) == (0, "")
    folder = box.settings.storage.exports / "b"
    assert sorted(path.name for path in folder.iterdir()) == [
        "LEIA-ME.txt",
        "b.logline.json",
        "b.mp4",
        "b.mp4.vvproof",
    ]
    note = (folder / "LEIA-ME.txt").read_text()
    assert "vv-log check 'b.mp4.vvproof' --clip 'b.mp4'" in note
    assert box.vkey in note
    assert "1" in out
    # Another machine: a copy of the folder and the key, nothing else.
    shutil.copytree(folder, tmp_path / "auditor")
    clip, proof = tmp_path / "auditor" / "b.mp4", tmp_path / "auditor" / "b.mp4.vvproof"
    assert run("check", str(proof), "--clip", str(clip), "--vkey", box.vkey)[0] == 0
    clip.write_bytes(clip.read_bytes() + b"x")
    assert run("check", str(proof), "--clip", str(clip), "--vkey", box.vkey)[0] == 1
    # Once more, to the same place, and from a copy in the log's own folder.
    assert run("export", str(folder / "b.mp4"))[0] == 0


def test_export_of_something_else(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    (tmp_path / "other.mp4").write_bytes(b"other")
    code, _, err = run("export", str(tmp_path / "other.mp4"))
    assert code == 66
    assert "no line of the log names a video" in err
    assert run("export", str(tmp_path / "gone.mp4"))[0] == 66
    assert run("export", str(tmp_path))[0] == 66


def test_the_parser_knows_all_commands() -> None:
    text = build_parser().format_help()
    assert all(name.split()[0] in text for name in ALL)


def test_texts_from_elsewhere_cannot_steer_the_terminal(
    run: Run, box: LoggedBox, tmp_path: Path
) -> None:
    name = tmp_path / "\x1b[2J.vvproof"
    name.write_bytes(b"junk")
    code, out, err = run("check", str(name), "--vkey", box.vkey)
    assert code == 3
    assert "\x1b" not in out + err
