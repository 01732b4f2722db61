"""What every service of the compose file must keep to; read from the file, no engine needed.

A service that joins later is held to the same: only `MAY_SEE` and the lists of exceptions name services.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.containers.compose_file import COMPOSE, ROOT, hidden, load_services, mounts, variables
from vv_core.pipeline.coverage_log import writer_of
from vv_core.pipeline.stages import pipeline_stages
from vv_core.settings import OWN_PREFIXES, Settings, known_variables

SERVICES = load_services()
ONE_SHOT = ("scene_scanner", "scene_summarizer", "logline_writer", "log_events")

# What each may see of the box, and whether it may write there. Anything else in the file is an error.
MAY_SEE: dict[str, dict[str, tuple[str, bool]]] = {
    "scene_scanner": {
        "/data/input": ("data/input", False),
        "/data/models": ("data/models", False),
        "/faces": ("faces", False),
        "/data/analytic": ("data/analytic", True),
        "/data/orchestrator_data/scanner": ("data/orchestrator_data/scanner", True),
        "/data/orchestrator_data/batches": ("data/orchestrator_data/batches", True),
        "/logs": ("logs", True),
    },
    "scene_summarizer": {
        "/data/analytic": ("data/analytic", False),
        "/data/models": ("data/models", False),
        "/data/config": ("data/config", False),
        "/data/summaries": ("data/summaries", True),
        "/data/orchestrator_data/batches": ("data/orchestrator_data/batches", True),
        "/logs": ("logs", True),
    },
    "logline_writer": {
        "/data/summaries": ("data/summaries", False),
        "/data/config": ("data/config", False),
        "/data/loglines": ("data/loglines", True),
        "/data/orchestrator_data/log": ("data/orchestrator_data/log", True),
        "/keys": ("secrets", True),
        "/data/orchestrator_data/batches": ("data/orchestrator_data/batches", True),
        "/logs": ("logs", True),
    },
}
MAY_SEE["log_events"] = MAY_SEE["logline_writer"]
MAY_SEE["self_monitor"] = {
    "/data/orchestrator_data/monitor": ("data/orchestrator_data/monitor", True),
    "/data/orchestrator_data/services": ("data/orchestrator_data/services", True),
    "/logs": ("logs", True),
}
ENGINE_SOCKET = "/var/run/docker.sock"
MAY_SEE["docker_proxy"] = {ENGINE_SOCKET: (ENGINE_SOCKET, False)}
MAY_SEE["watchtower"] = {ENGINE_SOCKET: (ENGINE_SOCKET, False)}
MAY_SEE["video_capture"] = {
    "/data/raw": ("data/raw", True),
    "/data/input": ("data/input", True),
    "/data/orchestrator_data/services": ("data/orchestrator_data/services", True),
    "/logs": ("logs", True),
}
MAY_SEE["playlist_manager"] = {
    "/data/loglines": ("data/loglines", False),
    "/data/config": ("data/config", False),
    "/data/playlists": ("data/playlists", True),
    "/data/orchestrator_data/media": ("data/orchestrator_data/media", False),
    "/data/processed": ("data/processed", False),
    "/data/tv_curado": ("data/tv_curado", False),
    "/data/orchestrator_data/playlists": ("data/orchestrator_data/playlists", True),
    "/data/orchestrator_data/services": ("data/orchestrator_data/services", True),
    "/logs": ("logs", True),
}
MAY_SEE["clip_converter"] = {
    "/data/processed": ("data/processed", False),
    "/data/loglines": ("data/loglines", False),
    "/data/tv_curado": ("data/tv_curado", True),
    "/data/orchestrator_data": ("data/orchestrator_data", False),
    "/data/orchestrator_data/media": ("data/orchestrator_data/media", True),
    "/data/orchestrator_data/services": ("data/orchestrator_data/services", True),
    "/logs": ("logs", True),
}
MAY_SEE["tv_api"] = {
    "/data/input": ("data/input", False),
    "/data/corrupted": ("data/corrupted", False),
    "/data/playlists": ("data/playlists", False),
    "/data/loglines": ("data/loglines", False),
    "/data/processed": ("data/processed", False),
    "/data/tv_curado": ("data/tv_curado", False),
    "/data/analytic": ("data/analytic", False),
    "/data/fallback": ("data/fallback", False),
    "/data/orchestrator_data": ("data/orchestrator_data", False),
    "/data/orchestrator_data/tvs": ("data/orchestrator_data/tvs", True),
    "/data/orchestrator_data/services": ("data/orchestrator_data/services", True),
    "/logs": ("logs", True),
}
MAY_SEE["tv_mirror"] = {
    "/data/config": ("data/config", False),
    "/data/logins": ("data/logins", False),
    "/data/fallback": ("data/fallback", False),
}
HIDDEN = {
    name: {"/data/orchestrator_data/scanner", "/data/orchestrator_data/log"}
    for name in ("tv_api", "clip_converter")
}
"""What lies below a folder that a service sees, and is not its business."""
NETWORKS = {
    "video_capture": ["capture"],
    "tv_api": ["web"],
    "tv_mirror": ["mirror"],
    "self_monitor": ["engine"],
    "docker_proxy": ["engine"],
    "watchtower": ["updates"],
}
"""All others have none."""
KEY_HOLDERS = {"logline_writer", "log_events"}
FOREIGN = {"watchtower"}
"""Images of others, from a registry."""
FORBIDDEN_KEYS = {
    "privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "env_file", "volumes_from", "cgroup_parent",
    "sysctls", "group_add", "links", "external_links",
}  # fmt: skip

BUILDS = {service["image"]: service["build"] for service in SERVICES.values() if "build" in service}
"""Some services are other commands of an image."""

each_service = pytest.mark.parametrize(
    "service", [pytest.param(service, id=name) for name, service in SERVICES.items()]
)


def test_the_stages_are_those_that_the_orchestrator_runs() -> None:
    run = {spec.service for spec in (*pipeline_stages(Settings()), writer_of(Settings()))}
    assert run == set(ONE_SHOT)
    for name in ONE_SHOT:
        assert SERVICES[name]["profiles"] == ["stages"]
        assert SERVICES[name]["restart"] == "no"
        assert SERVICES[name]["network_mode"] == "none"
        assert not SERVICES[name].keys() & {"ports", "expose", "networks"}


@each_service
def test_it_has_limits(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[1-9]\d*[mg]", service["mem_limit"])
    assert service["memswap_limit"] == service["mem_limit"], "more than nothing is swap"
    assert float(service["cpus"]) > 0
    assert 0 < service["pids_limit"] <= 512
    logging = service["logging"]
    assert logging["driver"] in {"json-file", "local"}
    assert logging["options"].keys() >= {"max-size", "max-file"}
    assert service["stop_grace_period"]
    assert "restart" in service


@each_service
def test_it_has_no_privileges(service: dict[str, Any]) -> None:
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert not service.keys() & FORBIDDEN_KEYS
    assert service.get("network_mode", "none") == "none", "the host's network is nobody's"
    for mount in service["tmpfs"]:
        place, options = mount.split(":")
        assert place == "/tmp"
        assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))
        assert "size=" in options


@pytest.mark.parametrize("name", SERVICES)
def test_it_sees_what_it_needs_and_no_more(name: str) -> None:
    assert mounts(SERVICES[name]) == MAY_SEE[name]
    assert hidden(SERVICES[name]) == HIDDEN.get(name, set())
    for volume in SERVICES[name]["volumes"]:
        if volume["type"] == "bind":
            assert volume["bind"] == {"create_host_path": False}, "Docker would make it root's"


@pytest.mark.parametrize("name", SERVICES)
def test_it_reaches_whom_it_needs_and_nobody_else(name: str) -> None:
    service = SERVICES[name]
    if name not in NETWORKS:
        assert service["network_mode"] == "none"
        assert not service.keys() & {"ports", "expose", "networks"}
        return
    assert service["networks"] == NETWORKS[name]
    assert "network_mode" not in service
    ports = service.get("ports", [])
    assert bool(ports) == (name in {"tv_api", "tv_mirror"})
    assert all(port.startswith("127.0.0.1:") for port in ports), "on this machine alone"


def test_an_installer_may_open_the_api_to_the_tvs_and_to_no_other_port() -> None:
    opened = load_services({"TV_API_BIND": "192.168.1.20"})
    ports = [port for service in opened.values() for port in service.get("ports", [])]
    assert "192.168.1.20:8000:8000" in ports
    assert all(port.startswith("127.0.0.1:") for port in ports if not port.endswith(":8000:8000"))


def test_the_api_cannot_call_out() -> None:
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    options = document["networks"]["web"]["driver_opts"]
    assert options == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


def test_services_come_back_by_themselves_and_stages_do_not() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")


def test_keys_reach_the_writer_alone() -> None:
    for name, service in SERVICES.items():
        text = repr(service).lower()
        has_key = any(word in text for word in ("secrets", "hmac", "/keys", "key_file", ".pem"))
        assert has_key == (name in KEY_HOLDERS), name
    assert not any(
        name in variables() for name in ("VV_HMAC_KEY", "VV_ALERT_URLS", "VV_HEAD_URLS")
    ), "docker inspect shows the environment"


def test_the_engine_is_reached_by_the_proxy_alone_and_by_the_updater_on_request() -> None:
    holders = {name for name, service in SERVICES.items() if "docker.sock" in repr(service)}
    assert holders == {"docker_proxy", "watchtower"}
    assert SERVICES["watchtower"]["profiles"] == ["updates"], "only when somebody asks for it"
    in_network = {
        name for name, service in SERVICES.items() if "engine" in service.get("networks", [])
    }
    assert in_network == {"docker_proxy", "self_monitor"}
    assert (
        SERVICES["self_monitor"]["networks"] == SERVICES["docker_proxy"]["networks"] == ["engine"]
    )
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert document["networks"]["engine"] == {"internal": True}
    assert SERVICES["self_monitor"]["environment"]["DOCKER_HOST"] == "tcp://docker_proxy:2375"


def test_nothing_is_replaced_from_a_registry_unless_somebody_asks_for_it() -> None:
    for name, service in SERVICES.items():
        assert service["labels"]["com.centurylinklabs.watchtower.enable"] == "false", name
        assert service["labels"]["com.centurylinklabs.watchtower.scope"] == "vv-video-ai", name
    asked = load_services({"WATCHTOWER_UPDATES": "true"})
    label = "com.centurylinklabs.watchtower.enable"
    assert {
        name for name, service in asked.items() if service["labels"][label] == "false"
    } == FOREIGN


@each_service
def test_it_tells_when_it_does_not_do_its_job(service: dict[str, Any]) -> None:
    health = service["healthcheck"]
    assert health.keys() == {"test", "interval", "timeout", "retries", "start_period"}
    assert health["test"][0] == "CMD", "no shell"
    if service.get("profiles") == ["stages"]:
        assert health["test"][1:4] == ["python", "-m", "vv_core.stage_health"]
        assert float(health["test"][4]) > 0


each_own_service = pytest.mark.parametrize(
    "service",
    [pytest.param(service, id=name) for name, service in SERVICES.items() if name not in FOREIGN],
)


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_an_image_of_others_has_a_tag_and_can_be_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"[a-z0-9./-]+:\d+(\.\d+)+", image)
    pinned = load_services({f"{name.upper()}_DIGEST": "@sha256:abc"})[name]["image"]
    assert pinned == f"{image}@sha256:abc"


@each_own_service
def test_its_image_is_ours_and_its_base_can_be_pinned(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"vv-video-ai/[a-z-]+:local", service["image"])
    assert service["pull_policy"] == "never", "nobody else's image of that name"
    build = BUILDS[service["image"]]
    assert build["context"] == "."
    assert (ROOT / build["dockerfile"]).is_file()
    if "NGINX_IMAGE" in build["args"]:
        assert re.match(r"nginx:1\.\d+", build["args"]["NGINX_IMAGE"]), (
            "a tag that says which nginx"
        )
        assert build["args"].keys() >= {"NGINX_DIGEST"}
        return
    assert build["args"].keys() >= {"PYTHON_IMAGE", "PYTHON_DIGEST"}
    tag = build["args"]["PYTHON_IMAGE"].partition(":")[2]
    assert re.match(r"3\.\d+", tag), "a tag that says which Python"
    assert build["additional_contexts"] == {"wheels": "requirements/wheels"}


def test_every_variable_has_one_default() -> None:
    text = COMPOSE.read_text("utf-8")
    assert text.count("${") == len(re.findall(r"\$\{[A-Z_]+:-[^}]*\}", text))
    assert {name: values for name, values in variables().items() if len(values) > 1} == {}


def test_the_defaults_of_settings_are_those_of_the_settings() -> None:
    defaults = {
        str(field.validation_alias): str(field.default) for field in Settings.model_fields.values()
    }
    for name, values in variables().items():
        if name in known_variables() and values != {""}:
            assert defaults[name].removesuffix(".0") == values.pop(), name


# Settings that no container reads: the orchestrator's own, and those of commands on the host.
_ON_THE_HOST = re.compile(
    "ORCHESTRATOR_|LOG_|RETENTION_|VV_RETENTION_|VV_MONITOR_(DIAGNOSIS|MODEL|PROPOSALS|MEMORY)|VV_HOME|VV_HMAC_KEY$|VV_ALERT_URLS|VV_CAMERA_SILENT|VV_(WITNESS|HEAD|MANIFEST)"
)


def test_every_setting_of_a_stage_reaches_a_container() -> None:
    given = {name for service in SERVICES.values() for name in service["environment"]}
    unknown = {name for name in given if name.startswith(OWN_PREFIXES)} - known_variables().keys()
    assert not unknown
    forgotten = {name for name in known_variables() if not _ON_THE_HOST.match(name)} - given
    assert not forgotten, "add them to the service that reads them, or to _ON_THE_HOST here"


def test_what_only_this_file_knows_is_explained() -> None:
    manual = (ROOT / "docs" / "containers.md").read_text("utf-8")
    own = variables().keys() - known_variables().keys()
    assert {name for name in own if f"`{name}`" not in manual} == set()
    assert not [name for name in own if name.startswith(OWN_PREFIXES)], ".env would be refused"


def test_nothing_starts_that_is_not_there_yet() -> None:
    for build in BUILDS.values():
        folder = ROOT / Path(build["dockerfile"]).parent
        # What is deployed beside the rooms has its program elsewhere: in the core, or in its base image.
        assert any(folder.glob("*.py")) or folder.parent.name == "deploy"
