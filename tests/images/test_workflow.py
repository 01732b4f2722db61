"""The workflow that builds, scans and pushes: it knows every image, and pushes nothing that was not scanned."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.containers.compose_file import ROOT, load_services

WORKFLOW = ROOT / ".github" / "workflows" / "images.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    return document


def built_images() -> dict[str, str]:
    """Return the Dockerfile of each image that the compose file builds, by the image's short name."""
    return {
        service["image"].partition("/")[2].partition(":")[0]: service["build"]["dockerfile"]
        for service in load_services().values()
        if "build" in service
    }


def test_it_builds_every_image_of_the_box_for_both_architectures(workflow: dict[Any, Any]) -> None:
    matrix = workflow["jobs"]["build"]["strategy"]["matrix"]
    assert matrix["arch"] == ["amd64", "arm64"]
    assert {entry["image"]: entry["dockerfile"] for entry in matrix["include"]} == built_images()
    assert sorted(matrix["image"]) == sorted(built_images())
    join = workflow["jobs"]["publish"]["steps"][-1]
    assert sorted(join["env"]["IMAGES"].split()) == sorted(built_images())


def test_what_is_pushed_was_scanned_before_and_is_the_same(workflow: dict[Any, Any]) -> None:
    steps = workflow["jobs"]["build"]["steps"]
    names = [step.get("name", step.get("uses")) for step in steps]
    order = [names.index(name) for name in ("Build", "Scan", "Push what was scanned")]
    assert order == sorted(order)
    build, scan = steps[order[0]], steps[order[1]]
    assert (build["with"]["load"], build["with"]["push"]) == (True, False)
    assert build["with"]["tags"] == scan["with"]["image-ref"]
    assert scan["with"]["exit-code"] == "1", "a finding stops it"
    assert "continue-on-error" not in scan
    assert workflow["jobs"]["publish"]["needs"] == "build"


def test_a_pull_request_pushes_nothing(workflow: dict[Any, Any]) -> None:
    not_for_requests = "github.event_name != 'pull_request'"
    assert workflow["jobs"]["publish"]["if"] == not_for_requests
    for step in workflow["jobs"]["build"]["steps"]:
        if "push" in step.get("run", "") or "login" in step.get("uses", ""):
            assert step["if"] == not_for_requests


def test_it_may_do_no_more_than_it_needs(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["build"]["permissions"] == {"contents": "read", "packages": "write"}
    assert workflow["jobs"]["publish"]["permissions"] == {"packages": "write"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
    # Words that somebody outside chooses reach a shell as variables, never as its text.
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_every_action_has_a_version(workflow: dict[Any, Any]) -> None:
    used = re.findall(r"uses: (\S+)", WORKFLOW.read_text("utf-8"))
    assert len(used) >= 7
    for action in used:
        assert re.fullmatch(r"[\w/-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", action), action
    assert any("trivy-action@" in action for action in used)
