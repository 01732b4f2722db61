"""A Debian root that is thrown away: a container in which install.sh may do what it does to a machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/opt/vv-video-ai-system"
USER = "vv-video"
MAIN = "vv-video-ai.service"
OPTIONS = ("--no-docker", "--rooms", "writer")
"""A box that is quick to install."""
# What install.sh would fetch itself, so that a test need not; and a person who may use sudo.
_DOCKERFILE = """
FROM debian:bookworm-slim
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    ca-certificates curl git jq ffmpeg cron logrotate python3 python3-venv sudo \
    && useradd --create-home person && echo 'person ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/person
"""
# What would reach through to the machine below is left out: a container shares its kernel.
_BOOTING = """
FROM {base}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    systemd systemd-sysv dbus \
    && systemctl mask systemd-sysctl.service systemd-binfmt.service systemd-modules-load.service \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount getty.target console-getty.service
CMD ["/sbin/init"]
"""
# systemd wants the control groups of its own, folders that a boot finds empty, and a signal of its own to shut down.
_BOOT_OPTIONS = (
    *("--privileged", "--cgroupns=private", "--tmpfs=/run", "--tmpfs=/run/lock"),
    *("--env=container=docker", "--stop-signal=SIGRTMIN+3"),
)
_BOOT_TIMEOUT_S = 300
_INSTALL_TIMEOUT_S = 1800
_BUILD_TIMEOUT_S = 900
_PLACES = (
    *(PREFIX, f"{PREFIX}-backups", "/var/lib/vv-video-ai", "/etc/vv-video-ai"),
    *(
        "/etc/cron.d",
        "/etc/systemd/system",
        "/etc/logrotate.d",
        "/etc/apt",
        "/etc/passwd",
        "/etc/group",
    ),
)


def docker(*arguments: str, check: bool = True, timeout: float = 300, **kwargs: object) -> str:
    """Run docker and return its stdout."""
    result = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **kwargs,  # type: ignore[call-overload]
    )
    assert not check or result.returncode == 0, result.stderr[-2000:]
    return str(result.stdout)


def base_image() -> str:
    """Return the image with the packages."""
    return _build("install-base", _DOCKERFILE)


def booting_image() -> str:
    """Return the image with the packages, and systemd that it boots with."""
    return _build("install-boot", _BOOTING.format(base=base_image()))


def _build(name: str, dockerfile: str) -> str:
    """Build an image; one builder at a time, the others find it."""
    digest = hashlib.sha256(dockerfile.encode()).hexdigest()[:12]
    tag = f"vv-test/{name}:{digest}"
    with (Path(tempfile.gettempdir()) / f"vv-test-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not docker("image", "ls", "--quiet", tag).strip():
            docker(
                "build", "--quiet", "--tag", tag, "-", input=dockerfile, timeout=_BUILD_TIMEOUT_S
            )
    return tag


@dataclass(frozen=True, repr=False)
class Ran:
    """How a command in a root ended."""

    code: int
    out: str
    err: str

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out[-4000:]}\n{self.err[-4000:]}"


@dataclass(frozen=True)
class Throwaway:
    """A running container.

    Attributes:
        name: of the container.
        source: the repository to install from, which the container sees as /src.
        shared: a folder that both see, in the container /shared.
        boots: systemd is its first process.
    """

    name: str
    source: Path
    shared: Path
    boots: bool = False

    def run(
        self,
        *command: str,
        user: str = "root",
        stdin: str = "",
        check: bool = True,
        timeout: float = 600,
        **env: str,
    ) -> Ran:
        """Run a command inside."""
        variables = [f"--env={name}={value}" for name, value in env.items()]
        result = subprocess.run(
            ["docker", "exec", "-i", "--user", user, *variables, self.name, *command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        ran = Ran(result.returncode, result.stdout, result.stderr)
        assert not check or ran.code == 0, f"{command}: {ran}"
        return ran

    def install(self, *options: str, check: bool = True, **env: str) -> Ran:
        """Run install.sh of the source, with English texts."""
        script = "/src/install.sh"
        variables = {"VV_LANGUAGE": "en", **env}
        return self.run(
            "bash", script, *options, check=check, timeout=_INSTALL_TIMEOUT_S, **variables
        )

    def install_until(self, mark: str, *options: str) -> bool:
        """Start install.sh and cut the power when it has said something; True if it got so far."""
        log = self.shared / "install.log"
        log.write_text("")
        line = " ".join(["bash /src/install.sh", *options, ">>/shared/install.log 2>&1;"])
        line += " echo ENDED >>/shared/install.log"
        docker("exec", "--detach", "--env=VV_LANGUAGE=en", self.name, "bash", "-c", line)
        deadline = time.monotonic() + 300
        while mark not in (text := log.read_text()):
            if "ENDED" in text:
                return False
            assert time.monotonic() < deadline, text
            time.sleep(0.01)
        self.cut_power()
        return True

    def cut_power(self) -> None:
        """Kill all processes at once, and boot again with the disk as it is."""
        docker("kill", self.name)
        docker("start", self.name)
        self.wait_until_up()

    def reboot(self) -> None:
        """Shut down in order, and boot again."""
        docker("stop", f"--time={_BOOT_TIMEOUT_S}", self.name)
        docker("start", self.name)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until all that starts at boot was started; without systemd that is at once."""
        if not self.boots:
            return
        deadline = time.monotonic() + _BOOT_TIMEOUT_S
        # At first nothing answers yet.
        while (state := self.system_state()) not in {"running", "degraded"}:
            assert time.monotonic() < deadline, state
            time.sleep(0.2)

    def system_state(self) -> str:
        """Return what systemd says of the whole: running, or degraded where something has failed."""
        return self.run("systemctl", "is-system-running", check=False).out.strip()

    def read(self, path: str) -> str:
        """Return the text of a file inside."""
        return self.run("cat", path).out

    def exists(self, path: str) -> bool:
        """Tell whether something has that name inside."""
        return self.run("test", "-e", path, check=False).code == 0

    def snapshot(self) -> dict[str, str]:
        """Return kind, mode and owner, and size and time of files, of all that install.sh may touch; logs aside."""
        logs = ["-path", f"{PREFIX}/logs/*", "-prune", "-o"]
        # The time of a folder says nothing more than the names in it.
        form = ["-type", "d", "-printf", "%p|%y %m %u:%g\n", "-o"]
        form += ["-printf", "%p|%y %m %u:%g %s %T@ %l\n"]
        # Some places are not there before, or after.
        found = self.run("find", *_PLACES, *logs, *form, check=False)
        return dict(line.split("|", 1) for line in found.out.splitlines())

    def add_clip(self) -> None:
        """Leave a file in input/, as the box's user."""
        self.run("runuser", "-u", USER, "--", "sh", "-c", f"echo clip >{PREFIX}/data/input/a.mp4")

    def commit(self) -> str:
        """Return the commit that is placed."""
        return self.run("git", "-C", PREFIX, "rev-parse", "HEAD").out.strip()

    def state(self) -> dict[str, str]:
        """Return what the installer remembers."""
        return dict(
            line.split("=", 1) for line in self.read(f"{PREFIX}/.git/vv-state").splitlines()
        )


@contextmanager
def throwaway(
    source: Path,
    folder: Path,
    *,
    wheels: Path | None = None,
    network: str = "none",
    image: str = "",
    options: Sequence[str] = (),
    boots: bool = False,
) -> Iterator[Throwaway]:
    """Yield a fresh root, and remove it afterwards.

    Args:
        source: repository.
        folder: of the test, for what both see.
        wheels: where pip finds all it needs; None: where pip looks by itself.
        network: of the container; none: it reaches nobody.
        image: to start from; the one with all packages by default.
        options: more of docker run.
        boots: systemd is its first process, as on a machine.
    """
    shared = folder / "shared"
    shared.mkdir(exist_ok=True)
    mounts = [f"--volume={source}:/src:ro", f"--volume={shared}:/shared"]
    if wheels is not None:
        mounts.append(f"--volume={wheels}:/wheels:ro")
    command = [
        *(_BOOT_OPTIONS if boots else ("--init",)),
        f"--network={network}",
        *mounts,
        *options,
    ]
    command.append(image or (booting_image() if boots else base_image()))
    command += [] if boots else ["sleep", "3600"]
    name = docker("run", "--detach", *command).strip()
    root = Throwaway(name, source, shared, boots)
    try:
        root.wait_until_up()
        if wheels is not None:
            conf = "[global]\nno-index = true\nfind-links = /wheels\n"
            root.run("tee", "/etc/pip.conf", stdin=conf)
        yield root
    finally:
        docker("rm", "--force", "--volumes", name)


def copy_of_the_tree(target: Path) -> Path:
    """Make a repository of the working tree as it is now, with one commit."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    for raw in filter(None, listed.stdout.split(b"\0")):
        file = ROOT / os.fsdecode(raw)
        if file.is_file() and not file.is_symlink():
            copy = target / os.fsdecode(raw)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
    git(target, "init", "--quiet", "--initial-branch=main")
    commit_all(target, "as it is")
    return target


def git(repository: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    result = subprocess.run(
        ["git", "-C", str(repository), *who, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def commit_all(repository: Path, message: str) -> str:
    """Commit what lies in a repository and return the commit."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", message)
    return git(repository, "rev-parse", "HEAD")
