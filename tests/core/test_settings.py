"""Settings: one reader, closed to unknown names."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from tests.core.conftest import Stranger, unhurried
from vv_core.errors import ConfigError
from vv_core.settings import OWN_PREFIXES, Settings, known_variables, load_settings


def write_env(folder: Path, text: str) -> None:
    (folder / ".env").write_text(text, "utf-8")


def test_every_setting_has_a_description() -> None:
    assert all(known_variables().values())


def test_every_setting_is_protected_from_misspelling() -> None:
    of_docker = {"DOCKER_HOST"}  # has neighbours that are none of ours
    foreign = {name for name in known_variables() if not name.startswith(OWN_PREFIXES)}
    assert foreign == of_docker


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    write_env(tmp_path, "VV_LANGUAGE=en\nVV_BOX_NAME=from-file\n")
    os.environ["VV_BOX_NAME"] = "from-environment"
    settings = load_settings()
    assert (settings.language, settings.box) == ("en", "from-environment")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    write_env(tmp_path, "VV_LANGUAGE=\nSCAN_INTERVAL_SECONDS=\n")
    os.environ |= {"VV_YOLO_MODEL": "", "VV_BOX_NAME": "", "VV_ENV_FILE": ""}
    settings = load_settings()
    assert (settings.language, settings.scan_interval_seconds) == ("pt-BR", 1.0)
    assert settings.yolo_model is None
    assert settings.box == socket.gethostname()


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.env").write_text("VV_LANGUAGE=en\n")
    os.environ["VV_ENV_FILE"] = str(tmp_path / "other.env")
    assert load_settings().language == "en"


def test_the_home_is_the_current_folder_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VV_HOME")
    monkeypatch.chdir(tmp_path)
    write_env(tmp_path, "VV_LANGUAGE=en\n")
    settings = load_settings()
    assert settings.home == tmp_path
    assert settings.language == "en"


def test_the_home_cannot_be_moved_by_its_own_file(tmp_path: Path) -> None:
    write_env(tmp_path, "VV_HOME=/elsewhere\n")
    assert load_settings().home == tmp_path


def test_what_windows_editors_write_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfVV_LANGUAGE=en\r\nVV_FACES=false\r\n")
    settings = load_settings()
    assert (settings.language, settings.faces_enabled) == ("en", False)


def test_paths_count_from_the_home(tmp_path: Path) -> None:
    os.environ |= {"VIDEO_STORAGE_ROOT": "x/../here", "VV_HMAC_KEYS_FILE": "/etc/keys.json"}
    settings = load_settings()
    assert settings.storage.root == tmp_path / "here"
    assert settings.storage is settings.storage
    assert settings.key_store_path == Path("/etc/keys.json")
    assert settings.resolve(Path("logs")) == tmp_path / "logs"
    assert settings.resolve(Path("~/logs")) == Path.home() / "logs"
    assert settings.resolve(Path("~nobody-of-that-name/x")) == tmp_path / "~nobody-of-that-name/x"


def test_the_key_store_has_its_place_by_default(tmp_path: Path) -> None:
    assert load_settings().key_store_path == tmp_path / "secrets" / "hmac_keys.json"


def test_a_relative_home_counts_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "box").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VV_HOME", "box")
    assert load_settings().storage.root == tmp_path / "box" / "data"


def test_lists_are_split(tmp_path: Path) -> None:
    write_env(tmp_path, 'ORCHESTRATOR_PATTERNS=" *.mp4 ,, *.MKV,"\n')
    one = r"(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)"
    os.environ["VV_START_PATTERNS"] = f"\n{one}\n\n  x{one}\n"
    settings = load_settings()
    assert settings.orchestrator_patterns == ("*.mp4", "*.MKV")
    assert settings.start_patterns == (one, f"x{one}")


def test_the_zone_is_a_zone() -> None:
    assert load_settings().zone.key == "America/Sao_Paulo"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().language = "en"  # type: ignore[misc]


BAD = {
    "no number": ("SCAN_INTERVAL_SECONDS", "often"),
    "too small": ("SCAN_INTERVAL_SECONDS", "0"),
    "too large": ("SCAN_INTERVAL_SECONDS", "3601"),
    "not a number": ("SCAN_INTERVAL_SECONDS", "nan"),
    "infinite": ("ORCHESTRATOR_RETRY_SECONDS", "inf"),
    "a fraction": ("VV_MAX_FRAMES", "1.5"),
    "five thousand digits": ("VV_MAX_FRAMES", "9" * 5000),
    "no boolean": ("VV_FACES", "talvez"),
    "no language": ("VV_LANGUAGE", "pt"),
    "no zone": ("VV_TIME_ZONE", "Mars/Olympus"),
    "zone outside": ("VV_TIME_ZONE", "../../etc/passwd"),
    "zone is a folder": ("VV_TIME_ZONE", "America"),
    "no runner": ("ORCHESTRATOR_RUNNER", "kubernetes"),
    "no regular expression": ("VV_START_PATTERNS", "("),
    "groups are missing": ("VV_START_PATTERNS", r"(?P<Y>\d{4})"),
    "no pattern at all": ("ORCHESTRATOR_PATTERNS", " , "),
}


@pytest.mark.parametrize("where", ["environment", "file"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_named_with_its_variable(tmp_path: Path, name: str, where: str) -> None:
    variable, value = BAD[name]
    if where == "file":
        write_env(tmp_path, f"{variable}='{value}'\n")
    else:
        os.environ[variable] = value
    with pytest.raises(ConfigError, match=variable) as caught:
        load_settings()
    assert ".env" in caught.value.advice


def test_all_faults_are_told_at_once() -> None:
    os.environ |= {"VV_FACES": "x", "VV_MAX_FRAMES": "y"}
    with pytest.raises(ConfigError, match=r"VV_MAX_FRAMES.*VV_FACES"):
        load_settings()


def test_two_sources_of_the_key_are_an_error_that_hides_it() -> None:
    os.environ |= {"VV_HMAC_KEY": "very-secret", "VV_HMAC_KEYS_FILE": "keys.json"}
    with pytest.raises(ConfigError, match="both set") as caught:
        load_settings()
    assert "very-secret" not in f"{caught.value} {caught.value.advice} {caught.value.__cause__}"


def test_secrets_are_never_shown() -> None:
    os.environ |= {"VV_HMAC_KEY": "very-secret", "VV_ALERT_URLS": "json://user:very-secret@x"}
    settings = load_settings()
    assert "very-secret" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert "very-secret" not in settings.model_dump_json()
    assert settings.hmac_key == SecretStr("very-secret")


UNKNOWN = {
    "misspelt": ("VV_LANGAGE", "Did you mean VV_LANGUAGE?"),
    "another prefix": ("ORCHESTRATOR_WORKER", "Did you mean ORCHESTRATOR_WORKERS?"),
    "the storage": ("VIDEO_STORAGE_ROTT", "Did you mean VIDEO_STORAGE_ROOT?"),
    "nothing like it": ("VV_XYZZY", "Remove it"),
}


@pytest.mark.parametrize("where", ["environment", "file"])
@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_variable_of_ours_is_an_error(tmp_path: Path, name: str, where: str) -> None:
    variable, advice = UNKNOWN[name]
    if where == "file":
        write_env(tmp_path, f"{variable}=x\n")
    else:
        os.environ[variable] = "x"
    with pytest.raises(ConfigError, match=variable) as caught:
        load_settings()
    assert advice in caught.value.advice


def test_variables_of_others_are_no_concern(tmp_path: Path) -> None:
    write_env(tmp_path, "COMPOSE_PROJECT_NAME=x\n")
    os.environ |= {"PATH_OF_SOMETHING": "x", "VV_PARENT_PID": "1"}
    load_settings()


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "a line without =": (b"VV_LANGUAGE=en\nVV_FACES\n", "line 2"),
    "a space in the name": (b"VV LANGUAGE=en\n", "line 1"),
    "a quote that stays open": (b"\n\nVV_BOX_NAME='x\n", "line 3"),
    "not UTF-8": (b"VV_BOX_NAME=\xff\n", "cannot be read"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    content, expected = BAD_FILES[name]
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        load_settings()
    assert str(tmp_path / ".env") in caught.value.message + caught.value.advice


def test_a_file_that_may_not_be_read_is_an_error(stranger: Stranger) -> None:
    home, be_nobody = stranger
    os.environ["VV_HOME"] = str(home)
    write_env(home, "VV_LANGUAGE=en\n")
    (home / ".env").chmod(0o600)
    with be_nobody(), pytest.raises(ConfigError, match="cannot be read") as caught:
        load_settings()
    assert "access" in caught.value.advice


# What a person can write between double quotes: dotenv replaces ${NAME}, and environments end at NUL.
PLAIN = [chr(code) for code in range(0x20, 0x7F)]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VV_BOX_NAME": st.text(
        st.characters(codec="utf-8", min_codepoint=0xA0) | st.sampled_from(PLAIN), min_size=1
    )
    .filter(lambda text: "${" not in text)
    .filter(lambda text: text == text.strip()),
    "VV_MAX_FRAMES": st.integers(1, 10**12),
    "SCAN_INTERVAL_SECONDS": st.floats(0.001, 3600),
    "VV_FACES": st.booleans(),
    "VV_LANGUAGE": st.sampled_from(["pt-BR", "en"]),
    "ORCHESTRATOR_WORKERS": st.integers(1, 64),
}
FIELDS = {str(field.validation_alias): name for name, field in Settings.model_fields.items()}


@unhurried
@given(st.fixed_dictionaries({}, optional=VALUES), st.booleans())
def test_what_is_set_is_what_is_read(values: dict[str, Any], in_file: bool) -> None:
    home = Path(os.environ["VV_HOME"])
    texts = {name: str(value) for name, value in values.items()}
    if in_file:
        quoted = {
            name: text.replace("\\", "\\\\").replace('"', '\\"') for name, text in texts.items()
        }
        write_env(home, "".join(f'{name}="{text}"\n' for name, text in quoted.items()))
        texts = {}
    else:
        write_env(home, "")
    os.environ |= texts
    try:
        settings = load_settings()
    finally:
        for name in texts:
            del os.environ[name]
    for name, value in values.items():
        assert getattr(settings, FIELDS[name]) == value
