"""Which images are built, what becomes of them, and what is left by a run that was killed anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vv_core.errors import ConfigError
from vv_core.images.compose_model import Build, Image, parse_images
from vv_core.images.memory import load_known, save_known
from vv_core.images.plan import Known, Reason, Step, choose_images, plan_builds, previous_name
from vv_core.images.renewal import Means, Outcome, Result, renew

NAME = "box/api:local"
BUILD = Build(Path("/c"), Path("/c/Dockerfile"), {}, {}, "")
IMAGE = Image(NAME, BUILD, "api", ("api", "worker"), ("job",))
STEP = Step(IMAGE, "new-inputs", Reason.CHANGED)


class Killed(BaseException):
    pass


@dataclass
class World:
    """An engine of tables: names to ids, and which images are any good."""

    tags: dict[str, str] = field(default_factory=lambda: {NAME: "old"})
    built: str = "new"
    bad: set[str] = field(default_factory=set)
    build_problem: str = ""
    up: set[str] = field(default_factory=lambda: {"api"})
    started: list[tuple[str, ...]] = field(default_factory=list)
    runs: str = "old"
    known: Known = field(default_factory=Known)
    kill_after: int = 10**6
    calls: int = 0
    removed: list[str] = field(default_factory=list)

    def _called(self) -> None:
        self.calls += 1
        if self.calls > self.kill_after:
            raise Killed

    def image_id(self, name: str) -> str:
        return self.tags.get(name, name if name in self.tags.values() else "")

    def tag(self, image_id: str, name: str) -> None:
        self._called()
        self.tags[name] = image_id

    def remove(self, image_id: str) -> bool:
        self._called()
        self.removed.append(image_id)
        return image_id not in self.tags.values()

    def build(self, service: str, *, is_pulling: bool) -> str:
        assert service == "api"
        self._called()
        if not self.build_problem:
            self.tags[NAME] = self.built
        return self.build_problem

    def running(self) -> set[str]:
        return set(self.up)

    def start(self, services: Sequence[str], wait_s: int) -> str:
        self._called()
        self.started.append(tuple(services))
        self.runs = self.tags[NAME]
        return "unhealthy" if self.runs in self.bad else ""

    def try_job(self, service: str) -> str:
        self._called()
        return "exit code 1" if f"job of {self.tags[NAME]}" in self.bad else ""

    def remember(self, known: Known) -> None:
        self._called()
        self.known = known

    def renew(self) -> Result:
        return renew(STEP, self.known, Means(self, self.remember, 5))


def test_a_new_image_is_started_and_the_one_before_is_kept() -> None:
    world = World()
    assert world.renew() == Result(NAME, Outcome.RENEWED)
    assert world.tags == {NAME: "new", "box/api:local-previous": "old"}
    assert world.known == Known("new-inputs", "new")
    assert world.started == [("api",)], "only what ran is started"


def test_of_older_ones_none_is_kept() -> None:
    world = World(tags={NAME: "old", "box/api:local-previous": "older"})
    world.renew()
    assert world.removed == ["older"]


@pytest.mark.parametrize("bad", ["new", "job of new"])
def test_what_does_not_get_healthy_goes_back(bad: str) -> None:
    world = World(bad={bad})
    result = world.renew()
    assert result.outcome is Outcome.ROLLED_BACK
    assert result.problem
    assert world.tags[NAME] == world.runs == "old"
    assert world.removed == ["new"]
    assert world.known.refused == "new-inputs"
    steps = plan_builds([IMAGE], {NAME: "new-inputs"}, {NAME: world.known}, {NAME: "old"})
    assert steps[0].reason is Reason.REFUSED, "not again and again"


def test_where_the_one_before_does_not_get_well_either_it_says_so() -> None:
    assert World(bad={"new", "old"}).renew().outcome is Outcome.ROLLBACK_FAILED


def test_without_one_before_there_is_no_way_back() -> None:
    assert World(tags={}, bad={"new"}).renew().outcome is Outcome.NO_WAY_BACK
    assert World(built="old", bad={"old"}).renew().outcome is Outcome.NO_WAY_BACK


def test_a_build_that_fails_changes_nothing_and_is_tried_again() -> None:
    world = World(build_problem="no space")
    assert world.renew() == Result(NAME, Outcome.BUILD_FAILED, "no space")
    assert world.tags[NAME] == "old"
    assert world.started == []
    steps = plan_builds([IMAGE], {NAME: "new-inputs"}, {NAME: world.known}, {NAME: "old"})
    assert steps[0].reason.is_due


def test_what_nobody_runs_is_built_and_not_started() -> None:
    world = World(up=set())
    assert world.renew().outcome is Outcome.RENEWED
    assert world.started == []


def test_built_and_the_same_the_one_before_stays_it() -> None:
    world = World(built="old", tags={NAME: "old", "box/api:local-previous": "older"})
    assert world.renew().outcome is Outcome.UNCHANGED
    assert world.tags["box/api:local-previous"] == "older"
    assert world.removed == []
    assert World(built="old").renew().outcome is Outcome.UNCHANGED


def test_a_way_back_that_somebody_removed_holds_nothing_up() -> None:
    world = World(known=Known(way_back="removed-since"))
    assert world.renew().outcome is Outcome.RENEWED
    assert world.tags["box/api:local-previous"] == "old"


@pytest.mark.parametrize("is_bad", [False, True])
def test_killed_after_any_step_the_next_run_puts_it_right(is_bad: bool) -> None:
    for kill_after in range(12):
        world = World(bad={"new"} if is_bad else set(), kill_after=kill_after)
        try:
            world.renew()
        except Killed:
            world.kill_after = 10**6
            step = plan_builds(
                [IMAGE], {NAME: "new-inputs"}, {NAME: world.known}, {NAME: world.tags[NAME]}
            )[0]
            if step.reason.is_due:
                world.renew()
        assert world.tags[NAME] == ("old" if is_bad else "new"), kill_after
        assert world.runs == world.tags[NAME], kill_after
        assert not world.known.way_back


@pytest.mark.parametrize(
    ("known", "current", "expected"),
    [
        (Known(), "", Reason.MISSING),
        (Known("inputs", "id"), "", Reason.MISSING),
        (Known(), "id", Reason.CHANGED),
        (Known("inputs", "id"), "id", Reason.CURRENT),
        (Known("inputs", "id"), "another", Reason.REPLACED),
        (Known("before", "id"), "id", Reason.CHANGED),
        (Known("before", "id", refused="inputs"), "id", Reason.REFUSED),
        (Known("before", "id", way_back="id"), "id", Reason.INTERRUPTED),
        (Known("before", "id", refused="inputs", way_back="id"), "id", Reason.INTERRUPTED),
    ],
)
def test_why_an_image_is_built(known: Known, current: str, expected: Reason) -> None:
    def reason(*, is_forced: bool) -> Reason:
        return plan_builds(
            [IMAGE], {NAME: "inputs"}, {NAME: known}, {NAME: current}, is_forced=is_forced
        )[0].reason

    assert reason(is_forced=False) is expected
    assert reason(is_forced=True) is Reason.ASKED_FOR


@pytest.mark.parametrize(
    ("name", "previous"),
    [
        ("a/b:1", "a/b:1-previous"),
        ("b", "b:latest-previous"),
        ("host:5000/a/b", "host:5000/a/b:latest-previous"),
        ("host:5000/a/b:x", "host:5000/a/b:x-previous"),
    ],
)
def test_the_name_of_the_one_before(name: str, previous: str) -> None:
    assert previous_name(name) == previous


def test_images_are_read_from_what_compose_says() -> None:
    build = {"context": "/c", "dockerfile": "x/Dockerfile", "args": {"B": 1}}
    services = {
        "api": {"image": NAME, "build": build, "restart": "unless-stopped"},
        "job": {"image": NAME, "restart": "no"},
        "foreign": {"image": "redis:7"},
    }
    (image,) = parse_images({"services": services})
    assert (image.name, image.build_service) == (NAME, "api")
    assert (image.services, image.jobs) == (("api",), ("job",))
    assert image.build.dockerfile == Path("/c/x/Dockerfile")
    services["api"]["pull_policy"] = "never"
    assert len(parse_images({"services": services})) == 1
    services["api"]["pull_policy"] = "missing"
    assert parse_images({"services": services}) == [], "whoever keeps the registry builds it"
    for broken in ({}, {"services": []}, {"services": {"a": {"build": {"x": 1}}}}, None):
        with pytest.raises(ConfigError) as caught:
            parse_images(broken)
        assert caught.value.advice


@pytest.mark.parametrize(
    ("profiles", "is_optional"),
    [([[]], False), ([["stages"]], False), ([["mirror"]], True), ([["mirror"], []], False)],
)
def test_an_optional_image_that_nobody_built_is_left_alone(
    profiles: list[list[str]], is_optional: bool
) -> None:
    build = {"context": "/c"}
    services = {
        f"s{number}": {"image": NAME, "build": build, "profiles": each}
        for number, each in enumerate(profiles)
    }
    images = parse_images({"services": services})
    assert [image.is_optional for image in images] == [is_optional]
    assert choose_images(images, {NAME: "here"}, are_named=False) == images
    assert choose_images(images, {NAME: ""}, are_named=True) == images
    assert choose_images(images, {NAME: ""}, are_named=False) == ([] if is_optional else images)


@pytest.mark.parametrize("content", ["", "[]", '{"a": {}}', '{"a": 1}', "{"])
def test_a_memory_of_no_use_is_an_empty_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "images.json"
    assert load_known(path) == {}
    path.write_text(content)
    assert load_known(path) == {}
    save_known(path, {"a": Known("f", "i", "r", "w")})
    assert load_known(path) == {"a": Known("f", "i", "r", "w")}
    path.write_text(json.dumps({"a": {**json.loads(path.read_text())["a"], "refused": 1}}))
    assert load_known(path) == {}
