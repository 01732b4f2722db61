"""An engine of our own, to stop and kill: that of the machine serves others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 60


class PrivateEngine:
    """A dockerd with its own containerd, data and socket, and without networks.

    Attributes:
        host: its address, for ``DOCKER_HOST``.
    """

    def __init__(self, folder: Path, program: Path, group: int) -> None:
        self._folder = folder
        self._program = program
        self._group = group
        self._process: subprocess.Popen[bytes] | None = None
        self.host = f"unix://{folder / 'sock'}"

    def start(self) -> None:
        """Start it and wait until it answers; skip the test where it cannot run."""
        folder = self._folder
        # In a network of its own: an engine without a bridge removes docker0, which is the machine's engine's.
        argv = ["unshare", "--net", "--", str(self._program)]
        argv += ["--host", self.host, "--group", str(self._group)]
        argv += ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
        argv += ["--pidfile", str(folder / "pid"), "--config-file", str(folder / "no.json")]
        argv += ["--bridge", "none", "--iptables=false", "--ip6tables=false"]
        (folder / "no.json").write_text("{}")
        # containerd and docker-init lie beside it, wherever that is.
        beside = [self._program.parent, self._program.parent.parent / "bin"]
        path = os.pathsep.join([*map(str, beside), os.environ["PATH"]])
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path},
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                last = (folder / "log").read_text(errors="replace").splitlines()[-1:]
                pytest.skip(f"a second engine cannot run here: {last}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Tell whether it answers."""
        return self.docker("version", check=False).returncode == 0

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a docker command with it."""
        return subprocess.run(
            ["docker", *arguments],
            env={**os.environ, "DOCKER_HOST": self.host},
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def copy_images(self, names: Sequence[str]) -> None:
        """Bring images over from the machine's engine."""
        with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saving:
            env = {**os.environ, "DOCKER_HOST": self.host}
            subprocess.run(
                ["docker", "load", "--quiet"],
                stdin=saving.stdout,
                stdout=subprocess.DEVNULL,
                env=env,
                timeout=600,
                check=True,
            )
        assert saving.returncode == 0

    def end(self, number: int) -> None:
        """Stop it (SIGTERM, as systemctl does) or kill it, and wait for its end."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=_STOP_TIMEOUT_S)

    def clean_up(self) -> None:
        """End all that it started, and unmount all that it mounted."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGTERM)
        self._kill_leftovers()
        mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
        places = [line.split(" ")[4] for line in mounts]
        for place in sorted((p for p in places if p.startswith(f"{self._folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", place], timeout=30, check=True)

    def _kill_leftovers(self) -> None:
        """Kill what names our folder in its command line: containerd and its shims, with their children."""
        mark = os.fsencode(self._folder)
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                    for task in (entry / "task").iterdir():
                        for child in (task / "children").read_text().split():
                            os.kill(int(child), signal.SIGKILL)
                    os.kill(int(entry.name), signal.SIGKILL)


def find_dockerd() -> Path | None:
    """Return the program of an engine: on PATH, or that of the engine that runs here."""
    if found := shutil.which("dockerd"):
        return Path(found)
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            program = (entry / "exe").readlink()
            if program.name == "dockerd":
                return program
    return None


@contextmanager
def private_engine(group: int) -> Iterator[PrivateEngine]:
    """Yield an engine of our own that runs; a group may use it. Nothing of it is left."""
    program = find_dockerd()
    if program is None or os.geteuid() != 0:
        pytest.skip("only root can run a second engine, and where there is a dockerd")
    # A short path: sockets lie deep below it.
    with tempfile.TemporaryDirectory(prefix="vve-") as raw_folder:
        folder = Path(raw_folder)
        folder.chmod(0o755)
        engine = PrivateEngine(folder, program, group)
        try:
            engine.start()
            yield engine
        finally:
            engine.clean_up()
