"""Why an engine does not answer, told by the kernel and not by the words of a message."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.pipeline.subjects import require_engine
from tests.pipeline.users import needs_root, other_user
from vv_core.errors import ConfigError, UnavailableError
from vv_core.pipeline.compose_diagnosis import missing_sources
from vv_core.pipeline.docker_engine import (
    connect_error,
    engine_fault,
    events_of,
    explain_silence,
    last_words,
    tell,
)
from vv_core.process import ChildResult


@pytest.mark.parametrize(
    ("error", "kind", "message", "advice"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), ConfigError, "may not use", "usermod"),
        (PermissionError(errno.EPERM, "Not permitted"), ConfigError, "may not use", "usermod"),
        (FileNotFoundError(errno.ENOENT, "No such file"), UnavailableError, "No such", "systemctl"),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
            UnavailableError,
            "refused",
            "start",
        ),
        (TimeoutError("timed out"), UnavailableError, "timed out", "journalctl"),
        (None, UnavailableError, "no route", "systemctl"),
    ],
)
def test_each_reason_has_its_own_advice(
    error: OSError | None, kind: type[Exception], message: str, advice: str
) -> None:
    fault = explain_silence("unix:///run/x.sock", error, "no route")
    assert type(fault) is kind
    assert "unix:///run/x.sock" in fault.message
    assert message in fault.message
    assert advice in fault.advice


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    fault = explain_silence("unix:///x", PermissionError(errno.EACCES, "denied"), "")
    assert "the user 4000000 may not" in fault.message


def test_what_the_kernel_says_about_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    missing = connect_error(f"unix://{path}")
    assert isinstance(missing, FileNotFoundError)
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        assert isinstance(connect_error(f"unix://{path}"), ConnectionRefusedError)
        engine.listen()
        assert connect_error(f"unix://{path}") is None
    assert connect_error("tcp://192.0.2.1:2376") is None


@needs_root
def test_a_socket_that_a_user_may_not_use(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as engine, other_user(tmp_path) as as_nobody:
        engine.bind(str(path))
        engine.listen()
        path.chmod(0o660)
        assert as_nobody(lambda: isinstance(connect_error(f"unix://{path}"), PermissionError))


def test_the_last_words_of_a_command() -> None:
    assert last_words(ChildResult(1, False, 0.1, ("a", "b"))) == "b"
    assert last_words(ChildResult(14, False, 0.1, ())) == "exit code 14"
    assert last_words(ChildResult(143, True, 60.0, ("a",))) == "it did not end in time"


@pytest.mark.docker
@pytest.mark.integration
def test_a_command_that_the_engine_refuses_is_told_in_its_words() -> None:
    require_engine()
    with pytest.raises(UnavailableError, match=r"docker inspect failed: .*no-such-thing"):
        tell(["inspect", "no-such-thing"], os.environ)
    assert tell(["version", "--format", "{{.Client.Version}}"], os.environ) != []
    assert engine_fault(os.environ) is None


def test_an_engine_that_is_away_remembers_nothing() -> None:
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    away = {**os.environ, "DOCKER_HOST": "unix:///no/such/engine.sock"}
    assert events_of("vv-none", away) is None
    fault = engine_fault(away)
    assert isinstance(fault, UnavailableError)
    assert "unix:///no/such/engine.sock" in fault.message


def test_folders_that_are_missing(tmp_path: Path) -> None:
    here, gone = str(tmp_path), str(tmp_path / "gone")
    volumes = [
        {"type": "bind", "source": here},
        {"type": "bind", "source": gone, "bind": {}},
        {"type": "bind", "source": gone, "bind": {"create_host_path": True}},
        {"type": "volume", "source": "named"},
        {"type": "tmpfs", "target": "/tmp"},
    ]
    assert list(missing_sources({"volumes": volumes})) == [gone]
    assert list(missing_sources({"volumes": None})) == []
    assert list(missing_sources({})) == []
