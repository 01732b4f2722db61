"""Knocking: whether somebody speaks there."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from tests.tv_mirror_ui.mjpeg_camera import mjpeg_camera
from tv_mirror_ui.cameras import Address, Kind
from tv_mirror_ui.knock import answers


def knock(kind: Kind, url: str, port: int = 0) -> bool:
    return asyncio.run(answers(Address(kind, url, "127.0.0.1", port), timeout_s=2))


def test_a_camera_answers_until_it_is_off() -> None:
    with mjpeg_camera() as camera:
        assert knock(Kind.HTTP, camera.url, camera.port)
    assert not knock(Kind.HTTP, camera.url, camera.port)


@pytest.mark.parametrize("answer", [b"RTSP/1.0 401 Unauthorized\r\n\r\n", b""])
def test_any_answer_counts_and_none_does_not(answer: bytes) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection = server.accept()[0]
            asked.append(connection.recv(1000))
            connection.sendall(answer)
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        port = server.getsockname()[1]
        assert knock(Kind.RTSP, f"rtsp://127.0.0.1:{port}/cam", port) == bool(answer)
        thread.join(10)
    assert asked[0].startswith(f"OPTIONS rtsp://127.0.0.1:{port}/ RTSP/1.0\r\n".encode())


def test_a_connection_that_says_nothing_is_no_answer_but_behind_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        address = Address(Kind.RTSP, "rtsp://c/", "127.0.0.1", port)
        assert not asyncio.run(answers(address, timeout_s=0.3))
        assert knock(Kind.RTSP, "rtsps://c/", port)


def test_a_file_answers_where_it_is(tmp_path: Path) -> None:
    assert not knock(Kind.FILE, str(tmp_path / "clip.mp4"))
    (tmp_path / "clip.mp4").touch()
    assert knock(Kind.FILE, str(tmp_path / "clip.mp4"))
