"""The scanner on real footage: what it must find, and what it must never leave behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scan_video.scan_video import main
from scan_video.scanner import ScanStage
from tests.scan_video.scans import label_of, scan
from tests.support.clips import X264
from vv_core.errors import ConfigError, ExitCode, InputDataError, TemporaryError
from vv_core.settings import Settings
from vv_core.stage import StageItem

pytestmark = pytest.mark.integration

MakeSettings = Callable[..., Settings]


def test_bottles_on_a_belt(bottles: Path, weights: Path, make_settings: MakeSettings) -> None:
    document = scan(make_settings(yolo_model=weights, faces_enabled=False), bottles)
    bottle = label_of(document, "bottle")
    assert document["sampling"]["frames"] == 40
    assert (bottle["frames"], bottle["confident_frames"], bottle["peak"]) == (40, 40, 3)
    assert document["detector"]["backend"] == "openvino"
    assert document["detector"]["embedded_default"] is False
    assert document["source_hash"] == hashlib.sha256(bottles.read_bytes()).hexdigest()
    assert document["source"]["duration_s"] == pytest.approx(39.85, abs=0.05)
    assert (document["source"]["width"], document["source"]["height"]) == (640, 360)
    assert document["tracking"]["method"] == "none"
    assert bottle["different"] is None


def test_a_clip_of_the_bus(
    bus: Path, weights: Path, still_clip: Callable[..., Path], make_settings: MakeSettings
) -> None:
    document = scan(make_settings(yolo_model=weights), still_clip(bus))
    assert label_of(document, "bus")["peak"] == 1
    assert label_of(document, "person")["peak"] in {3, 4}
    kinds = {(picture["kind"], picture["label"]) for picture in document["pictures"]}
    assert {("best", "bus"), ("best", "person"), ("contact_sheet", None)} <= kinds
    for picture in document["pictures"]:
        data = (make_settings().home / "analytic" / picture["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == picture["sha256"]


def test_things_are_followed_where_pictures_are_close(
    bottles: Path, weights: Path, make_settings: MakeSettings
) -> None:
    pytest.importorskip("trackers", reason="the library trackers is not installed")
    settings = make_settings(yolo_model=weights, scan_interval_seconds=0.4, faces_enabled=False)
    document = scan(settings, bottles)
    bottle = label_of(document, "bottle")
    tracks = [track for track in document["tracks"] if track["label"] == "bottle"]
    assert document["tracking"]["method"] == "bytetrack"
    assert bottle["different"] >= bottle["peak"] == 3
    assert bottle["different"] == len(tracks)
    assert sum(track["frames"] for track in tracks) <= len(document["detections"])


def test_the_embedded_default_says_so(
    clip: Callable[..., Path], make_settings: MakeSettings, tmp_path: Path
) -> None:
    output = tmp_path / "out.analytic.json"
    assert main([str(clip("plain.mp4", *X264)), str(output)]) == ExitCode.OK
    document = json.loads(output.read_bytes())
    assert document["detector"]["embedded_default"] is True
    assert document["detector"]["weights_hash"] is None
    assert {entry["type"] for entry in document["labels"]} == {"motion"}
    assert "embedded default" in (tmp_path / "logs" / "app.log").read_text("utf-8")


def test_camera_and_start_come_from_the_path(
    clip: Callable[..., Path], make_settings: MakeSettings
) -> None:
    video = clip("plain.mp4", *X264)
    source = scan(make_settings(), video, "portão/dia 1/20261121_020304.mp4")["source"]
    assert (source["camera"], source["file"]) == ("portão", "portão/dia 1/20261121_020304.mp4")
    assert (source["start"], source["start_origin"]) == ("2026-11-21T05:03:04Z", "name")


def test_the_start_may_stand_in_the_container(
    clip: Callable[..., Path], make_settings: MakeSettings
) -> None:
    options = (*X264, "-metadata", "creation_time=2026-11-21T04:00:00Z")
    source = scan(make_settings(), clip("created.mp4", *options))["source"]
    assert (source["start"], source["start_origin"]) == ("2026-11-21T04:00:00Z", "container")


class TestKeeping:
    """An analytic that is still true is kept."""

    @pytest.fixture
    def item(self, clip: Callable[..., Path], tmp_path: Path) -> StageItem:
        video = tmp_path / "a.mp4"
        shutil.copy(clip("plain.mp4", *X264), video)
        return StageItem(video, tmp_path / "a.analytic.json")

    @pytest.fixture
    def stage(self, make_settings: MakeSettings) -> ScanStage:
        return ScanStage(make_settings())

    def test_the_same_video_is_not_scanned_again(self, item: StageItem, stage: ScanStage) -> None:
        assert not stage.is_current(item)
        stage.process(item, lambda _done: None)
        assert stage.is_current(item)

    def test_other_content_is(self, item: StageItem, stage: ScanStage) -> None:
        stage.process(item, lambda _done: None)
        with item.input.open("ab") as stream:
            stream.write(b"\0\0\0\x08free")
        assert not stage.is_current(item)

    def test_so_is_one_without_its_pictures(self, item: StageItem, stage: ScanStage) -> None:
        stage.process(item, lambda _done: None)
        (item.output.parent / "a.pictures" / "contact-sheet.jpg").unlink()
        assert not stage.is_current(item)

    def test_so_is_a_broken_analytic(self, item: StageItem, stage: ScanStage) -> None:
        item.output.write_text('{"schema": "vv.analytic/1"}')
        assert not stage.is_current(item)

    def test_progress_goes_from_nothing_to_all(self, item: StageItem, stage: ScanStage) -> None:
        steps: list[float] = []
        stage.process(item, steps.append)
        assert steps == sorted(steps)
        assert steps[-1] == 1.0

    def test_a_file_that_grows_while_it_is_read(self, item: StageItem, stage: ScanStage) -> None:
        def grow(_done: float) -> None:
            with item.input.open("ab") as stream:
                stream.write(b"more")

        with pytest.raises(TemporaryError, match="changed while"):
            stage.process(item, grow)
        assert not item.output.exists()

    def test_a_batch_goes_on_behind_a_bad_video(self, item: StageItem, stage: ScanStage) -> None:
        bad = item.input.with_name("b.mp4")
        bad.write_bytes(b"bad")
        with pytest.raises(InputDataError):
            stage.process(StageItem(bad, item.output), lambda _done: None)
        stage.process(item, lambda _done: None)
        assert stage.is_current(item)


def test_weights_that_are_missing_are_a_fault_of_the_set_up(
    clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ["VV_YOLO_MODEL"] = str(tmp_path / "none.onnx")
    video = clip("plain.mp4", *X264)
    assert main([str(video), str(tmp_path / "o.json")]) == ExitCode.CONFIG
    assert "none.onnx" in capsys.readouterr().err


def test_a_set_up_that_failed_is_tried_again_with_the_next_video(
    clip: Callable[..., Path], tmp_path: Path, make_settings: MakeSettings, weights: Path
) -> None:
    stage = ScanStage(make_settings(yolo_model=tmp_path / "m_openvino_model"))
    item = StageItem(clip("plain.mp4", *X264), tmp_path / "a.analytic.json")
    with pytest.raises(ConfigError):
        stage.process(item, lambda _done: None)
    shutil.copytree(weights, tmp_path / "m_openvino_model")
    stage.process(item, lambda _done: None)
    assert stage.is_current(item)


def test_a_full_disk_leaves_nothing_half_written(
    clip: Callable[..., Path], make_settings: MakeSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)],
        check=False,
        timeout=30,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        item = StageItem(clip("plain.mp4", *X264), folder / "a.analytic.json")
        with pytest.raises(TemporaryError) as caught:
            ScanStage(make_settings()).process(item, lambda _done: None)
        assert "disk space" in caught.value.advice
        assert not item.output.exists()
        assert not list(folder.rglob(".vv-tmp-*"))
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=30)


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, timeout=240
    )


def test_the_fast_path_imports_nothing_slow(bottles: Path, weights: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from scan_video.scan_video import main; "
        "code = main(sys.argv[1:]); "
        "slow = {'torch', 'ultralytics', 'supervision', 'trackers', 'face_recognition', "
        "'matplotlib', 'scipy', 'onnxruntime', 'pandas'}; "
        "print(code, sorted(slow & set(sys.modules)))"
    )
    os.environ["VV_YOLO_MODEL"] = str(weights)
    result = run_python("-c", program, str(bottles), str(tmp_path / "o.analytic.json"))
    assert result.stdout.strip() == "0 []"
