from __future__ import annotations

import base64
import errno
import json
import logging
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.audit.samples import EXAMPLE_SECRET, settings_of
from vv_core.audit.keys import (
    SCHEMA,
    create_key_store,
    load_keys,
    parse_key_store,
    read_key_store,
    signing_key,
)
from vv_core.errors import ConfigError, ExitCode, KeyAccessError, TemporaryError
from vv_core.utils import load_key_store

SECRET_TEXT = base64.b64encode(EXAMPLE_SECRET).decode()
KEY = {"secret": SECRET_TEXT, "created": "2026-11-21T02:03:04Z"}
STORE: dict[str, Any] = {"schema": SCHEMA, "active": "k1", "keys": {"k1": KEY}}


def write_store(path: Path, document: Any = STORE, mode: int = 0o600) -> Path:
    path.write_text(json.dumps(document))
    path.chmod(mode)
    return path


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "hmac_keys.json"


def test_a_created_store_can_sign(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secrets" / "hmac_keys.json"
    key_id = create_key_store(path)
    store = read_key_store(path)
    assert store.active == key_id
    assert len(store.active_secret) == 32
    assert load_key_store(path) == store.keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_two_created_stores_have_different_keys(tmp_path: Path) -> None:
    first = tmp_path / "a"
    second = tmp_path / "b"
    assert create_key_store(first) != create_key_store(second)
    assert read_key_store(first).active_secret != read_key_store(second).active_secret


def test_the_key_is_dated_by_the_clock(store_path: Path) -> None:
    class Clock:
        def now(self) -> datetime:
            return datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0.0

    key_id = create_key_store(store_path, Clock())
    assert key_id.startswith("k20270102-")
    created = json.loads(store_path.read_text())["keys"][key_id]["created"]
    assert created == "2027-01-02T03:04:05Z"


def test_a_wide_umask_does_not_open_the_store(store_path: Path) -> None:
    old = os.umask(0)
    try:
        create_key_store(store_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(store_path.stat().st_mode) == 0o600


def test_a_store_is_never_overwritten(store_path: Path) -> None:
    create_key_store(store_path)
    before = store_path.read_bytes()
    with pytest.raises(KeyAccessError, match="never overwritten"):
        create_key_store(store_path)
    assert store_path.read_bytes() == before


def test_nothing_else_is_overwritten_either(store_path: Path, tmp_path: Path) -> None:
    store_path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyAccessError, match="never overwritten"):
        create_key_store(store_path)
    assert not (tmp_path / "elsewhere").exists()


def test_of_two_creators_at_once_one_wins(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other creator comes between the look and the link.
    monkeypatch.setattr(os.path, "lexists", lambda _path: False)
    store_path.write_text("the other's")
    with pytest.raises(KeyAccessError, match="never overwritten"):
        create_key_store(store_path)
    assert store_path.read_text() == "the other's"
    assert list(store_path.parent.iterdir()) == [store_path]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TemporaryError, match="create the folder of the key store"):
        create_key_store(tmp_path / "file" / "hmac_keys.json")


def test_a_full_disk(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(TemporaryError, match="create the key store"):
        create_key_store(store_path)
    assert list(store_path.parent.iterdir()) == []


def test_older_keys_still_verify(store_path: Path) -> None:
    both = {**STORE, "keys": {"k1": KEY, "k0": {**KEY, "created": "2025-01-01T00:00:00Z"}}}
    assert set(read_key_store(write_store(store_path, both)).keys) == {"k0", "k1"}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o660, 0o777])
def test_a_store_open_to_others_is_refused(store_path: Path, mode: int) -> None:
    with pytest.raises(KeyAccessError, match=f"mode {mode:o}") as caught:
        read_key_store(write_store(store_path, mode=mode))
    assert "chmod 600" in caught.value.advice
    assert caught.value.exit_code is ExitCode.NOPERM


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_store_of_its_owner_is_read(store_path: Path, mode: int) -> None:
    assert read_key_store(write_store(store_path, mode=mode)).active == "k1"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o707, 0o730])
def test_a_folder_in_which_others_may_replace_the_store(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    path = write_store(folder / "keys.json")
    folder.chmod(mode)
    with pytest.raises(KeyAccessError, match="may replace") as caught:
        read_key_store(path)
    assert "chmod go-w" in caught.value.advice


def test_a_sticky_folder_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    path = write_store(folder / "keys.json")
    folder.chmod(0o1777)
    assert read_key_store(path).active == "k1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_store_of_another_user_is_refused(store_path: Path) -> None:
    write_store(store_path)
    os.chown(store_path, 12345, 12345)
    with pytest.raises(KeyAccessError, match="belongs to user 12345") as caught:
        read_key_store(store_path)
    assert "chown" in caught.value.advice


def test_a_missing_store_says_what_to_do(store_path: Path) -> None:
    with pytest.raises(KeyAccessError, match="there is no key store") as caught:
        read_key_store(store_path)
    assert "bootstrap.py" in caught.value.advice


def test_a_link_is_refused(store_path: Path, tmp_path: Path) -> None:
    store_path.symlink_to(write_store(tmp_path / "real.json"))
    with pytest.raises(KeyAccessError, match="symbolic link"):
        read_key_store(store_path)


def test_a_fifo_is_refused_without_waiting(store_path: Path) -> None:
    os.mkfifo(store_path)
    with pytest.raises(KeyAccessError, match="not a regular file"):
        read_key_store(store_path)


def test_a_folder_is_refused(store_path: Path) -> None:
    store_path.mkdir()
    with pytest.raises(KeyAccessError, match="not a regular file"):
        read_key_store(store_path)


def test_a_path_through_a_file_cannot_be_read(store_path: Path) -> None:
    write_store(store_path)
    with pytest.raises(KeyAccessError, match="cannot be read"):
        read_key_store(store_path / "x" / "keys.json")


def with_key(**changes: Any) -> dict[str, Any]:
    return {**STORE, "keys": {"k1": {**KEY, **changes}}}


def encoded(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


BROKEN: dict[str, tuple[Any, str]] = {
    "a list": ([], "needs schema, active and keys"),
    "no active": ({k: v for k, v in STORE.items() if k != "active"}, "needs schema"),
    "unknown field": ({**STORE, "note": 1}, "nothing else"),
    "another schema": ({**STORE, "schema": "vv.hmac-keys/3"}, "its schema is not"),
    "keys is a list": ({**STORE, "keys": []}, "keys is not an object"),
    "no keys": ({**STORE, "keys": {}}, "active key is not among"),
    "active unknown": ({**STORE, "active": "k2"}, "active key is not among"),
    "active is a list": ({**STORE, "active": ["k1"]}, "active key is not among"),
    "bad key id": ({**STORE, "keys": {"a b": KEY}}, "a key id is not"),
    "key is text": ({**STORE, "keys": {"k1": SECRET_TEXT}}, "needs secret and created"),
    "key with more": (with_key(note="x"), "needs secret and created"),
    "secret is a number": (with_key(secret=1), "not both text"),
    "created is a number": (with_key(created=1), "not both text"),
    "created is no time": (with_key(created="yesterday"), "not a UTC time"),
    "created has an offset": (with_key(created="2026-01-01T00:00:00+03:00"), "not a UTC time"),
    "secret is hex with a space": (with_key(secret="ab cd"), "not base64"),
    "secret is not ASCII": (with_key(secret="é" * 44), "not base64"),
    "secret is cut": (with_key(secret=SECRET_TEXT[:-3]), "not base64"),
    "secret is short": (with_key(secret=encoded(bytes(range(31)))), "too short"),
    "secret is empty": (with_key(secret=""), "too short"),
    "secret is zeros": (with_key(secret=encoded(bytes(32))), "too simple"),
    "secret is a word": (with_key(secret=encoded(b"changeme" * 8)), "too simple"),
}


@pytest.mark.parametrize(("document", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_store_is_refused(document: Any, why: str) -> None:
    with pytest.raises(KeyAccessError, match=why) as caught:
        parse_key_store(json.dumps(document).encode(), "keys.json")
    assert SECRET_TEXT not in caught.value.message
    assert caught.value.advice


def test_a_store_that_is_not_json(store_path: Path) -> None:
    store_path.write_bytes(b'{"schema": "vv.hmac-keys/1", "secret": "hunter2"')
    store_path.chmod(0o600)
    with pytest.raises(KeyAccessError, match="not json") as caught:
        read_key_store(store_path)
    assert "hunter2" not in caught.value.message


def test_a_huge_store_is_refused(store_path: Path) -> None:
    write_store(store_path)
    with store_path.open("ab") as stream:
        stream.truncate(10_000_000_000)
    with pytest.raises(KeyAccessError, match="too large"):
        read_key_store(store_path)


def test_secrets_are_not_in_repr(store_path: Path) -> None:
    store = read_key_store(write_store(store_path))
    assert repr(store) == "KeyStore(active='k1')"


TRIAL = "a trial key of at least thirty-two bytes"


def test_the_settings_name_the_store(tmp_path: Path) -> None:
    key_id = create_key_store(tmp_path / "secrets" / "hmac_keys.json")
    settings = settings_of(tmp_path)
    assert signing_key(settings) == (key_id, load_keys(settings).active_secret)
    other = create_key_store(tmp_path / "other.json")
    assert signing_key(settings_of(tmp_path, VV_HMAC_KEYS_FILE="other.json"))[0] == other


class Listener(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


def test_the_trial_key_works_and_warns_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, VV_HMAC_KEY=TRIAL)
    listener = Listener()
    monkeypatch.setattr(logging.getLogger("vv"), "handlers", [listener])
    key_id, secret = signing_key(settings)
    assert secret == TRIAL.encode()
    assert key_id.startswith("trial-")
    assert len(listener.lines) == 1
    assert listener.lines[0].startswith("WARNING VV_HMAC_KEY signs with a key")
    assert TRIAL not in listener.lines[0]
    assert TRIAL not in repr(settings)


def test_another_trial_key_has_another_id(tmp_path: Path) -> None:
    first = signing_key(settings_of(tmp_path, VV_HMAC_KEY=TRIAL))[0]
    second = signing_key(settings_of(tmp_path, VV_HMAC_KEY=TRIAL + "!"))[0]
    assert first != second


def test_a_weak_trial_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyAccessError, match="too short") as caught:
        load_keys(settings_of(tmp_path, VV_HMAC_KEY="changeme"))
    assert "changeme" not in caught.value.message
    assert "openssl rand" in caught.value.advice


def test_two_sources_of_keys_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both set") as caught:
        settings_of(tmp_path, VV_HMAC_KEY=TRIAL, VV_HMAC_KEYS_FILE="x.json")
    assert TRIAL not in caught.value.message
