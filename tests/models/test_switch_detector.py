"""Activation of detectors: exported, tried on a clip, switched to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.conftest import Install, registry_of, sha256_of
from vv_core.clock import SystemClock
from vv_core.errors import ConfigError, InputDataError, VvError
from vv_core.models.active import active_detector, read_active
from vv_core.models.digest import loaded_digest
from vv_core.models.fetch import export_detector
from vv_core.models.registry import Registry
from vv_core.models.store import Installed, list_installed, write_record
from vv_core.models.switch import EMBEDDED, Switched, activate
from vv_core.settings import Settings

SHARED = Path(__file__).resolve().parents[3] / "shared"


def turn_on(settings: Settings, registry: Registry, name: str) -> Switched:
    """Activate with the machine's clock."""
    return activate(settings, registry, name, SystemClock())


@pytest.mark.integration
def test_a_detector_is_tried_on_a_clip_and_used(settings: Settings, models: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    pytest.importorskip("ultralytics", reason="its photographs make the demo clip")
    weights = SHARED / "models" / "yolov8n_int8_openvino_model"
    if not weights.exists():
        pytest.skip("not here: shared/models/yolov8n_int8_openvino_model")
    record = put_detector(models, weights)
    switched = turn_on(settings, registry_of(), record.name)
    assert switched.test is not None
    assert switched.test.is_passed
    assert active_detector(settings) == models / "yolo" / "1" / weights.name
    (models / "yolo" / "1" / weights.name / "metadata.yaml").unlink()
    turn_on(settings, registry_of(), EMBEDDED)
    with pytest.raises(VvError):
        turn_on(settings, registry_of(), record.name)
    assert active_detector(settings) is None


UNTRAINED = """
import sys
from scan_video.ultralytics_runtime import load_ultralytics
load_ultralytics().YOLO("yolov8n.yaml").save(sys.argv[1])
"""


@pytest.mark.integration
def test_weights_are_exported_once_and_blind_ones_refused(
    settings: Settings, models: Path, install: Install, tmp_path: Path
) -> None:
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")
    path = tmp_path / "untrained.pt"
    subprocess.run([sys.executable, "-c", UNTRAINED, str(path)], check=True, timeout=300)
    install("untrained", path.read_bytes(), kind="detector", file="untrained.pt")
    with pytest.raises(InputDataError, match="nothing was seen"):
        turn_on(settings, registry_of(), "untrained")
    (record,) = list_installed(models)
    exported = models / "untrained" / "1" / (record.loads or "")
    assert record.loads_sha256 == loaded_digest(exported)
    assert export_detector(settings, record) == record, "it is not exported again"
    assert active_detector(settings) is None


def put_detector(models: Path, exported: Path) -> Installed:
    """Put weights on the box that were exported before."""
    folder = models / "yolo" / "1"
    folder.mkdir(parents=True)
    (folder / "yolo.pt").write_bytes(b"weights")
    shutil.copytree(exported, folder / exported.name)
    record = Installed(
        name="yolo",
        kind="detector",
        version="1",
        file="yolo.pt",
        sha256=sha256_of(b"weights"),
        size=7,
        origin="import",
        source="yolo.pt",
        installed="2026-11-20T12:00:00Z",
        loads=exported.name,
        loads_sha256=loaded_digest(folder / exported.name),
    )
    write_record(folder, record)
    return record


def test_an_export_that_changed_is_not_used_as_it_is(
    settings: Settings, models: Path, tmp_path: Path
) -> None:
    exported = tmp_path / "yolo_openvino_model"
    exported.mkdir()
    (exported / "y.xml").write_text("<net/>")
    (exported / "y.bin").write_bytes(b"one")
    record = put_detector(models, exported)
    (models / "yolo" / "1" / exported.name / "y.bin").write_bytes(b"two")
    # Exported anew from the weights, which are none here; without ultralytics not even that.
    with pytest.raises(ConfigError):
        turn_on(settings, registry_of(), record.name)
    assert read_active(models) == {}
