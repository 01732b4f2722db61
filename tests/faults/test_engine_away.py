"""The Docker engine goes away in the middle of a cycle, and comes back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.conftest import containers
from tests.containers.live import IMAGES, LiveBox
from tests.faults.cycles import Ended, alerts, attempts, check_done, cycle, end_of, failures
from tests.faults.engine_proxy import EngineProxy
from tests.faults.private_engine import PrivateEngine, private_engine
from tests.faults.striking import leave_hanging, strike
from tests.pipeline.box import new_box
from tests.pipeline.subjects import Subject, in_box, require_engine
from tests.support.waiting import wait_for
from vv_core.pipeline.batch import ItemOutcome
from vv_core.pipeline.journal import read_journal
from vv_core.pipeline.retry import is_crash

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]


def check_named_outcome(live: LiveBox, ended: Ended, hashes: list[str]) -> None:
    """Check what a person hears of it, and that no video pays for it."""
    assert ended.code == 69
    assert "stopped: scan_video: the Docker engine does not answer" in ended.said
    assert "→ Run: sudo systemctl start docker" in ended.said
    told = [alert for alert in alerts(live) if alert["code"] == "stage_stop"]
    assert [(alert["severity"], alert["subject"]) for alert in told] == [("CRITICAL", "scan_video")]
    assert [attempts(live, sha256) for sha256 in hashes] == [(0, 0)] * len(hashes)
    assert live.box.names("corrupted") == []
    live.check(is_settled=False)


@pytest.fixture
def proxy(live: LiveBox) -> Iterator[EngineProxy]:
    """Yield the socket that the box knows its engine by."""
    proxy = EngineProxy(live.box.home / "engine.sock")
    live.environment["DOCKER_HOST"] = proxy.host
    proxy.open()
    yield proxy
    proxy.close()


def test_it_stops_the_cycle_alerts_and_costs_no_video_anything(
    live: LiveBox, proxy: EngineProxy, clips: list[Path]
) -> None:
    hashes = [live.add(clip) for clip in clips[:3]]
    orchestrator = live.start()
    strike(live, "scan_video", leave_hanging, position=1)
    proxy.close()
    check_named_outcome(live, end_of(orchestrator), hashes)
    assert len(live.box.names("analytic")) >= 1, "what was done is kept"
    assert len(containers(live)) == 1, "nobody could remove it"
    # Still away: the same is said by a cycle that finds it so.
    still = cycle(live)
    assert still.code == 69
    assert "the Docker engine does not answer" in still.said
    proxy.open()
    assert cycle(live).code == 0
    check_done(live, videos=3)
    assert containers(live) == []


# ── A real engine that really ends ──


def test_an_engine_that_is_stopped_or_killed_under_a_stage_is_the_boxs_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_engine()
    with private_engine(os.getgid()) as engine:
        engine.copy_images(["python:3.11-slim"])
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        subject = in_box(lambda **variables: new_box(tmp_path, monkeypatch, **variables), "compose")
        for number in (signal.SIGTERM, signal.SIGKILL):
            check_end_under_a_stage(subject, engine, number)
        assert subject.codes("ok", "ok") == [0, 0]


def check_end_under_a_stage(subject: Subject, engine: PrivateEngine, number: int) -> None:
    outcomes: list[ItemOutcome] = []
    batch = threading.Thread(target=lambda: outcomes.extend(subject.run("ok", "hang", "ok")))
    batch.start()
    journals = subject.box.folder("orchestrator_data") / "batches"
    wait_for(
        lambda: [read_journal(path, 3).open_index for path in journals.glob("*.journal")] == [1]
    )
    engine.end(number)
    batch.join(timeout=120)
    assert outcomes[0].exit_code == 0
    # An engine that is stopped in order ends its containers in order, and may still say so.
    assert not is_crash(outcomes[1].exit_code, outcomes[1].timed_out)
    assert outcomes[2].exit_code == 69
    assert outcomes[2].is_box_fault
    assert outcomes[2].message.startswith("the Docker engine does not answer")
    engine.start()
    subject.runner.recover()
    assert engine.docker("ps", "--all", "--quiet").stdout == ""


@pytest.mark.torture
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_whole_cycle_with_an_engine_that_really_ends(
    live: LiveBox, clips: list[Path], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """All images go over to the second engine, which takes most of a minute."""
    hashes = [live.add(clip) for clip in clips]
    with private_engine(live.user) as engine:
        rooms = ("scene-scanner", "scene-summarizer", "logline-writer")
        prefix, tag = IMAGES["IMAGE_PREFIX"], IMAGES["IMAGE_TAG"]
        engine.copy_images([f"{prefix}/{room}:{tag}" for room in rooms])
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        live.environment["DOCKER_HOST"] = engine.host
        orchestrator = live.start()
        strike(live, "scan_video", leave_hanging, position=1)
        engine.end(number)
        check_named_outcome(live, end_of(orchestrator), hashes)
        engine.start()
        assert cycle(live).code == 0
        check_done(live, videos=4)
        assert failures(live) != []
        assert containers(live) == []
        monkeypatch.delenv("DOCKER_HOST")
