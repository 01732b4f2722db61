"""Whole cycles with real stage processes: what becomes of a video, by how a stage ends for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox, starts
from tests.support.fork_runner import ForkRunner
from vv_core.errors import UnavailableError
from vv_core.pipeline.quarantine import quarantined
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec
from vv_core.process import ChildResult

ALL = ["scan_video", "summarize_scene", "logline_generator"]


def test_a_video_becomes_a_logline_and_moves_away(
    make_box: MakeBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box(VV_SUMMARY_MODEL="")
    sha256 = box.add("portaria/2026-11-20_18-30-00.mp4")
    assert box.cycle() == 0
    assert capsys.readouterr().out == "cycle: 1 done\n"
    box.check_settled()
    assert [line[0] for line in box.log_lines()] == [sha256]
    assert box.names("processed") == ["portaria/2026-11-20_18-30-00.mp4"]
    (summary,) = box.folder("summaries").glob("*.summary.json")
    assert json.loads(summary.read_text())["engine"]["model"], "the shipped model wrote it"
    assert starts(box) == ALL
    with box.history() as history:
        assert [run.exit_code for run in history.stage_runs()] == [0, 0, 0]
        last = history.last_cycle()
        assert last is not None
        assert (last.found, last.done) == (1, 1)
    assert box.cycle() == 0
    assert capsys.readouterr().out == "cycle: no new video\n"
    assert starts(box) == []
    assert box.alerts() == []


def test_bad_data_is_quarantined_at_once_with_the_reason(box: Box) -> None:
    sha256 = box.add("cam/a.mp4", "bad")
    assert box.cycle() == 0
    box.check_settled()
    (entry,) = quarantined(box.settings.storage)
    assert entry.video == box.folder("corrupted") / "cam/a.mp4"
    meta = entry.content
    assert (meta["stage"], meta["exit_code"], meta["attempts"]) == ("scan_video", 65, 1)
    assert (meta["reason"], meta["advice"]) == ("told to be bad", "change the text")
    assert meta["sha256"] == sha256
    assert starts(box) == ["scan_video"]
    assert box.alerts() == []


def test_a_vanished_input_is_skipped(box: Box) -> None:
    box.add("a.mp4", "gone")
    for _ in range(5):
        assert box.cycle() == 0
        box.check()
    assert len(box.videos("input")) == 1
    with box.history() as history:
        assert history.waiting_retries() == 0


@pytest.mark.parametrize(("word", "code"), [("unavailable", 69), ("busy", 75)])
def test_a_passing_fault_is_tried_again_with_doubling_waits(box: Box, word: str, code: int) -> None:
    sha256 = box.add("a.mp4", word)
    for failures in range(1, 5):
        assert box.cycle() == 0
        assert starts(box) == ["scan_video"]
        with box.history() as history:
            attempts = history.attempts(sha256)
        assert (attempts.failures, attempts.crashes) == (failures, 0)
        wait = 60 * 2 ** (failures - 1)
        box.wait(wait - 5)
        assert box.cycle() == 0
        assert starts(box) == []
        box.wait(5)
    assert len(box.videos("input")) == 1
    # From the third failure on somebody is told, once.
    subject = "scan_video" if code == 69 else "a.mp4"
    assert box.alerts() == [("stage_retry", subject)]
    box.check()


def test_a_fault_that_passes_leaves_no_trace(box: Box) -> None:
    class OnceAway(ForkRunner):
        is_away = True

        def run(
            self,
            spec: StageSpec,
            batch_list: Path,
            *,
            timeout_s: float,
            is_stalled: Callable[[], bool],
        ) -> StageEnd:
            if self.is_away:
                return StageEnd(ChildResult(1, False, 0.1, ("no such module",)))
            return super().run(spec, batch_list, timeout_s=timeout_s, is_stalled=is_stalled)

    box.runner = runner = OnceAway()
    box.add("a.mp4")
    box.add("b.mp4")
    assert box.cycle() == 0
    with box.history() as history:
        assert history.waiting_retries() == 2
        assert {run.exit_code for run in history.stage_runs()} == {69}
    runner.is_away = False
    box.wait(60)
    assert box.cycle() == 0
    box.check_settled()
    with box.history() as history:
        assert history.waiting_retries() == 0


@pytest.mark.parametrize("is_raised", [True, False], ids=["raised", "found out afterwards"])
def test_a_fault_of_the_box_stops_the_cycle_alerts_and_touches_no_video(
    make_box: MakeBox, capsys: pytest.CaptureFixture[str], is_raised: bool
) -> None:
    fault = UnavailableError("the engine is away", advice="start it")

    class AwayForTheSummarizer(ForkRunner):
        is_away = True
        recovered = 0

        def recover(self) -> None:
            self.recovered += 1

        def run(
            self,
            spec: StageSpec,
            batch_list: Path,
            *,
            timeout_s: float,
            is_stalled: Callable[[], bool],
        ) -> StageEnd:
            if self.is_away and spec.name == "summarize_scene":
                self.starts.append(spec.name)
                if is_raised:
                    raise fault
                return StageEnd(ChildResult(1, False, 0.1, ("EOF",)), fault=fault)
            return super().run(spec, batch_list, timeout_s=timeout_s, is_stalled=is_stalled)

    box = make_box(ORCHESTRATOR_BATCH_SIZE=2)
    box.runner = runner = AwayForTheSummarizer()
    hashes = [box.add(f"{name}.mp4") for name in "abcd"]
    assert box.cycle() == 69
    # The second batch does not even begin.
    assert starts(box) == ["scan_video", "summarize_scene"]
    said = capsys.readouterr().out
    assert said.endswith("stopped: summarize_scene: the engine is away\n  → start it\n")
    assert box.alerts() == [("stage_stop", "summarize_scene")]
    with box.history() as history:
        assert [history.attempts(sha256).failures for sha256 in hashes] == [0] * 4
    box.check()
    runner.is_away = False
    assert box.cycle() == 0
    assert runner.recovered == 1, "the container may be there yet"
    assert starts(box) == [*ALL[1:], *ALL]
    box.check_settled()


def test_a_clock_set_back_does_not_stop_the_box(box: Box) -> None:
    box.add("a.mp4", "busy")
    box.cycle()
    starts(box)
    box.wait(-30 * 86400)
    box.add("b.mp4")
    assert box.cycle() == 0
    assert starts(box) == ALL
    assert box.names("processed") == ["b.mp4"]


def test_the_alert_is_told_again_after_hours(box: Box) -> None:
    box.add("a.mp4", "busy")
    for _ in range(8):
        box.cycle()
        box.wait(4 * 3600)
    told = [alert for alert in box.alerts() if alert[0] == "stage_retry"]
    assert 2 <= len(told) <= 4


@pytest.mark.parametrize("word", ["crash", "fault", "lie"])
def test_the_third_crash_quarantines_and_alerts(box: Box, word: str) -> None:
    box.add("a.mp4", word)
    box.add("b.mp4")
    for crashes in range(1, 3):
        assert box.cycle() == 0
        box.check()
        assert box.names("input") == ["a.mp4"]
        assert box.alerts() == []
        box.wait(60 * 2**crashes)
    assert box.cycle() == 0
    box.check_settled()
    (entry,) = quarantined(box.settings.storage)
    assert entry.content["attempts"] == 3
    assert entry.content["exit_code"] == {"crash": 137, "fault": 70, "lie": 70}[word]
    assert box.alerts() == [("stage_quarantine", "a.mp4")]


def test_a_lie_is_named_as_such(box: Box) -> None:
    box.add("a.mp4", "lie")
    box.cycle()
    with box.history() as history:
        (run,) = history.stage_runs()
    assert run.message.startswith("scan_video reported success, but ")
    assert "No such file" in run.message


def test_a_hang_is_ended_and_counts_as_a_crash(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_SCAN_TIMEOUT=1, ORCHESTRATOR_MAX_CRASHES=2)
    # Two seconds and a half for a start on a busy machine.
    box.clock.speed = 25
    box.add("a.mp4", "hang")
    box.add("b.mp4")
    for _ in range(2):
        assert box.cycle() == 0
        box.wait(3600)
    box.check_settled()
    assert box.names("processed") == ["b.mp4"]
    (entry,) = quarantined(box.settings.storage)
    assert entry.content["timed_out"] is True
    assert "took too long" in entry.content["reason"]


def test_wrong_settings_stop_the_cycle_and_touch_no_video(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp4", "c.mp4"):
        box.add(name)
    box.add("b.mp4", "config")
    before = {name: (box.input / name).stat().st_ino for name in box.names("input")}
    for _ in range(2):
        assert box.cycle() == 78
        assert {n: (box.input / n).stat().st_ino for n in box.names("input")} == before
        with box.history() as history:
            assert history.waiting_retries() == 0
            last = history.last_cycle()
            assert last is not None
            assert last.stopped_by == "scan_video: told to be config"
    assert "stopped: scan_video: told to be config" in capsys.readouterr().out
    assert box.alerts() == [("stage_stop", "scan_video")]
    assert starts(box) == ["scan_video", "scan_video"]
    box.check()
    (box.input / "b.mp4").unlink()
    box.contents = set(box.videos("input"))
    assert box.cycle() == 0
    box.check_settled()


def test_a_key_problem_stops_signing_and_touches_no_video(box: Box) -> None:
    for name in ("a.mp4", "b.mp4"):
        box.add(name)
    store = box.key_store
    store.chmod(0o644)
    assert box.cycle() == 77
    assert box.names("input") == ["a.mp4", "b.mp4"]
    assert box.names("loglines") == []
    assert box.alerts() == [("coverage_not_logged", "log"), ("stage_stop", "logline_generator")]
    with box.history() as history:
        assert history.waiting_retries() == 0
    store.chmod(0o600)
    starts(box)
    assert box.cycle() == 0
    # What was done before is kept.
    assert starts(box) == ["logline_generator"]
    box.check_settled()


@pytest.mark.parametrize("change", ["text", "blank", "cut"])
def test_a_logline_that_was_changed_is_never_replaced(box: Box, change: str) -> None:
    box.add("a.mp4")
    box.cycle()
    (path,) = box.folder("loglines").glob("*.json")
    good = path.read_bytes()
    changed = {
        "text": good.replace(b'"language":"', b'"language":"x', 1),
        "blank": good[:-1] + b" \n",
        "cut": good[:50],
    }[change]
    assert changed != good
    path.write_bytes(changed)
    box.log_path.unlink()
    (box.folder("processed") / "a.mp4").rename(box.input / "a.mp4")
    box.cycle()
    assert path.read_bytes() == changed
