"""What a box gets before its first cycle; running it again changes nothing."""

from __future__ import annotations

import json
import os
import pwd
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.conftest import ROOT, Stranger
from vv_core.errors import ConfigError
from vv_core.fallback_media.placing import find_fallback_problems
from vv_core.ownership import find_user, hand_over
from vv_core.paths import FOLDERS
from vv_core.preparation import main, prepare
from vv_core.readiness import find_missing, find_todo
from vv_core.settings import load_settings
from vv_core.utils import load_key_store


def test_folders_and_a_strong_key_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 0
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == sorted([*FOLDERS, "config", "logins"])
    assert (tmp_path / "data" / "logins").stat().st_mode & 0o777 == 0o700
    store = tmp_path / "secrets" / "hmac_keys.json"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700
    ((key_id, secret),) = load_key_store(store).items()
    output = capsys.readouterr().out
    log_key = store.with_name("log_signing_key.pem")
    assert stat.S_IMODE(log_key.stat().st_mode) == 0o600
    vkey = (tmp_path / "data" / "loglines" / "log" / "vkey").read_text().strip()
    assert vkey in output
    assert output.count("bootstrap: ") == 5
    assert key_id in output
    assert secret.hex() not in output


def test_again_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    store = tmp_path / "secrets" / "hmac_keys.json"
    before = store.read_bytes()
    capsys.readouterr()
    assert main() == 0
    assert capsys.readouterr().out == ""
    assert store.read_bytes() == before


def test_what_is_missing_is_made_again(tmp_path: Path) -> None:
    settings = load_settings()
    prepare(settings)
    settings.storage.exports.rmdir()
    assert prepare(settings) == [f"pastas / folders: exports/ ({tmp_path}/data)"]


def test_a_trial_key_makes_no_store(tmp_path: Path) -> None:
    os.environ["VV_HMAC_KEY"] = "a trial key of at least thirty-two bytes"
    prepare(load_settings())
    assert not (tmp_path / "secrets" / "hmac_keys.json").exists()


def test_a_file_in_a_folders_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "raw").write_text("")
    assert main() == 75
    error = capsys.readouterr().err
    assert "raw" in error
    assert "move it away" in error


def test_a_link_that_leads_nowhere_is_no_key_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "hmac_keys.json").symlink_to("gone")
    assert main() == 77
    assert "never overwritten" in capsys.readouterr().err


def test_wrong_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["VV_LANGUAGE"] = "xx"
    assert main() == 78
    assert "VV_LANGUAGE" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    """Return what the command says for programs."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    document: dict[str, list[str]] = json.loads(capsys.readouterr().out)
    return document


def test_a_look_changes_nothing_and_finds_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = answer(capsys, "--check")["missing"]
    assert list(tmp_path.iterdir()) == []
    assert f"{tmp_path}/data/input/" in missing
    assert f"chave / key: {tmp_path}/secrets/hmac_keys.json" in missing
    assert f"{tmp_path}/data/fallback/loop_silencioso.mp4: it is missing" in missing
    assert len(answer(capsys)["done"]) == 5
    assert answer(capsys, "--check")["missing"] == []
    assert find_fallback_problems(tmp_path / "data" / "fallback") == []


def test_each_thing_that_is_lost_is_found_and_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main()
    (tmp_path / "data" / "config").rmdir()
    (tmp_path / "faces").rmdir()
    (tmp_path / "data" / "fallback" / "placeholder.png").write_bytes(b"")
    (tmp_path / "secrets" / "hmac_keys.json").chmod(0o644)
    missing = answer(capsys, "--check")["missing"]
    assert missing == [
        f"{tmp_path}/data/config/",
        f"{tmp_path}/faces/",
        f"chave / key: {tmp_path}/secrets/hmac_keys.json: chmod 600",
        f"{tmp_path}/data/fallback/placeholder.png: it is no PNG",
    ]
    (tmp_path / "secrets" / "hmac_keys.json").chmod(0o600)
    assert len(answer(capsys)["done"]) == 2
    assert answer(capsys, "--check")["missing"] == []
    assert stat.S_IMODE((tmp_path / "faces").stat().st_mode) == 0o700


def test_what_only_a_person_can_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    todo = [item["code"] for item in answer(capsys)["todo"]]  # type: ignore[index]
    assert todo[:4] == ["dvr", "weights", "witness", "alerts"]
    os.environ |= {
        "DVR_IP": "192.168.1.50",
        "VV_YOLO_MODEL": str(tmp_path),
        "VV_HEAD_URLS": "https://example.org/heads",
        "VV_ALERT_URLS": "json://localhost",
    }
    assert "ffmpeg" not in todo
    assert answer(capsys)["todo"] == []


def is_open(place: Path) -> bool:
    """Tell whether everybody may come to a place."""
    return all(folder.stat().st_mode & 0o001 for folder in place.parents)


RunAsRoot = Callable[..., str]


@pytest.fixture
def nobodys_home() -> Iterator[tuple[Path, RunAsRoot]]:
    """Yield a folder that everybody may enter, and what runs a program of ours for it.

    The program goes on as nobody, who must be able to read Python: a Python in root's home will not do.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    pythons = [Path(sys.executable), Path("/usr/bin/python3")]
    usable = [path for path in pythons if path.exists() and is_open(path.resolve())]
    if not usable or not is_open(ROOT / "vv-core"):
        pytest.skip("only root may read the program here")
    packages = sysconfig.get_path("purelib")
    start = (
        f"import runpy, site, sys; site.addsitedir({packages!r}); sys.path.append('scripts');"
        "name = sys.argv.pop(1); sys.argv[0] = name;"
        "how = runpy.run_path if name.endswith('.py') else runpy.run_module; how(name, run_name='__main__')"
    )

    def run(*arguments: str) -> str:
        result = subprocess.run(
            [str(usable[0]), "-I", "-S", "-c", start, *arguments],
            check=False,
            timeout=120,
            # Where coverage is measured, another user could not write what it measured.
            env={
                **{name: text for name, text in os.environ.items() if "COVERAGE" not in name},
                "VV_HOME": folder,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        version = [str(usable[0]), "-c", "import sys; print(sys.version_info[:2])"]
        found = subprocess.run(
            version, check=True, timeout=60, capture_output=True, text=True
        ).stdout
        if found.strip() != str(sys.version_info[:2]):
            pytest.skip(f"the Python that everybody may read is {found.strip()}")
        yield Path(folder), run


PREPARE = "vv_core.preparation"


def test_all_is_made_for_the_user_of_the_service(nobodys_home: tuple[Path, RunAsRoot]) -> None:
    home, run = nobodys_home
    nobody = pwd.getpwnam("nobody")
    (home / ".env").write_text("")
    (home / "data").mkdir()
    (home / "data" / "left-by-root").write_text("x")
    outside = home / "outside"
    outside.write_text("root's")
    (home / "data" / "link").symlink_to(outside)
    os.link(outside, home / "data" / "second-name")
    assert "dono / owner nobody: " in run(PREPARE, "--owner", "nobody")
    others = {
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.lstat().st_uid != nobody.pw_uid
    }
    assert others == {"outside", "data/second-name"}
    assert (home / "data" / "link").lstat().st_uid == nobody.pw_uid
    assert stat.S_IMODE((home / "secrets").stat().st_mode) == 0o700
    assert run(PREPARE, "--owner", "nobody") == ""
    os.chown(home / "logs", 0, 0)
    assert f"bootstrap: {home}/logs: chown" in run(PREPARE, "--owner", "nobody", "--check")


def test_what_root_looks_at_by_hand_stays_the_users(nobodys_home: tuple[Path, RunAsRoot]) -> None:
    home, run = nobodys_home
    nobody = pwd.getpwnam("nobody")
    run(PREPARE, "--owner", "nobody")
    assert "próxima troca" in run("scripts/status.py")
    assert "limpeza: 0 arquivos apagados" in run("scripts/cleanup_old_files.py")
    assert "nenhum log desse dia" in run("scripts/log_exporter.py", "--date", "2020-01-01")
    others = [path for path in home.rglob("*") if path.lstat().st_uid != nobody.pw_uid]
    assert others == []


def test_an_owner_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--owner", "no-such-user"]) == 64
    assert "useradd" in capsys.readouterr().err


def test_to_root_nothing_is_given(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("this is not root")
    assert hand_over(load_settings(), find_user("root")) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_what_is_given_is_counted_and_given_once(tmp_path: Path) -> None:
    settings, nobody = load_settings(), pwd.getpwnam("nobody")
    prepare(settings)
    (tmp_path / ".env").write_text("")
    (line,) = hand_over(settings, find_user("nobody"))
    assert line.startswith("dono / owner nobody: ")
    assert hand_over(settings, find_user("nobody")) == []
    kept = [tmp_path / "secrets" / "hmac_keys.json", tmp_path / ".env", tmp_path / "data"]
    assert {path.stat().st_uid for path in kept} == {nobody.pw_uid}
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").symlink_to("/etc/hostname")
    assert hand_over(settings, find_user("nobody")) == []


def test_only_root_may_give(stranger: Stranger) -> None:
    _, be_nobody = stranger
    with be_nobody(), pytest.raises(ConfigError):
        find_user("daemon")


def test_keys_that_may_not_be_looked_at_are_named(stranger: Stranger) -> None:
    home, be_nobody = stranger
    os.environ["VV_HOME"] = str(home)
    settings = load_settings()
    prepare(settings)
    with be_nobody():
        missing = find_missing(settings, os.geteuid())
    assert f"chave / key: {home}/secrets/hmac_keys.json: Permission denied" in missing
    assert f"{home}/data: chown" in missing


def test_a_choice_of_weights_that_is_damaged_is_not_missing_weights(tmp_path: Path) -> None:
    settings = load_settings()
    prepare(settings)
    (settings.storage.models / "active.json").write_text("{")
    assert "weights" not in [todo.code for todo in find_todo(settings)]
