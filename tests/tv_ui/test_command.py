"""The command listens, answers and ends; the probe says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.audit.samples import settings_of
from tests.support.waiting import wait_for
from tv_ui import tv_api
from tv_ui.tv_api import open_listening
from vv_core import http_probe as probe
from vv_core.errors import ConfigError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.integration
def test_it_answers_until_it_is_asked_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_of(tmp_path).storage.ensure()
    port = free_port()
    environment = {**os.environ, "VV_HOME": str(tmp_path), "VV_TV_API_LISTEN": f"127.0.0.1:{port}"}
    process = subprocess.Popen([sys.executable, "-m", "tv_ui.tv_api"], env=environment)
    try:
        wait_for(lambda: "503" in (probe.probe(port) or ""))
        assert probe.main([str(port)]) == 1
        assert "playlist_manager has not said that it works" in capsys.readouterr().out
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}
    finally:
        process.kill()
        process.wait(60)
    assert "does not answer" in (probe.probe(port) or "")


def serve_once(answer: bytes) -> tuple[int, threading.Thread]:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(answer)
            if not answer:
                time.sleep(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return int(server.getsockname()[1]), thread


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", None),
        (b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwhy?", "503: why?"),
        (b"nonsense\r\n\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
)
def test_the_probe_says_what_is_wrong(answer: bytes, word: str | None) -> None:
    port, thread = serve_once(answer)
    found = probe.probe(port, timeout_s=0.5)
    thread.join(10)
    assert found is None if word is None else word in (found or "")


@pytest.mark.parametrize("arguments", [[], ["soon"], ["1", "2"]])
def test_the_probe_needs_a_port(arguments: list[str]) -> None:
    assert probe.main(arguments) == 64


def test_the_probe_ends_well_when_all_is_well() -> None:
    port, thread = serve_once(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert probe.main([str(port)]) == 0
    thread.join(10)


def test_a_tv_that_was_switched_off_does_not_keep_its_connection() -> None:
    with (
        open_listening("127.0.0.1:0") as listening,
        socket.create_connection(listening.getsockname(), 60),
        listening.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000


def test_there_is_a_file_for_each_connection_where_the_system_lets_it() -> None:
    """In a process of its own, since the limit is that of a process."""
    script = (
        "import resource as r\n"
        "from tv_ui.tv_api import raise_file_limit\n"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]\n"
        "for soft in (100, min(hard, 5000)):\n"
        "    r.setrlimit(r.RLIMIT_NOFILE, (soft, hard))\n"
        "    raise_file_limit()\n"
        "    assert r.getrlimit(r.RLIMIT_NOFILE)[0] == max(soft, min(4096, hard)), soft\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_an_address_that_is_taken_or_none_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(ConfigError, match="in use"),
    ):
        open_listening(f"127.0.0.1:{server.getsockname()[1]}")
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    assert tv_api.main(["--listen", "nowhere"]) == 78
    assert "not an address" in capsys.readouterr().err
