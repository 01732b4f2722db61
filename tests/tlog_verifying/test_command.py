"""`logline_verifier` on whole logs, as a program."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.log_builder import CHAIN, LogBuilder
from tests.tlog_verifying.box import WITNESS, built
from tests.tlog_writing.logs import LogBox
from vv_core.audit.verifier_command import main

Run = Callable[..., tuple[int, str, str]]
AT = 1_795_000_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copied box, its public key, and the first HMAC key."""
    for name in [name for name in os.environ if name.startswith("VV_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    box = built(tmp_path, 20)
    (tmp_path / "vkey.txt").write_text(f"# box-01, 2026-11-21\n{box.signer.vkey}\n")
    write_keys(tmp_path / "keys.json", box.secret)
    return tmp_path


@pytest.fixture
def box(home: Path) -> LogBuilder:
    """The same box, for changes."""
    copy = LogBuilder(home / "loglines")
    copy.add_event("start", version="0.1.0", manifest_sha256=None)
    copy.add_lines(10)
    copy.rotate()
    copy.add_lines(10)
    return copy


def write_keys(path: Path, secret: bytes) -> None:
    key = {"secret": base64.b64encode(secret).decode(), "created": "2026-11-21T00:00:00Z"}
    store = {"schema": "vv.hmac-keys/1", "active": f"{CHAIN}.0", "keys": {f"{CHAIN}.0": key}}
    path.write_text(json.dumps(store))
    path.chmod(0o600)


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as exc:
            code = int(exc.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


PORTUGUESE = """\
Registro vv-log/box-01-0badf00d: 22 linhas, cabeça assinada
  só assinadas, sem testemunha: 22 linhas (0–21)
Resultado: 22 válidas
"""

ENGLISH = """\
VALID         loglines/log  lines 0–21
Log vv-log/box-01-0badf00d: 22 lines, head signed
  witnessed by witness.example/sala-2: first 15 lines, at 2026-11-18T11:06:40Z
  signed only, no witness: 7 lines (15–21)
Result: 22 valid
"""


def test_with_and_without_secrets(run: Run) -> None:
    for keys in ([], ["--key-file", "keys.json"]):
        code, out, err = run("loglines", "--vkey", "vkey.txt", *keys)
        assert (code, err) == (0, "")
        assert out.endswith(PORTUGUESE)
        assert out.count("VÁLIDA  ") == 22


def test_the_report_says_who_has_witnessed_what(run: Run, box: LogBuilder) -> None:
    (box.log / "witness").mkdir()
    (box.log / "witness" / "w").write_bytes(box.checkpoint(15, {WITNESS: AT}))
    keys = ["--vkey", box.signer.vkey, "--vkey", WITNESS.vkey]
    assert run("loglines/log", *keys, "--language", "en") == (0, ENGLISH, "")
    code, out, _ = run("loglines/log", *keys, "--json")
    log = json.loads(out.splitlines()[-2])
    assert (code, log["witnessed"], log["signed_only"]) == (0, 15, 7)
    assert log["witnesses"] == [{"name": WITNESS.name, "size": 15, "at": "2026-11-18T11:06:40Z"}]
    code, out, _ = run("loglines", *keys, "--json")
    items = [json.loads(line) for line in out.splitlines()]
    witnessed = {each["seq"] for each in items if each["kind"] == "item" and each["witnesses"]}
    assert witnessed == set(range(15))


def test_a_policy_that_wants_witnesses(run: Run, box: LogBuilder) -> None:
    (box.log / "checkpoint").write_bytes(box.checkpoint(None, {WITNESS: AT}))
    keys = ["--vkey", box.signer.vkey, "--vkey", WITNESS.vkey, "--quiet"]
    assert run("loglines", *keys, "--require-witnesses", "1")[0] == 0
    code, out, _ = run("loglines", *keys, "--require-witnesses", "2", "--language", "en")
    assert code == 2
    assert "UNVERIFIABLE  loglines/log  lines 0–21\n" in out
    assert run("loglines", "--vkey", box.signer.vkey, "--require-witnesses", "1")[0] == 2


def test_without_the_public_key_the_head_is_undecided(run: Run) -> None:
    code, out, _ = run("loglines", "--key-file", "keys.json", "--language", "en")
    assert code == 2
    assert "without the log's public key its head cannot be checked" in out
    assert "Signed only, in no proven log: 22" in out


def test_json_is_the_same_twice_and_with_any_jobs(run: Run, box: LogBuilder) -> None:
    (box.folder / "x\n\x1b[0m.logline.json").write_bytes(b"\x00")
    (box.folder / "clip000003.logline.json").unlink()
    arguments = ["loglines", "--vkey", "vkey.txt", "--key-file", "keys.json", "--json"]
    first = run(*arguments)
    assert first == run(*arguments)
    assert first == run(*arguments, "--jobs", "2")
    code, out, err = first
    assert (code, err) == (1, "")
    items = [json.loads(line) for line in out.splitlines()]
    assert [each["kind"] for each in items[-2:]] == ["log", "summary"]
    counts = items[-1]["counts"]
    assert (counts["VALID"], counts["MISSING"], counts["MALFORMED"]) == (21, 1, 1)
    assert "\x1b" not in out


def test_a_log_is_found_below_a_folder(run: Run, home: Path) -> None:
    (home / "copied").mkdir()
    (home / "loglines").rename(home / "copied" / "loglines")
    code, out, _ = run("copied", "--vkey", "vkey.txt", "--quiet", "--json")
    assert code == 0
    assert json.loads(out.splitlines()[0])["path"] == "copied/loglines/log"


@pytest.mark.parametrize("secrets", [[], ["--key-file", "keys.json"]])
def test_one_file_is_proven_by_the_log_near_it(
    run: Run, box: LogBuilder, secrets: list[str]
) -> None:
    for name in ("clip000004.logline.json", "events/0000000000-start.logevent.json"):
        code, out, _ = run(f"loglines/{name}", "--vkey", "vkey.txt", *secrets, "--json")
        reason = "logged" if secrets else "logged_keyless"
        assert (code, json.loads(out.splitlines()[0])["reason"]) == (0, reason)
    path = box.folder / "clip000004.logline.json"
    path.write_bytes(path.read_bytes().replace(b"alerta", b"curado"))
    assert run(str(path), "--vkey", "vkey.txt", *secrets)[0] == 1


def test_one_file_alone_is_signed_only(run: Run, home: Path) -> None:
    (home / "loglines" / "clip000004.logline.json").rename(home / "a.logline.json")
    code, out, _ = run("a.logline.json", "--key-file", "keys.json", "--json")
    assert (code, json.loads(out.splitlines()[0])["reason"]) == (0, "signature_matches")
    assert json.loads(out.splitlines()[-1])["signed_only"] == 1


HEADS = {
    "note": lambda box: box.checkpoint(12),
    "size and root": lambda box: " ".join(box.head_text(12).splitlines()[1:3]).encode(),
}


@pytest.mark.parametrize("make", HEADS.values(), ids=HEADS)
def test_heads_that_witnesses_hold(
    run: Run, box: LogBuilder, home: Path, make: Callable[[LogBuilder], bytes]
) -> None:
    (home / "head").write_bytes(make(box))
    for options in (["--vkey", "vkey.txt"], ["--key-file", "keys.json"], []):
        code, out, _ = run("loglines/log", "--head", "head", *options, "--language", "en")
        assert "witnessed by head: first 12 lines, no signed time" in out
        assert code == (2 if not options else 0), "without any key, later lines are not proven"


BAD_INPUT = {
    "vkey": ["--vkey", "nonsense"],
    "vkey with a wrong id": ["--vkey", "a+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
    "head that is not there": ["--head", "gone", "--vkey", "vkey.txt"],
    "head that is none": ["--head", "keys.json", "--vkey", "vkey.txt"],
    "jobs": ["--jobs", "99", "--vkey", "vkey.txt"],
    "witnesses": ["--require-witnesses", "-1", "--vkey", "vkey.txt"],
    "key file": ["--key-file", "vkey.txt"],
}


@pytest.mark.parametrize("options", BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_exits_4_with_advice(run: Run, options: list[str]) -> None:
    code, out, err = run("loglines", *options)
    assert (code, out) == (4, "")
    assert "→" in err
    assert "Traceback" not in err


def test_a_head_of_a_log_that_is_not_here(run: Run, home: Path) -> None:
    other = LogBuilder(home / "other", "vv-log/box-02-0badf00d", 2)
    other.add_lines(2)
    (home / "head").write_bytes(other.checkpoint())
    code, out, _ = run(
        "loglines", "--vkey", "vkey.txt", "--vkey", other.signer.vkey, "--head", "head", "--json"
    )
    assert code == 1
    assert json.loads(out.splitlines()[-3])["reason"] == "log_missing"


def test_a_box_verifies_its_own_log_without_options(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own signing key says which key signs the heads; the logs of others need theirs."""
    own = LogBox(home / "own")
    own.append("a", "b")
    monkeypatch.setenv("VV_HOME", str(own.home))
    keys = ["--key-file", str(own.key_store)]
    for options in ([], keys):
        code, out, err = run(str(own.loglines), "--language", "en", *options)
        assert (code, err) == (0, "")
        assert "head signed" in out
    assert run(str(own.loglines / "a.logline.json"), "--quiet") == (0, "", "")
    (own.folder / "checkpoint").write_bytes(b"")
    assert run(str(own.loglines))[0] == 3
    code, out, _ = run("loglines", "--key-file", "keys.json", "--json")
    assert (code, json.loads(out.splitlines()[0])["reason"]) == (2, "no_vkey")


def test_as_a_program_on_the_whole_box(home: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "logline_verifier.py"
    command = [sys.executable, str(script), "loglines", "--vkey", "vkey.txt", "--jobs", "2"]
    # Measured runs warn on stderr that the workers' modules were imported before.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    result = subprocess.run(command, capture_output=True, timeout=60, check=False, env=env)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().endswith(PORTUGUESE)
