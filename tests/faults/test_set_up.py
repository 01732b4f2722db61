"""A box that is set up wrongly, or not yet wholly: each is named with what to do, and costs no video anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.containers.conftest import containers
from tests.containers.live import LiveBox
from tests.faults.cycles import alerts, attempts, check_done, cycle

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]


def no_image(live: LiveBox) -> None:
    live.environment["IMAGE_TAG"] = "nobody-has-this"


def no_such_memory(live: LiveBox) -> None:
    live.environment["SCANNER_MEMORY"] = "lots"


def too_many_cpus(live: LiveBox) -> None:
    live.environment["SCANNER_CPUS"] = "9999"


def torn_compose_file(live: LiveBox) -> None:
    torn = live.box.home / "docker-compose.yml"
    torn.write_text("services:\n  scene_scanner: [")
    live.environment["ORCHESTRATOR_COMPOSE_FILE"] = str(torn)


def no_compose_file(live: LiveBox) -> None:
    live.environment["ORCHESTRATOR_COMPOSE_FILE"] = str(live.box.home / "none.yml")


def wrong_setting(live: LiveBox) -> None:
    wrong = live.box.home / "wrong.env"
    wrong.write_text("ORCHESTRATOR_BATCH_SIZE=many\n")
    live.environment["VV_ENV_FILE"] = str(wrong)


def not_in_the_group(live: LiveBox) -> None:
    live.groups = []


def engine_stopped(live: LiveBox) -> None:
    live.environment["DOCKER_HOST"] = f"unix://{live.box.home}/no.sock"


@dataclass(frozen=True)
class Case:
    """What is wrong, and what the box says about it: exit code, words of the message, words of the advice."""

    spoil: Callable[[LiveBox], None]
    code: int
    message: str
    advice: str


CASES = [
    Case(no_image, 69, "the image vv-video-ai/", "Run: docker compose --profile stages build"),
    Case(no_such_memory, 78, "invalid size: 'lots'", "Correct docker-compose.yml or .env"),
    Case(too_many_cpus, 69, "Range of CPUs", "Correct what Docker names"),
    Case(torn_compose_file, 78, "yaml: line 2", "Correct docker-compose.yml or .env"),
    Case(no_compose_file, 78, "no such file or directory", "Correct docker-compose.yml or .env"),
    Case(wrong_setting, 78, "ORCHESTRATOR_BATCH_SIZE", "Correct the variable"),
    Case(not_in_the_group, 78, "may not use the Docker engine", "sudo usermod -aG docker"),
    Case(engine_stopped, 69, "the Docker engine does not answer", "sudo systemctl start docker"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.spoil.__name__)
def test_it_is_named_with_advice_and_touches_no_video(
    live: LiveBox, clips: list[Path], case: Case
) -> None:
    if case.spoil is not_in_the_group and os.geteuid() != 0:
        pytest.skip("only root can leave a group")
    sha256 = live.add(clips[0])
    case.spoil(live)
    ended = cycle(live)
    assert ended.code == case.code, ended.said
    assert case.message in ended.said
    assert case.advice in ended.said
    assert "Traceback" not in ended.said
    assert sha256 in live.box.videos("input")
    assert containers(live) == []
    if case.spoil is wrong_setting:
        return
    # Without settings the box knows neither where alerts go nor where its history is.
    assert attempts(live, sha256) == (0, 0)
    told = [alert for alert in alerts(live) if alert["code"] == "stage_stop"]
    assert [(alert["severity"], alert["subject"]) for alert in told] == [("CRITICAL", "scan_video")]
    assert case.advice in str(told[0]["advice"])


def test_put_right_the_box_goes_on_by_itself(live: LiveBox, clips: list[Path]) -> None:
    live.add(clips[0])
    before = dict(live.environment)
    no_image(live)
    assert cycle(live).code == 69
    live.environment = before
    assert cycle(live).code == 0
    check_done(live, videos=1)
