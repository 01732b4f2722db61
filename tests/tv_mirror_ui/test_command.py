"""The command: it listens, ends when asked, writes to no file; and says what is wrong."""

from __future__ import annotations

import os
import socket
import stat
import time
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tests.tv_mirror_ui.mjpeg_camera import mjpeg_camera
from tests.tv_mirror_ui.running import Running, running_mirror
from tests.tv_mirror_ui.serving import Served
from tv_mirror_ui import tv_mirror
from tv_mirror_ui.hub import Hub
from tv_mirror_ui.tv_mirror import SEND_BUFFER, open_listening
from vv_core.errors import ConfigError


def open_for_writing(pid: int) -> list[str]:
    """Return the regular files that a process has open and may write to."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
            info = Path(f"/proc/{pid}/fdinfo/{path.name}").read_text()
        except OSError:
            continue
        flags = int(next(line.split()[1] for line in info.splitlines() if "flags" in line), 8)
        if is_file and flags & (os.O_WRONLY | os.O_RDWR):
            found.append(str(path.readlink()))
    return found


def written(pid: int) -> int:
    """Return the bytes that a process caused to be written to disks."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


def may_write(pid: int) -> str:
    """Return the largest file that a process may make."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[3] for line in lines if line.startswith("Max file size"))


@pytest.mark.integration
def test_its_processes_write_to_no_file(tmp_path: Path) -> None:
    with mjpeg_camera() as camera:
        cameras: list[dict[str, object]] = [{"name": "cam", "url": camera.url, "blur_faces": True}]
        with running_mirror(tmp_path, cameras) as mirror:
            before = sorted(tmp_path.rglob("*"))
            with Served(Hub([], {}, 0), mirror.port).watch("cam") as view:
                for _ in range(10):
                    view.next()
                (reader,) = mirror.readers()
                # Reading a program from disk may note the time of it there.
                at_start = {pid: written(pid) for pid in (mirror.pid, reader)}
                for _ in range(40):
                    view.next()
                for pid, amount in at_start.items():
                    assert written(pid) == amount
                    assert open_for_writing(pid) == []
                    assert may_write(pid) == "0"
            assert sorted(tmp_path.rglob("*")) == before
            wait_for(lambda: not mirror.readers(), "without a reader")
            assert mirror.stop() in {0, -15}
        assert b"Traceback" not in mirror.log
        assert b'"listening on' in mirror.log


@pytest.mark.integration
def test_readers_end_with_a_hub_that_is_killed(tmp_path: Path) -> None:
    with mjpeg_camera() as camera:
        with running_mirror(tmp_path, [{"name": "cam", "url": camera.url}]) as mirror:
            with Served(Hub([], {}, 0), mirror.port).watch("cam") as view:
                view.next()
                (reader,) = mirror.readers()
                mirror.kill()
            wait_for(lambda: not Path(f"/proc/{reader}").exists(), "gone")
        wait_for(lambda: camera.behaviour.open == 0, "hung up")


@pytest.mark.integration
def test_a_reader_that_hangs_is_replaced(tmp_path: Path) -> None:
    with (
        mjpeg_camera() as camera,
        running_mirror(tmp_path, [{"name": "cam", "url": camera.url}]) as mirror,
        Served(Hub([], {}, 0), mirror.port).watch("cam") as view,
    ):
        view.next()
        (reader,) = mirror.readers()
        os.kill(reader, 19)
        wait_for(lambda: reader not in mirror.readers(), "ended")
        began = time.time()
        while view.next().timestamp < began:
            pass


def test_the_list_and_the_logins_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    assert tv_mirror.main(["--check"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "cam1: no_address"
    monkeypatch.setenv("DVR_IP", "192.168.1.50")
    assert tv_mirror.main(["--check"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "cam1: no_login"
    logins = tmp_path / "data" / "logins" / "mirror.yaml"
    logins.parent.mkdir(parents=True)
    logins.write_text("x")
    logins.chmod(0o644)
    assert tv_mirror.main(["--check"]) == 77
    assert "chmod 600" in capsys.readouterr().err
    monkeypatch.setenv("VV_MIRROR_CAMERAS_FILE", "nowhere.yaml")
    assert tv_mirror.main(["--check"]) == 78


def test_an_address_that_is_taken_or_none_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_listening("127.0.0.1:0") as server:
        # Linux doubles it for its own book-keeping.
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * SEND_BUFFER
        with pytest.raises(ConfigError, match="in use"):
            open_listening(f"127.0.0.1:{server.getsockname()[1]}")
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    assert tv_mirror.main(["--listen", "nowhere"]) == 78
    assert "not an address" in capsys.readouterr().err


@pytest.mark.integration
def test_it_starts_again_at_the_same_port(tmp_path: Path) -> None:
    mirror = Running(tmp_path, [{"name": "cam", "url": "http://127.0.0.1:9/"}])
    for _ in range(2):
        mirror.start()
        assert mirror.stop() in {0, -15}
