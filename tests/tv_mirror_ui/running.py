"""The mirror as a process of its own, as it really runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.support.waiting import PATIENCE_S, wait_for
from vv_core.http_probe import probe


class Running:
    """A mirror that was started.

    Attributes:
        port: where it answers.
        log: what it has said, a file.
    """

    def __init__(self, home: Path, cameras: list[dict[str, object]]) -> None:
        self._home = home
        document = {"schema": "vv.mirror-cameras/1", "cameras": cameras}
        (home / "cams.yaml").write_text(yaml.safe_dump(document))
        self.log = b""
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    @property
    def pid(self) -> int:
        """Of the hub."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.port}/tv_mirror.html"

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("COV")},
            "VV_HOME": str(self._home),
            "VV_MIRROR_CAMERAS_FILE": "cams.yaml",
            "VV_MIRROR_LINGER_SECONDS": "1",
        }
        command = [
            sys.executable,
            "-B",
            "-m",
            "tv_mirror_ui.tv_mirror",
            "--listen",
            f"127.0.0.1:{self.port}",
        ]
        # A pipe, as an engine gives it: to a file it could write nothing.
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        process = self._process

        def is_up() -> bool:
            assert process.poll() is None
            return probe(self.port, "/healthz") is None

        wait_for(is_up, "the mirror", pause_s=0.05)

    def stop(self) -> int:
        """End it and return its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            self.log += self._process.communicate(timeout=PATIENCE_S)[1]
        finally:
            self._process.kill()
            self._process.wait(PATIENCE_S)
        code, self._process = self._process.returncode, None
        return code

    def kill(self) -> None:
        """Take it away without a word."""
        assert self._process is not None
        self._process.kill()
        self.log += self._process.communicate(timeout=PATIENCE_S)[1]
        self._process = None

    def processes(self) -> list[int]:
        """Return the hub and its readers."""
        found = [self.pid]
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) in found:
                found.append(int(path.parent.name))
        return found

    def readers(self) -> list[int]:
        """Return its readers."""
        return self.processes()[1:]


@contextmanager
def running_mirror(home: Path, cameras: list[dict[str, object]]) -> Iterator[Running]:
    """Yield a mirror that answers."""
    mirror = Running(home, cameras)
    mirror.start()
    try:
        yield mirror
    finally:
        mirror.stop()
