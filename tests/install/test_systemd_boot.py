"""A box under a real systemd as the first process: boot, stop, shutdown, power cut, timer, removal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.install.test_journey import DATA
from tests.install.throwaway import MAIN, PREFIX, USER, Throwaway, commit_all, throwaway
from tests.pipeline.subjects import require_engine
from tests.support.clips import make_clip

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.torture,
    pytest.mark.timeout(3600),
]

PROGRAMS = tuple(
    f"vv-video-ai@vv-{name}.service" for name in ("capture", "playlist", "process-video", "tv-api")
)
SERVICES = (MAIN, *PROGRAMS)
_QUICK = "ORCHESTRATOR_INTERVAL=3\nORCHESTRATOR_STABLE_SECONDS=1\nVV_PLAYLIST_POLL_SECONDS=2\n"
_WAIT_S = 180
_STEADY_S = 20
"""Twice RestartSec: what cannot run has been started again by then."""


@pytest.fixture
def booted(source: Path, tmp_path: Path, wheels: Path) -> Iterator[Throwaway]:
    """Return a root that has booted, with no network."""
    require_engine()
    with throwaway(source, tmp_path, wheels=wheels, boots=True) as made:
        assert made.read("/proc/1/comm").strip() == "systemd"
        assert made.system_state() == "running"
        yield made


def facts(root: Throwaway, unit: str) -> dict[str, str]:
    """Return what systemd knows of a unit."""
    names = "ActiveState,SubState,UnitFileState,Result,NRestarts,TimeoutStopUSec,MainPID"
    shown = root.run("systemctl", "show", f"--property={names}", unit).out
    return dict(line.split("=", 1) for line in shown.splitlines())


def journal(root: Throwaway) -> str:
    """Return what systemd and the services have said."""
    return root.run("journalctl", "--no-pager", "--unit=vv-video-ai*").out


def wait_for(what: str, is_so: Callable[[], bool], root: Throwaway) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + _WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, f"{what}\n{journal(root)[-4000:]}"
        time.sleep(0.5)


def check_running(root: Throwaway, services: tuple[str, ...] = SERVICES) -> None:
    """Check that services run, have never failed, and do not fail for a while."""
    time.sleep(_STEADY_S)
    for unit in services:
        seen = facts(root, unit)
        assert (seen["ActiveState"], seen["SubState"]) == ("active", "running"), (unit, seen)
        assert (seen["NRestarts"], seen["Result"]) == ("0", "success"), (unit, journal(root))
    assert root.system_state() == "running"


def check_needs_nothing(root: Throwaway) -> None:
    """Check that one more run says that it has nothing to do; what runs writes its own files meanwhile."""
    ran = root.install()
    assert "no change was needed" in ran.out, ran


def check_stopped(root: Throwaway) -> None:
    """Check that services have ended by themselves, in time, and that nothing of them is left."""
    for unit in SERVICES:
        # systemctl waits for the service that it was told of, not for those that are part of it.
        wait_for(f"{unit} ends", partial(is_down, root, unit), root)
        assert facts(root, unit)["Result"] == "success", (unit, journal(root))
    assert processes(root) == ""


def is_down(root: Throwaway, unit: str) -> bool:
    return facts(root, unit)["ActiveState"] == "inactive"


def processes(root: Throwaway) -> str:
    """Return the processes of the box's user, a folder of /proc a line."""
    return root.run("find", "/proc", "-maxdepth", "1", "-user", USER, check=False).out


def check_clean(root: Throwaway) -> None:
    """Check that no service was killed, has failed or told of a fault of the program."""
    said = journal(root)
    for word in ("Killing", "timed out", "Failed with result", "Traceback", "failed unexpectedly"):
        assert word not in said, said[-4000:]


def serves(root: Throwaway) -> bool:
    """Tell whether the API says that the box is well, playlists included."""
    asked = root.run(
        "curl", "--silent", "--fail", "http://127.0.0.1:8000/health", check=False, timeout=60
    )
    return asked.code == 0


def quicken(root: Throwaway) -> None:
    """Have the services look more often."""
    root.run("tee", "-a", f"{PREFIX}/.env", stdin=_QUICK)
    root.run("systemctl", "restart", MAIN)


def test_a_box_boots_stops_boots_again_and_is_removed(booted: Throwaway) -> None:
    ran = booted.install("--no-docker", "--rooms", "writer,api,playlists")
    assert "done; changes:" in ran.out, ran
    assert "not loaded" not in ran.err
    for unit in SERVICES:
        assert facts(booted, unit)["UnitFileState"] == "enabled", unit
    # It says "done" when all of them do their job, not before.
    assert serves(booted)
    check_running(booted)
    check_needs_nothing(booted)

    booted.run("systemctl", "stop", MAIN)
    check_stopped(booted)
    booted.run("systemctl", "start", MAIN)
    wait_for("the API answers", lambda: serves(booted), booted)

    booted.reboot()
    wait_for("the API answers after a boot", lambda: serves(booted), booted)
    check_running(booted, (*SERVICES, "cron.service"))
    check_clean(booted)
    booted.cut_power()
    wait_for("the API answers after a power cut", lambda: serves(booted), booted)

    # By a timer, instead of by the boot itself.
    booted.install("--boot-delay", "5")
    assert facts(booted, MAIN)["UnitFileState"] == "disabled"
    assert facts(booted, "vv-video-ai.timer")["UnitFileState"] == "enabled"
    booted.reboot()
    wait_for("the timer fires", lambda: facts(booted, MAIN)["ActiveState"] == "active", booted)
    wait_for("the API answers after the timer", lambda: serves(booted), booted)
    assert facts(booted, "vv-video-ai.timer")["Result"] == "success"
    check_needs_nothing(booted)

    booted.install("--uninstall")
    assert booted.run("systemctl", "list-units", "--all", "--no-legend", "vv-*").out == ""
    assert booted.run("systemctl", "list-unit-files", "--no-legend", "vv-*", check=False).out == ""
    assert processes(booted) == ""
    booted.reboot()
    assert booted.system_state() == "running"
    assert processes(booted) == ""


def test_no_service_is_enabled_that_its_rooms_cannot_run(booted: Throwaway) -> None:
    booted.install("--no-docker", "--rooms", "writer,api,playlists")
    booted.install("--rooms", "writer,playlists")
    api = PROGRAMS[-1]
    assert facts(booted, api)["UnitFileState"] == "disabled"
    assert facts(booted, api)["ActiveState"] == "inactive"
    check_running(booted, (MAIN, *PROGRAMS[:-1]))
    check_needs_nothing(booted)

    # To containers: the programs end, and what systemd does not know is no error.
    functions = (
        "set -euo pipefail; source /src/install.sh; set_defaults; WORK=$PREFIX/.git/vv-install;"
    )
    functions += (
        " for file in /src/deploy/install/*.sh; do source $file; done; MODE=docker ROOMS=writer;"
    )
    functions += " drop_programs; echo $CHANGES; CHANGES=0; drop_programs; echo $CHANGES"
    told = booted.run("bash", "-c", functions).out.split()
    assert told[0] != "0"
    assert told[-1] == "0"
    assert all(facts(booted, unit)["ActiveState"] == "inactive" for unit in PROGRAMS)


def test_an_installation_whose_service_crashes_does_not_say_done(booted: Throwaway) -> None:
    program = booted.source / "tv_scheduler" / "tv_scheduler.py"
    program.write_text("raise SystemExit('broken')\n" + program.read_text())
    commit_all(booted.source, "broken")
    ran = booted.install("--no-docker", "--rooms", "writer,api,playlists", check=False)
    assert ran.code == 70, ran
    assert "vv-playlist does not do its job" in ran.err


def test_a_clip_becomes_a_logline_and_is_shown(
    source: Path, tmp_path: Path, seeing_wheels: Path
) -> None:
    """With the real scanner; stopped and cut off in the middle of its work too."""
    require_engine()
    with throwaway(source, tmp_path, wheels=seeing_wheels, boots=True) as root:
        root.install("--no-docker", "--rooms", "scanner,writer,api,playlists")
        quicken(root)
        put_clip(root, "20261121-020304.mp4", seconds=2)
        logline = f"{DATA}/loglines/20261121-020304.logline.json"
        wait_for("a clip becomes a LogLine", lambda: root.exists(logline), root)
        time.sleep(60 - _STEADY_S)
        check_running(root)

        for number, end in enumerate((root.reboot, root.cut_power, lambda: stop_and_start(root))):
            name = f"20261121-0304{number:02}"
            # Each of another length: the same content would be done already.
            put_clip(root, f"{name}.mp4", seconds=60 + number)
            wait_for("a stage works", lambda: is_scanning(root), root)
            end()
            done = f"{DATA}/loglines/{name}.logline.json"
            wait_for("it goes on", lambda done=done: root.exists(done), root)  # type: ignore[misc]
        check_clean(root)
        verified = root.run(
            "runuser",
            "-u",
            USER,
            "--",
            f"{PREFIX}/.venv/bin/python",
            f"{PREFIX}/scripts/logline_verifier.py",
            f"{DATA}/loglines",
            "--key-file",
            f"{PREFIX}/secrets/hmac_keys.json",
            "--vkey",
            f"{DATA}/loglines/log/vkey",
        )
        assert verified.code == 0
        assert len(root.run("sh", "-c", f"ls {DATA}/loglines/*.logline.json").out.split()) == 4


def put_clip(root: Throwaway, name: str, *, seconds: int) -> None:
    """Leave a video in input/, as whoever records leaves it."""
    path = make_clip(root.shared / name, seconds=seconds)
    root.run("install", "-o", USER, "-m", "644", f"/shared/{name}", f"{DATA}/input/.{name}.part")
    root.run("mv", f"{DATA}/input/.{name}.part", f"{DATA}/input/{name}")
    path.unlink()


def is_scanning(root: Throwaway) -> bool:
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q 'scan_video[.]scan_video'"
    return root.run("sh", "-c", look, check=False).code == 0


def stop_and_start(root: Throwaway) -> None:
    root.run("systemctl", "stop", MAIN)
    check_stopped(root)
    root.run("systemctl", "start", MAIN)
