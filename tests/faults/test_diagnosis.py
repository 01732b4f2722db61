"""The faults of the stages' containers as the diagnosis sees them, and what it does about want of memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.containers.live import LiveBox, hand_over
from tests.faults import test_set_up
from tests.faults.conftest import MountSmall
from tests.faults.cycles import cycle, end_of
from tests.faults.engine_proxy import EngineProxy
from tests.faults.striking import kill, leave_hanging, strike
from tests.faults.test_engine_away import proxy
from tests.faults.test_folders import fill_up, remount
from tests.faults.test_hanging import ORCHESTRATOR
from tests.monitor.recording import Right, check_situation
from tests.support.clips import make_clip
from vv_core.monitor.command import make_monitor
from vv_core.monitor.diagnose import PROPOSALS_FILE, diagnose_once
from vv_core.monitor.engine import DockerEngine
from vv_core.monitor.look import Monitor, look
from vv_core.monitor.proposal import Action
from vv_core.pipeline.compose_environment import client_environment

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]
__all__ = ["proxy"]


WITH_LOG = """
from vv_core.logs import setup_logging
from vv_core.settings import load_settings
settings = load_settings()
setup_logging("orchestrator", settings.resolve(settings.log_dir), 0)
"""


def with_monitor(live: LiveBox, use: Callable[[Monitor], object]) -> None:
    """Let something use the monitor of a box, on the real engine."""
    settings = live.box.settings
    with closing(DockerEngine(settings.docker_host, settings.docker_timeout_s)) as engine:
        monitor = make_monitor(settings, engine, is_dry_run=False)
        use(replace(monitor, project=live.environment["COMPOSE_PROJECT_NAME"]))


def check(live: LiveBox, right: Right) -> None:
    with_monitor(live, lambda monitor: check_situation(right, live.box.settings, monitor))


def diagnose(live: LiveBox) -> None:
    """Look and act once, as the monitor of this box."""
    settings = live.box.settings
    with_monitor(live, lambda monitor: diagnose_once(settings, look(monitor), monitor))
    hand_over(live.box.home, live.user)


def test_want_of_memory_is_answered_by_more_memory_and_another_try(
    live: LiveBox, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way on the real engine: ended at the limit, set aside, limit raised for the next start, put back."""
    env = live.box.home / ".env"
    env.write_text("SCANNER_MEMORY=360m\n")
    hand_over(live.box.home, live.user)
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    live.environment["ORCHESTRATOR_MAX_CRASHES"] = "2"
    guilty = live.add(
        make_clip(tmp_path / "20261121-020200.mp4", size="7680x4320", seconds=3, rate=2)
    )
    live.add(clips[0])
    assert cycle(live).code == 0
    memory = Right(
        "the scanner's container is ended at its limit of memory",
        Action.RAISE_MEMORY, "SCANNER_MEMORY", is_known=True,
    )  # fmt: skip
    check(live, memory)
    assert "quarantined (scan_video ran out of memory" in cycle(live).said
    check(live, replace(memory, name="a video was set aside, the scanner has too little memory"))
    diagnose(live)
    assert env.read_text() == "SCANNER_MEMORY=540m\n"
    name = "20261121-020200.mp4"
    check(
        live,
        Right(
            "memory was raised, a video waits in quarantine", Action.REQUEUE, name, is_known=True
        ),
    )
    diagnose(live)
    path = live.box.folder("orchestrator_data") / "monitor" / PROPOSALS_FILE
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(entry["action"], entry["problem"]) for entry in entries] == [
        ("raise_memory", ""), ("requeue", ""),
    ]  # fmt: skip
    assert guilty in live.box.videos("input")
    assert client_environment(live.box.settings)["SCANNER_MEMORY"] == "540m"
    live.check(is_settled=False)


def test_a_container_that_was_killed_once(live: LiveBox, clips: list[Path]) -> None:
    live.add(clips[0])
    live.add(clips[1])
    orchestrator = live.start()
    strike(live, "scan_video", kill)
    end_of(orchestrator)
    check(live, Right("a stage's container was killed once"))


def test_a_stage_that_hangs(live: LiveBox, clips: list[Path]) -> None:
    for clip in clips[:2]:
        live.add(clip)
    is_over = live.box.home / "over"
    orchestrator = live.start("-c", WITH_LOG + ORCHESTRATOR, str(is_over))
    strike(live, "scan_video", leave_hanging)
    is_over.touch()
    end_of(orchestrator)
    check(live, Right("a stage hung at one video"))


def test_an_engine_that_went_away_and_is_back(
    live: LiveBox, proxy: EngineProxy, clips: list[Path]
) -> None:
    for clip in clips[:2]:
        live.add(clip)
    orchestrator = live.start()
    strike(live, "scan_video", leave_hanging)
    proxy.close()
    end_of(orchestrator)
    check(live, Right("the engine went away in the middle of a cycle"))
    proxy.open()
    assert cycle(live).code == 0


SET_UP = {
    test_set_up.no_image: Right("an image is missing"),
    test_set_up.no_such_memory: Right("a size in .env is none", is_known=True),
    test_set_up.too_many_cpus: Right("a stage is given more CPUs than there are"),
    test_set_up.torn_compose_file: Right("the compose file is torn", is_known=True),
    test_set_up.no_compose_file: Right("the compose file is missing", is_known=True),
    test_set_up.not_in_the_group: Right("the user may not use the engine", is_known=True),
}


@pytest.mark.parametrize("spoil", SET_UP, ids=lambda spoil: spoil.__name__)
def test_a_box_that_is_set_up_wrongly(
    live: LiveBox, clips: list[Path], spoil: Callable[[LiveBox], None]
) -> None:
    live.add(clips[0])
    spoil(live)
    assert cycle(live).code in {69, 78}
    check(live, SET_UP[spoil])


def test_folders_that_cannot_be_written_to(
    live: LiveBox, clips: list[Path], mount_small: MountSmall
) -> None:
    live.add(clips[0])
    analytic, summaries = live.box.folder("analytic"), live.box.folder("summaries")
    mount_small(summaries)
    remount(summaries, "ro")
    analytic.chmod(0o555)
    cycle(live)
    check(live, Right("a folder is closed to the box's user"))
    analytic.chmod(0o755)
    (live.box.home / "logs" / "app.log").unlink()
    cycle(live)
    check(live, Right("a folder lies on a read-only file system"))


def test_the_disk_of_one_folder_is_full(
    live: LiveBox, clips: list[Path], mount_small: MountSmall
) -> None:
    live.add(clips[0])
    mount_small(live.box.folder("summaries"))
    fill_up(live.box.folder("summaries"))
    cycle(live)
    check(live, Right("the disk under the summaries alone is full"))
