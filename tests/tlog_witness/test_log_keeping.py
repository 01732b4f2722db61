"""``vv-log rotate``, ``revoke``, ``prune`` and ``repair`` on a real log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.tlog_witness.conftest import LoggedBox, Run

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


def test_rotate(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    code, out, _ = run("rotate", "--export-key", str(tmp_path / "key.json"))
    assert code == 0
    assert ".0 → " in out
    assert (tmp_path / "key.json").stat().st_mode & 0o777 == 0o600
    assert "segredo" in out
    report = json.loads(run("rotate", "--json")[1])
    assert report["new_key_id"].endswith(".2")
    assert json.loads(run("status", "--json")[1])["rotations"] == 2
    assert run("rotate", "--export-key", str(tmp_path / "key.json"))[0] == 64
    assert json.loads(run("status", "--json")[1])["rotations"] == 2


def test_revoke(run: Run, box: LoggedBox) -> None:
    key_id = json.loads((box.loglines / "a.logline.json").read_bytes())["signature_details"][
        "key_id"
    ]
    code, _, err = run("revoke", key_id, "--from-line", "1")
    assert code == 64
    assert "--yes" in err
    assert run("revoke", key_id, "--from-line", "99", "--yes")[0] == 65
    assert run("revoke", "other", "--from-line", "1", "--yes")[0] == 65
    code, out, _ = run("revoke", key_id, "--from-line", "1", "--yes")
    assert code == 0
    assert f"revogada: {key_id}" in out
    assert json.loads(run("status", "--json")[1])["revocations"] == 1


def test_prune(run: Run, box: LoggedBox) -> None:
    box.add(*(f"n{number}.mp4" for number in range(300)))
    assert run("prune", "--below", "256")[0] == 64
    code, out, _ = run("prune", "--below", "256", "--yes")
    assert code == 0
    assert "abaixo de 256" in out
    assert json.loads(run("status", "--json")[1])["pruned_below"] == 256
    code, _, err = run("prove", "3")
    assert code == 66
    assert "pruned" in err
    assert run("export", str(box.clip("n290.mp4")))[0] == 0
    code, _, err = run("export", str(box.clip("a.mp4")))
    assert code == 66


def put_older_back(box: LoggedBox, tmp_path: Path) -> Path:
    """Add a line, then put the log from before it back; return a whole copy of the LogLines."""
    shutil.copytree(box.settings.storage.log, tmp_path / "older")
    box.add("d.mp4")
    shutil.copytree(box.loglines, tmp_path / "copy")
    shutil.rmtree(box.settings.storage.log)
    shutil.copytree(tmp_path / "older", box.settings.storage.log)
    (box.loglines / "d.logline.json").unlink()
    return tmp_path / "copy"


def test_nothing_to_repair(run: Run, box: LoggedBox) -> None:
    code, out, _ = run("repair")
    assert code == 0
    assert out.startswith("nada a reparar")
    assert run("repair", "--new-epoch")[0] == 64


def test_repair_from_a_copy(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    copy = put_older_back(box, tmp_path)
    code, _, err = run("repair")
    assert code == 77
    assert "→" in err
    code, out, _ = run("repair", "--from", str(copy))
    assert code == 0
    assert out.startswith("reconstruído")
    status = json.loads(run("status", "--json")[1])
    assert (status["size"], status["problems"]) == (5, [])


def test_repair_with_a_new_log(run: Run, box: LoggedBox, tmp_path: Path) -> None:
    put_older_back(box, tmp_path)
    before = json.loads(run("status", "--json")[1])
    assert before["problems"]
    code, out, _ = run("repair", "--new-epoch", "--yes")
    assert code == 0
    assert "outro registro" in out
    status = json.loads(run("status", "--json")[1])
    assert status["problems"] == []
    assert status["origin"] != before["origin"]
    assert status["vkey"] != before["vkey"]
    # What was closed can still be proven.
    (closed,) = (box.settings.storage.log_state / "closed").iterdir()
    proof = str(tmp_path / "p")
    assert run("prove", "1", "--log", str(closed / "loglines" / "log"), "--out", proof)[0] == 0
    assert run("check", proof, "--vkey", before["vkey"])[0] == 0
