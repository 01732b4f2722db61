"""Many videos in one cycle: batches, workers, and what is kept from an earlier one."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.pipeline.box import Box, MakeBox, starts

ALL = ["scan_video", "summarize_scene", "logline_generator"]


def add_many(box: Box, words: Sequence[str]) -> None:
    for number, word in enumerate(words):
        box.add(f"{number:02}.mp4", word)


def test_one_crash_in_the_middle_costs_one_start_more(box: Box) -> None:
    add_many(box, ["ok", "ok", "crash", "ok", "ok"])
    assert box.cycle() == 0
    assert starts(box) == ["scan_video", *ALL]
    assert box.names("input") == ["02.mp4"]
    box.check()


def test_each_ends_its_own_way(box: Box) -> None:
    add_many(box, ["bad", "ok", "gone", "busy", "ok", "fault", "crash", "ok", "lie"])
    assert box.cycle() == 0
    assert box.names("processed") == ["01.mp4", "04.mp4", "07.mp4"]
    assert box.names("input") == ["02.mp4", "03.mp4", "05.mp4", "06.mp4", "08.mp4"]
    assert [name for name in box.names("corrupted") if name.endswith(".mp4")] == ["00.mp4"]
    box.check()
    with box.history() as history:
        assert history.waiting_retries() == 4


def test_what_no_stage_can_do_for_anybody_quarantines_nobody(box: Box) -> None:
    add_many(box, ["crash", "crash", "crash"])
    for _ in range(6):
        assert box.cycle() == 0
        box.wait(6 * 3600)
    assert len(box.names("input")) == 3
    assert box.alerts()[0] == ("stage_retry", "scan_video")
    box.check()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 20])
def test_batches_and_workers(make_box: MakeBox, workers: int, batch_size: int) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=workers, ORCHESTRATOR_BATCH_SIZE=batch_size)
    add_many(box, ["ok", "bad", "ok", "ok", "busy", "ok", "ok"])
    assert box.cycle() == 0
    assert len(box.videos("processed")) == 5
    box.check()
    if batch_size == 20:
        assert starts(box) == ALL
    (box.input / "04.mp4").write_text("ok\nnow")
    box.contents = {sha for name in ("input", "processed", "corrupted") for sha in box.videos(name)}
    assert box.cycle() == 0
    box.check_settled()


def test_a_stop_in_one_batch_stops_all(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=1, ORCHESTRATOR_BATCH_SIZE=1)
    add_many(box, ["ok", "config", "ok", "ok"])
    assert box.cycle() == 78
    assert box.names("processed") == ["00.mp4"]
    assert starts(box) == [*ALL, "scan_video"]
    box.check()


def test_a_stage_that_was_done_is_not_done_again(box: Box) -> None:
    add_many(box, ["ok", "ok"])
    box.cycle()
    for name in box.names("processed"):
        (box.folder("processed") / name).rename(box.input / name)
    before = {path: path.read_bytes() for path in box.folder("loglines").glob("*.logline.*")}
    box.log_path.unlink()
    starts(box)
    assert box.cycle() == 0
    assert starts(box) == []
    box.check_settled()
    assert {
        path: path.read_bytes() for path in box.folder("loglines").glob("*.logline.*")
    } == before


def undo(box: Box) -> None:
    """Put the videos back, as if their last stages had not run."""
    for name in box.names("processed"):
        (box.folder("processed") / name).rename(box.input / name)
    box.log_path.unlink()
    for path in box.folder("loglines").glob("*.logline.*"):
        path.unlink()
    starts(box)


def test_an_output_that_breaks_its_schema_is_made_again(box: Box) -> None:
    box.add("a.mp4")
    box.cycle()
    undo(box)
    summary = box.folder("summaries") / "a.summary.json"
    summary.write_text(json.dumps({**json.loads(summary.read_text()), "extra": 1}))
    assert box.cycle() == 0
    assert starts(box) == ["summarize_scene", "logline_generator"]
    box.check_settled()
    assert "extra" not in json.loads(summary.read_text())


def test_an_output_that_cannot_be_read_is_left_and_made_beside_it(box: Box) -> None:
    sha256 = box.add("a.mp4")
    box.cycle()
    undo(box)
    summary = box.folder("summaries") / "a.summary.json"
    summary.write_text("{")
    assert box.cycle() == 0
    assert starts(box) == ALL
    box.check_settled()
    assert summary.read_text() == "{"
    assert json.loads(box.log_lines()[0][2]) == f"a-{sha256[:8]}"
