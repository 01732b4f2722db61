"""The work that goes on: what is done once, what is tried again and when, and what changes afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.vv_ingest.boxes import NOW, ClipBox
from tests.vv_ingest.broken_tools import CRASHED, KILLED, REFUSES, replace_tool
from tests.vv_ingest.conftest import GetVideo
from vv_core.errors import InputMissingError, TemporaryError, UnavailableError
from vv_core.media_record import (
    MediaRecord,
    MediaState,
    find_clip,
    record_path,
    write_media_record,
)
from vv_core.paths import Storage
from vv_ingest import converter
from vv_ingest.clips import WORK_PREFIX
from vv_ingest.converter import LOOK_AGAIN_S, hold_lock
from vv_ingest.waiting import MOST_FAULTS

pytestmark = pytest.mark.integration
AS_IS, MADE = MediaState.AS_IS, MediaState.STANDARDISED
MISSING, UNPLAYABLE = MediaState.MISSING, MediaState.UNPLAYABLE


@pytest.fixture
def small_disk(box: ClipBox) -> Iterator[Path]:
    """Yield ``tv_curado/`` on a file system of its own, of one MiB."""
    folder = box.storage.tv_curado
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "vv-test", str(folder)]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip(f"mounting is not permitted: {result.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"\0" * 4096)
        except OSError:
            pass
    return path


def written(box: ClipBox, sha256: str) -> tuple[int, int]:
    """Return what changes when a record is written again."""
    status = record_path(box.storage, sha256).stat()
    return status.st_ino, status.st_mtime_ns


def test_all_is_done_once(box: ClipBox, video_of: GetVideo) -> None:
    plays = box.put(video_of("plays"), "a.mp4")
    late = box.put(video_of("index behind"), "b.mp4")
    empty = box.put(video_of("empty"), "c.mp4")
    job = box.start()
    figures = job(lambda: False)
    assert figures == {
        "as_is": 1,
        "standardised": 1,
        "unplayable": 1,
        "missing": 0,
        "waiting": 0,
        "to_do": 0,
    }
    before = {sha: written(box, sha) for sha in (plays, late, empty)}
    box.clock.move(LOOK_AGAIN_S)
    assert job(lambda: False) == figures
    assert box.turn() == figures, "nor after a restart"
    assert {sha: written(box, sha) for sha in before} == before


def test_the_newest_goes_first_also_when_it_comes_meanwhile(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def note(storage: Storage, record: MediaRecord) -> None:
        write_media_record(storage, record)
        order.append(record.source_sha256)
        if len(order) == 1:
            box.log("d4" * 32, "d.mp4", NOW + timedelta(minutes=1))

    monkeypatch.setattr(converter, "write_media_record", note)
    box.log("a1" * 32, "a.mp4", NOW - timedelta(hours=2))
    box.log("b2" * 32, "b.mp4", NOW)
    box.log("c3" * 32, "c.mp4", NOW - timedelta(hours=1))
    box.turn()
    assert [each[:2] for each in order] == ["b2", "d4", "c3", "a1"]


def test_a_video_that_is_missing_is_looked_at_again(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("plays"), "gate/a.mp4")
    path = box.storage.processed / "gate/a.mp4"
    path.rename(box.home / "away.mp4")
    job = box.start()
    assert job(lambda: False)["missing"] == 1
    assert box.record(sha256).state is MISSING
    (box.home / "away.mp4").rename(path)
    box.clock.move(LOOK_AGAIN_S)
    assert job(lambda: False)["as_is"] == 1
    assert box.record(sha256).state is AS_IS


def test_another_video_of_its_name_is_not_shown(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("plays"), "a.mp4")
    path = box.storage.processed / "a.mp4"
    path.write_bytes(path.read_bytes() + b"\0")
    job = box.start()
    job(lambda: False)
    record = box.record(sha256)
    assert (record.state, record.clip) == (MISSING, None)
    assert "not the video that was logged" in record.reason
    before = written(box, sha256)
    box.clock.move(LOOK_AGAIN_S)
    job(lambda: False)
    assert written(box, sha256) == before, "not hashed again every minute"
    path.write_bytes(video_of("plays").read_bytes())
    box.clock.move(LOOK_AGAIN_S)
    job(lambda: False)
    assert box.record(sha256).state is AS_IS


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_is_not_opened(box: ClipBox, video_of: GetVideo, kind: str) -> None:
    sha256 = box.put(video_of("plays"), "a.mp4")
    path = box.storage.processed / "a.mp4"
    path.rename(box.home / "elsewhere.mp4")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(box.home / "elsewhere.mp4")
    else:
        os.mkfifo(path)
    box.turn()
    assert box.record(sha256).state is MISSING


def test_a_clip_that_went_away_is_made_again(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("index behind"), "a.mp4")
    job = box.start()
    job(lambda: False)
    made = box.made()
    (box.storage.tv_curado / made[0]).unlink()
    box.clock.move(LOOK_AGAIN_S)
    job(lambda: False)
    assert box.made() == made
    record_path(box.storage, sha256).unlink()
    box.clock.move(LOOK_AGAIN_S)
    job(lambda: False)
    assert box.record(sha256).state is MADE


def test_a_record_of_no_use_is_made_anew(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("plays"), "a.mp4")
    record_path(box.storage, sha256).write_text("{")
    box.turn()
    assert box.record(sha256).state is AS_IS


def test_a_video_that_moved_gets_a_new_record(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("plays"), "a.mp4")
    box.turn()
    box.put(video_of("plays"), "gate/b.mp4")
    (box.storage.processed / "a.mp4").unlink()
    box.turn()
    clip = box.record(sha256).clip
    assert clip is not None
    assert clip.path == "gate/b.mp4"


def test_a_full_disk_is_told_and_tried_again(
    box: ClipBox, video_of: GetVideo, small_disk: Path
) -> None:
    sha256 = box.put(video_of("H.265"), "a.mp4")
    plays = box.put(video_of("plays"), "b.mp4", NOW - timedelta(hours=1))
    filler = fill(small_disk)
    job = box.start()
    for _ in range(2):
        with pytest.raises(TemporaryError, match="space"):
            job(lambda: False)
        assert not record_path(box.storage, sha256).exists()
    assert box.record(plays).state is AS_IS, "what needs no room goes on"
    assert box.made() == ["filler"]
    filler.unlink()
    again = box.start()
    with pytest.raises(TemporaryError, match="space"):
        again(lambda: False)
    box.clock.move(61)
    # A MiB is less than is asked for after a failure, and enough for the clip.
    assert again(lambda: False)["standardised"] == 1
    assert box.record(sha256).state is MADE


@pytest.mark.parametrize("script", [KILLED, CRASHED], ids=["killed", "crashed"])
def test_a_video_that_breaks_ffmpeg_is_given_up_in_the_end(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    sha256 = box.put(video_of("plays"), "a.mp4")
    replace_tool(monkeypatch, box.home / "bin", script)
    for count in range(1, MOST_FAULTS):
        assert box.turn()["waiting"] == 1
        assert box.turn()["to_do"] == 1, "not before its time"
        assert not record_path(box.storage, sha256).exists(), count
        box.clock.move(3600)
    assert box.turn()["unplayable"] == 1
    record = box.record(sha256)
    assert record.state is UNPLAYABLE
    assert "given up after 3 tries: ffmpeg was killed by signal" in record.reason
    assert box.turn()["waiting"] == 0
    assert box.made() == []


def test_a_video_that_ffmpeg_refuses_is_given_up_at_once(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = box.put(video_of("index behind"), "a.mp4")
    replace_tool(monkeypatch, box.home / "bin", REFUSES)
    assert box.turn()["unplayable"] == 1
    assert box.record(sha256).reason == "cannot do that"


def test_without_ffmpeg_no_video_is_blamed(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = box.put(video_of("plays"), "a.mp4")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match=r"ffmpeg.*nice"):
        box.turn()
    assert not record_path(box.storage, sha256).exists()


def test_it_leaves_off_when_asked_and_goes_on_later(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("H.265"), "a.mp4")
    asked = iter([False, False, True])
    job = box.start(lambda: next(asked, True))
    figures = job(lambda: next(asked, True))
    assert figures["to_do"] == 1
    assert figures["waiting"] == 0, "that was no failure"
    assert box.made() == []
    box.turn()
    assert box.record(sha256).state is MADE


def test_what_killed_runs_left_goes_and_nothing_else(box: ClipBox) -> None:
    folder = box.storage.tv_curado
    (folder / f"{WORK_PREFIX}1234.mp4").write_text("half")
    (folder / ".vv-tmp-of-another.mp4").write_text("half")
    (folder / "advert.mp4").write_text("whole")
    box.turn()
    assert box.made() == [".vv-tmp-of-another.mp4", "advert.mp4"]


def test_records_that_nothing_needs_go(box: ClipBox, video_of: GetVideo) -> None:
    kept = box.put(video_of("plays"), "a.mp4")
    gone = box.put(video_of("plays with sound"), "b.mp4")
    bad = box.put(video_of("empty"), "c.mp4")
    box.turn()
    (box.storage.processed / "b.mp4").unlink()
    (box.storage.media / "note.json").write_text("{}")
    box.clock.move(8 * 86400)
    box.turn()
    assert record_path(box.storage, kept).exists(), "its video can still be asked for"
    assert not record_path(box.storage, gone).exists()
    assert not record_path(box.storage, bad).exists()
    assert (box.storage.media / "note.json").exists()


def test_a_box_that_is_not_prepared_is_told(box: ClipBox) -> None:
    box.storage.media.rmdir()
    with pytest.raises(InputMissingError, match="media"):
        box.turn()
    with pytest.raises(InputMissingError, match="lock"), hold_lock(box.storage):
        pass


def test_there_is_one_at_a_time(box: ClipBox) -> None:
    with (
        hold_lock(box.storage),
        pytest.raises(TemporaryError, match="another clip_converter"),
        hold_lock(box.storage),
    ):
        pass
    with hold_lock(box.storage):
        pass


def test_a_clip_has_the_name_of_its_content(box: ClipBox, video_of: GetVideo) -> None:
    sha256 = box.put(video_of("index behind"), "a.mp4")
    box.turn()
    clip = box.record(sha256).clip
    assert clip is not None
    assert find_clip(box.storage, clip).name == f"{clip.sha256}.mp4"
