"""Real videos of all kinds: what plays is left alone, the rest gets a version that plays, or a reason."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.vv_ingest.boxes import ClipBox
from tests.vv_ingest.conftest import GetVideo
from tests.vv_ingest.tracks import LIMITS
from tests.vv_ingest.videos import AS_IS, MADE, NOTHING, VIDEOS, names_of
from vv_core.media_record import find_clip
from vv_core.utils import compute_sha256
from vv_ingest.decision import Work, decide
from vv_ingest.ffmpeg_arguments import ChildLimits
from vv_ingest.tools import Tools

pytestmark = pytest.mark.integration


def ffprobe(path: Path) -> dict[str, Any]:
    """Ask ffprobe itself, not by way of the product."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    result = subprocess.run(command, capture_output=True, check=True, timeout=60)
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def decode_errors(path: Path) -> str:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr


@pytest.mark.parametrize("name", names_of(AS_IS))
def test_what_plays_is_left_alone(name: str, box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of(name), "gate/a.mp4")
    figures = box.turn()
    record = box.record(sha256)
    assert (record.state, record.reason) == (AS_IS, "")
    assert record.clip is not None
    assert (record.clip.sha256, record.clip.folder, record.clip.path) == (
        sha256,
        "processed",
        "gate/a.mp4",
    )
    assert (figures["as_is"], figures["to_do"]) == (1, 0)
    assert box.made() == []


@pytest.mark.parametrize("name", names_of(MADE))
def test_the_rest_gets_a_version_that_plays(name: str, box: ClipBox, video_of: GetVideo) -> None:
    source = video_of(name)
    sha256 = box.put(source, f"gate/{source.name}")
    box.turn()
    record, clip = box.record(sha256), box.record(sha256).clip
    assert record.state is MADE, record.reason
    assert clip is not None
    path = find_clip(box.storage, clip)
    assert box.made() == [path.name] == [f"{clip.sha256}.mp4"]
    assert compute_sha256(path) == clip.sha256
    assert VIDEOS[name].reason in record.reason
    assert VIDEOS[name].reason or not record.reason
    assert (clip.bytes, path.stat().st_mode & 0o777) == (path.stat().st_size, 0o644)
    assert (clip.width, clip.height) == VIDEOS[name].size
    found = ffprobe(path)
    video = next(each for each in found["streams"] if each["codec_type"] == "video")
    assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
    assert decode_errors(path) == ""
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert abs(float(found["format"]["duration"]) * 1000 - clip.duration_ms) <= 1


@pytest.mark.parametrize(
    "name", ["variable rate in WebM", "holes of four seconds", "holes in Matroska"]
)
def test_what_is_made_has_a_constant_rate(name: str, box: ClipBox, video_of: GetVideo) -> None:
    box.put(video_of(name), video_of(name).name)
    box.turn()
    (path,) = box.storage.tv_curado.iterdir()
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=dts", "-of", "csv=p=0", str(path)]
    result = subprocess.run(command, capture_output=True, check=True, timeout=60)
    times = [int(line) for line in result.stdout.split()]
    assert len({after - before for before, after in pairwise(times)}) == 1


@pytest.mark.parametrize("name", names_of(NOTHING))
def test_of_some_nothing_can_be_made(name: str, box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of(name), "gate/a.mp4")
    figures = box.turn()
    record = box.record(sha256)
    assert (record.state, record.clip) == (NOTHING, None)
    assert VIDEOS[name].reason in record.reason
    assert "0x" not in record.reason, "an address in memory says nothing, and changes"
    assert (figures["unplayable"], figures["to_do"], figures["waiting"]) == (1, 0, 0)
    assert box.made() == []


@pytest.mark.parametrize(
    "name", ["-i.mp4", "a b'c$(x).mp4", "concat:a|b.mp4", "%d.mp4", "ação 🎥.mp4", "\udcff.mp4"]
)
def test_a_name_is_only_a_name(name: str, box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("index behind"), name)
    box.turn()
    assert box.record(sha256).state is MADE
    sha256 = box.put(video_of("plays"), f"2{name}")
    box.turn()
    record = box.record(sha256)
    assert record.state is AS_IS
    assert record.clip is not None
    assert os.path.samefile(find_clip(box.storage, record.clip), box.storage.processed / f"2{name}")


def test_the_same_video_always_gives_the_same_bytes(
    box: ClipBox, tmp_path: Path, video_of: GetVideo
) -> None:
    other = ClipBox(tmp_path / "other").prepare()
    for each in (box, other):
        each.put(video_of("H.265"), "a.mp4")
        each.put(video_of("G.711 in Matroska"), "b.mkv")
        each.turn()
    assert box.made() == other.made()
    assert len(box.made()) == 2


def test_what_identifies_people_is_not_copied(
    box: ClipBox, tmp_path: Path, video_of: GetVideo
) -> None:
    tagged = tmp_path / "tagged.mkv"
    tags = ["-metadata", "title=Maria", "-metadata", "location=-23.5-46.6/"]
    command = ["ffmpeg", "-v", "error", "-i", str(video_of("plays")), "-c", "copy", *tags]
    subprocess.run([*command, str(tagged)], check=True, timeout=60)
    sha256 = box.put(tagged, "a.mkv")
    box.turn()
    clip = box.record(sha256).clip
    assert clip is not None
    assert ffprobe(find_clip(box.storage, clip))["format"]["tags"] == {
        "major_brand": "isom",
        "minor_version": "512",
        "compatible_brands": "isomiso2avc1mp41",
        "comment": f"vv:source={sha256}",
    }


def test_a_clip_that_was_made_is_judged_to_play(box: ClipBox, video_of: GetVideo) -> None:
    box.put(video_of("XviD"), "a.avi")
    box.turn()
    (path,) = box.storage.tv_curado.iterdir()
    probe = Tools(ChildLimits(2048, 1, 1080), 60).probe(path)
    assert decide(probe, LIMITS).work is Work.NOTHING
    assert probe.duration_s == pytest.approx(2, abs=0.5)
