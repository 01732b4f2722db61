"""The real RTSP camera of `tests.support.rtsp_camera`, as a process that can be stopped and killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.support import rtsp_camera
from tests.support.waiting import PATIENCE_S, wait_for

PYTHON = "/usr/bin/python3"
_LOOK = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('appsrc')"
)


@cache
def has_gstreamer() -> bool:
    """Tell whether such a camera can be had here."""
    if not shutil.which(PYTHON):
        return False
    look = subprocess.run([PYTHON, "-c", _LOOK], capture_output=True, timeout=60, check=False)
    return look.returncode == 0


requires_rtsp = pytest.mark.skipif(
    not has_gstreamer(),
    reason="no RTSP camera here: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly",
)


class RtspCamera:
    """One camera.

    Attributes:
        port: where it listens; the same after a new start.
        plays: how often its stream was asked for.
    """

    def __init__(self, fps: int = 10, login: tuple[str, str] | None = None) -> None:
        self.port = 0
        self.plays = 0
        self._fps = fps
        self._login = login or ()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where its stream is."""
        return f"rtsp://127.0.0.1:{self.port}/cam"

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = str(Path(rtsp_camera.__file__))
        command = [PYTHON, program, str(self.port), str(self._fps), *self._login]
        before, self._heard = self.port, False
        process = self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()

        def is_up() -> bool:
            assert self._heard or process.poll() is None, f"no camera on {before}"
            return self._heard

        wait_for(is_up, "the camera")

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as said:
            for line in said:
                if line.startswith("port"):
                    self.port = int(line.split()[1])
                    self._heard = True
                elif line.startswith("play"):
                    self.plays += 1

    def kill(self) -> None:
        """Take it away without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def freeze(self, *, frozen: bool) -> None:
        """Let it hang with its connections open, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@contextmanager
def start_camera(fps: int = 10, login: tuple[str, str] | None = None) -> Iterator[RtspCamera]:
    """Yield a camera that plays."""
    camera = RtspCamera(fps, login)
    camera.start()
    try:
        yield camera
    finally:
        camera.kill()
