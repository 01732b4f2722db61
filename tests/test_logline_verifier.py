from __future__ import annotations

import base64
import fcntl
import importlib.util
import json
import logging
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.audit.samples import EXAMPLE_KEY_ID, EXAMPLE_SECRET, old_signed_bytes, signed_bytes
from vv_core import __version__
from vv_core.audit.keys import SCHEMA

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "logline_verifier.py"
LINE = old_signed_bytes()

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("logline_verifier_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A box with the example key and four LogLines, of which only one is in order."""
    for name in [name for name in os.environ if name.startswith("VV_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    write_keys(tmp_path / "secrets" / "hmac_keys.json")
    folder = tmp_path / "loglines"
    folder.mkdir()
    (folder / "a.logline.json").write_bytes(LINE)
    (folder / "a.logline.md").write_text("not signed, not looked at")
    return tmp_path


def write_keys(path: Path, key_id: str = EXAMPLE_KEY_ID) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    secret = base64.b64encode(EXAMPLE_SECRET).decode()
    key = {"secret": secret, "created": "2026-11-21T00:00:00Z"}
    path.write_text(json.dumps({"schema": SCHEMA, "active": key_id, "keys": {key_id: key}}))
    path.chmod(0o600)
    return path


@pytest.fixture
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the logger back as it was: the script sends it to stderr."""
    logger = logging.getLogger("vv")
    monkeypatch.setattr(logger, "handlers", list(logger.handlers))
    monkeypatch.setattr(logger, "level", logger.level)


@pytest.fixture
def run(
    _own_logging: None, home: Path, script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> Run:
    def run_script(*arguments: str) -> tuple[int, str, str]:
        try:
            code = script.main(list(arguments))
        except SystemExit as exc:
            code = exc.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_script


def test_a_valid_folder(run: Run) -> None:
    expected = "VÁLIDA           loglines/a.logline.json\nResultado: 1 válida\n"
    assert run("loglines") == (0, expected, "")


def test_a_valid_file_in_english(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = "VALID         loglines/a.logline.json\nResult: 1 valid\n"
    assert run("loglines/a.logline.json", "--language", "en") == (0, expected, "")
    monkeypatch.setenv("VV_LANGUAGE", "en")
    assert run("loglines/a.logline.json") == (0, expected, "")


def test_verbose_says_what_the_lines_are(run: Run) -> None:
    code, out, _ = run("loglines", "-v")
    assert code == 0
    assert "20261121T050304Z-a1a1a1a1a1a1 · alerta · Duas pessoas" in out


def test_tampering_outweighs_all(run: Run, home: Path) -> None:
    folder = home / "loglines"
    (folder / "b.logline.json").write_bytes(LINE.replace(b"alerta", b"curado"))
    (folder / "c.logline.json").write_text("[]")
    code, out, err = run("loglines", "gone", "--quiet")
    assert code == 1
    assert out == (
        "INVÁLIDA         loglines/b.logline.json\n"
        "                 a assinatura não confere: o conteúdo mudou depois de assinado\n"
        "                 → Guarde o arquivo como está e compare-o com uma cópia de segurança.\n"
        "MALFORMADA       loglines/c.logline.json\n"
        "                 não é uma LogLine\n"
        "                 → Guarde o arquivo como está e procure uma cópia de segurança.\n"
        "NÃO LIDA         gone\n"
        "                 não existe\n"
        "                 → Confira o caminho.\n"
        "Resultado: 1 válida, 1 inválida, 1 malformada, 1 não lida\n"
    )
    assert err == ""


def test_quiet_says_nothing_when_all_is_well(run: Run) -> None:
    assert run("loglines", "--quiet") == (0, "", "")


def test_json_is_the_same_twice(run: Run, home: Path) -> None:
    (home / "loglines" / "x\n\x1b[0m.logline.json").write_bytes(b"\x00")
    first = run("loglines", "--json")
    assert first == run("loglines", "--json")
    code, out, err = first
    assert (code, err) == (3, "")
    items = [json.loads(line) for line in out.splitlines()]
    assert [item["status"] for item in items[:-1]] == ["VALID", "MALFORMED"]
    assert items[1]["path"] == "loglines/x\\n\\x1b[0m.logline.json"
    assert items[-1]["exit"] == 3
    assert items[-1]["items"] == 2


def test_quiet_json_keeps_the_totals(run: Run) -> None:
    _, out, _ = run("loglines", "--json", "--quiet")
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["summary"]


def test_an_unknown_key_cannot_be_decided(run: Run, home: Path) -> None:
    other = write_keys(home / "other.json", "another")
    code, out, _ = run("loglines", "--key-file", str(other))
    assert code == 2
    assert "NÃO VERIFICÁVEL" in out
    assert "key_id example" in out


def test_lines_of_a_log_that_is_not_here_cannot_be_decided(run: Run, home: Path) -> None:
    (home / "loglines" / "b.logline.json").write_bytes(signed_bytes())
    code, out, _ = run("loglines", "--language", "en")
    assert code == 2
    assert "UNVERIFIABLE  loglines\n" in out
    assert "the lines are of a log that is not here" in out
    assert run("loglines/b.logline.json")[0] == 0, "one file by itself is signed only"


def test_malformed_exits_3(run: Run, home: Path) -> None:
    (home / "loglines" / "a.logline.json").write_bytes(b"[" * 50_000)
    code, out, _ = run("loglines")
    assert code == 3
    assert "JSON com níveis demais" in out


def test_a_folder_without_loglines(run: Run, home: Path) -> None:
    (home / "empty").mkdir()
    code, out, _ = run("empty")
    assert code == 4
    assert "não há nenhuma LogLine nesta pasta" in out
    assert "→ Indique a pasta loglines/" in out


USAGE = {
    "nothing": [],
    "unknown option": ["--bad", "x"],
    "abbreviated option": ["--key", "x", "loglines"],
    "unknown language": ["--language", "de", "loglines"],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_4(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (4, "")
    assert "--help" in err


def test_help_and_version(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "--key-file" in out
    assert run("--version")[:2] == (0, f"logline_verifier {__version__}\n")


def test_without_keys_nothing_is_verified(run: Run, home: Path) -> None:
    (home / "secrets" / "hmac_keys.json").unlink()
    code, out, err = run("loglines")
    assert (code, out) == (4, "")
    assert "there is no key store" in err
    assert "→" in err


def test_keys_that_others_may_read_are_refused(run: Run, home: Path) -> None:
    (home / "secrets" / "hmac_keys.json").chmod(0o644)
    code, out, err = run("loglines")
    assert (code, out) == (4, "")
    assert "chmod 600" in err


def test_wrong_settings_exit_4(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_LANGUAGE", "de")
    code, _, err = run("loglines")
    assert code == 4
    assert "VV_LANGUAGE" in err


def test_a_trial_key_warns_on_stderr(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_HMAC_KEY", "a trial key of at least thirty-two bytes")
    code, _, err = run("loglines", "-vv")
    assert code == 2
    assert err.startswith("warning: VV_HMAC_KEY")


def test_nothing_is_left_behind(run: Run, home: Path) -> None:
    run("loglines")
    assert sorted(path.name for path in home.iterdir()) == ["loglines", "secrets"]


def start(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(SCRIPT), *arguments], **options)  # type: ignore[call-overload,no-any-return]


def test_as_a_program_from_another_folder(home: Path) -> None:
    with start("--json", "--", "loglines", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")
    assert json.loads(out.splitlines()[-1])["counts"]["VALID"] == 1


def test_a_terminal_that_only_knows_ascii(home: Path) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with start("loglines", stdout=subprocess.PIPE, env=environ) as child:
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert out.startswith(b"V\\xc1LIDA")


def test_a_reader_that_goes_away_is_no_success(home: Path) -> None:
    for number in range(3000):
        (home / "loglines" / f"{number:04}.logline.json").write_bytes(LINE)
    with start("loglines", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(timeout=60) == 4
        assert child.stderr.read() == b""


def test_a_person_sees_a_bar(home: Path) -> None:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with start("loglines", stdout=subprocess.PIPE, stderr=follower) as child:
        os.close(follower)
        out, _ = child.communicate(timeout=60)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert child.returncode == 0
    assert "VÁLIDA           loglines/a.logline.json\nResultado: 1 válida\n".encode() in out
    assert "/1 [" in shown


@pytest.mark.parametrize("size", [1_000_000_000])
def test_hostile_files_end_in_words(home: Path, size: int) -> None:
    folder = home / "loglines"
    os.mkfifo(folder / "fifo.logline.json")
    (folder / "link.logline.json").symlink_to("/etc/passwd")
    (folder / "deep.logline.json").write_bytes(b'{"a":' * 10_000)
    (folder / "twice.logline.json").write_bytes(b'{"a":1,"a":2}')
    (folder / "huge.logline.json").touch()
    os.truncate(folder / "huge.logline.json", size)
    (folder / "\x1b]0;x\x07\udcff.logline.json").write_bytes(b"\xff")
    with start("loglines", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (3, b"")
    assert b"\x1b" not in out
    assert b"\x07" not in out
    assert out.decode().endswith("Resultado: 1 válida, 6 malformadas\n")
