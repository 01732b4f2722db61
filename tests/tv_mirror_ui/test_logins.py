"""Logins: safe where they lie, and never told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tv_mirror_ui.logins import Login, load_logins
from tv_mirror_ui.messages import Order
from vv_core.errors import ConfigError, KeyAccessError

TEXT = "schema: vv.mirror-logins/1\nlogins:\n  - {name: dvr, user: adm, password: 'a  b%s'}\n"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_password_is_taken_as_it_stands_and_not_shown(tmp_path: Path) -> None:
    logins = load_logins(write(tmp_path / "l.yaml", TEXT))
    assert logins == {"dvr": Login("adm", "a  b%s")}
    assert "a  b" not in repr(logins)
    order = Order("rtsp", "rtsp://c/", 1, 1, 1, user="adm", password="a  b%s")
    assert "a  b" not in repr(order)
    assert Order.from_line(order.to_line()) == order


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert load_logins(tmp_path / "none.yaml") == {}


def test_others_may_not_read_it(tmp_path: Path) -> None:
    with pytest.raises(KeyAccessError, match="mode 640"):
        load_logins(write(tmp_path / "l.yaml", TEXT, 0o640))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (TEXT.replace("mirror-logins", "other"), "schema"),
        (TEXT.replace("'a  b%s'", "12345"), "password"),
        (TEXT.replace("'a  b%s'", "''"), "password"),
        (TEXT.replace("'a  b%s'", '"\\a"'), "password"),
        (TEXT.replace("adm", "x" * 201), "user"),
        (TEXT + "  - {name: dvr, user: b, password: c}\n", "name"),
        (TEXT.replace("user", "usr"), "usr"),
    ],
)
def test_a_slip_is_named_and_no_password(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_logins(write(tmp_path / "l.yaml", text))
    assert f"key '{key}'" in caught.value.message
    assert "a  b" not in caught.value.message
    assert "12345" not in caught.value.message
