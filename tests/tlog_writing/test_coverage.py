"""What the log says about times in which the box was blind, as a plain decision and through a real cycle."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logline_generator import log_events
from tests.tlog_writing.logs import START, LogBox
from vv_core.errors import ExitCode
from vv_core.pipeline.coverage_log import (
    camera_of,
    coverage_of,
    coverage_to_json,
    event_of,
    event_to_json,
)
from vv_core.tlog.coverage import Camera, Coverage, Limits, Look, plan_coverage
from vv_core.tlog.events import Event, EventKind

LIMITS = Limits.of(60, 300.0)
HASH = "a1" * 32


def look(minutes: float, **changes: object) -> Look:
    """Return a look some minutes after the start; the monotonic clock goes with it."""
    fields: dict[str, object] = {
        "boot_id": "b1",
        "wall": START + timedelta(minutes=minutes),
        "monotonic_s": 60.0 * minutes,
        "version": "1",
        "manifest_sha256": HASH,
    }
    return Look(**{**fields, **changes})  # type: ignore[arg-type]


def kinds(coverage: Coverage) -> list[str]:
    return [event.kind.value for event in coverage.pending]


def settled(coverage: Coverage) -> Coverage:
    """Return the state once its events are in the log."""
    return Coverage(**{**vars(coverage), "pending": ()})


def first(**changes: object) -> Coverage:
    return settled(plan_coverage(None, look(0, **changes), LIMITS))


def test_the_first_look_is_a_start() -> None:
    (event,) = plan_coverage(None, look(0), LIMITS).pending
    assert event == Event(EventKind.START, {"version": "1", "manifest_sha256": HASH}, START)


def test_a_quiet_cycle_says_nothing() -> None:
    assert kinds(plan_coverage(first(), look(5), LIMITS)) == []


@pytest.mark.parametrize(
    "changes",
    [{"version": "2"}, {"manifest_sha256": None}, {"boot_id": "b2"}, {"is_start": True}],
)
def test_another_program_boot_or_service_is_a_start(changes: dict[str, object]) -> None:
    assert kinds(plan_coverage(first(), look(5, **changes), LIMITS)) == ["start"]


def test_a_box_that_was_off() -> None:
    after = plan_coverage(first(), look(600, boot_id="b2", monotonic_s=10.0), LIMITS)
    off, start = after.pending
    assert off.kind is EventKind.BOX_OFF
    assert off.details == {"from": "2026-11-21T12:00:00Z", "to": "2026-11-21T22:00:00Z"}
    assert start.kind is EventKind.START


def test_an_orchestrator_that_did_not_run() -> None:
    assert kinds(plan_coverage(first(), look(16), LIMITS)) == ["box_off"]
    assert kinds(plan_coverage(first(), look(16), Limits.of(60, 600.0))) == []


@pytest.mark.parametrize("minutes", [-90, 90, 1])
def test_a_clock_that_was_set(minutes: int) -> None:
    wall = START + timedelta(minutes=5 + minutes)
    after = plan_coverage(first(), look(5, wall=wall), LIMITS)
    (event,) = after.pending
    assert event.kind is EventKind.CLOCK_STEP
    assert event.details["from"] == "2026-11-21T12:05:00Z"
    assert after.wall == wall


def test_a_clock_that_drifts_is_no_step() -> None:
    after = plan_coverage(first(), look(5, wall=START + timedelta(minutes=5, seconds=20)), LIMITS)
    assert kinds(after) == []


def test_a_camera_goes_silent_once_and_comes_back_once() -> None:
    state = first(delivered={"gate": START})
    said = []
    for minutes in range(5, 200, 5):
        delivered = {"gate": START + timedelta(minutes=minutes)} if minutes in {100, 105} else {}
        state = plan_coverage(state, look(minutes, delivered=delivered), LIMITS)
        said += [(minutes, event.kind.value, event.details["since"]) for event in state.pending]
        state = settled(state)
    assert said == [
        (60, "camera_silent", "2026-11-21T12:00:00Z"),
        (100, "camera_back", "2026-11-21T12:00:00Z"),
        (165, "camera_silent", "2026-11-21T13:45:00Z"),
    ]


def test_a_video_that_waits_is_no_sign_of_its_camera() -> None:
    state = first(delivered={"gate": START})
    state = plan_coverage(state, look(10, delivered={"gate": START}), LIMITS)
    assert kinds(plan_coverage(state, look(20, delivered={"gate": START}), LIMITS)) == []
    state = first(delivered={"gate": START})
    for minutes in range(5, 65, 5):
        state = plan_coverage(state, look(minutes, delivered={"gate": START}), LIMITS)
    assert kinds(state) == ["camera_silent"]


def test_while_the_box_was_off_no_camera_was_silent() -> None:
    after = plan_coverage(first(delivered={"gate": START}), look(300), LIMITS)
    assert kinds(after) == ["box_off"]
    assert after.cameras["gate"] == Camera(START + timedelta(minutes=300))


def test_silence_may_be_switched_off() -> None:
    after = plan_coverage(first(delivered={"gate": START}), look(14), Limits.of(0, 300.0))
    assert kinds(after) == []


def test_what_is_not_in_the_log_yet_stays_in_order() -> None:
    state = plan_coverage(None, look(0), LIMITS)
    state = plan_coverage(state, look(60), LIMITS)
    assert kinds(state) == ["start", "box_off"]


MOMENTS = st.integers(0, 10**7).map(lambda seconds: START + timedelta(seconds=seconds))
LOOKS = st.builds(
    Look,
    boot_id=st.sampled_from(["b1", "b2"]),
    wall=MOMENTS,
    monotonic_s=st.integers(0, 10**7).map(float),
    version=st.sampled_from(["1", "2"]),
    manifest_sha256=st.sampled_from([None, HASH]),
    delivered=st.dictionaries(st.sampled_from(["", "gate", "yard"]), MOMENTS),
)


@given(st.lists(LOOKS, max_size=8))
def test_whatever_is_seen_the_state_survives_the_disk(looks: list[Look]) -> None:
    state: Coverage | None = None
    for each in looks:
        state = plan_coverage(state, each, LIMITS)
        document = json.loads(json.dumps(coverage_to_json(state, state.pending)))
        assert coverage_of(document) == state
        for camera in state.cameras.values():
            assert camera.seen <= each.wall


def test_cameras_are_the_first_folders() -> None:
    folder = Path("/data/input")
    assert camera_of(folder / "gate/2026/a.mp4", folder) == "gate"
    assert camera_of(folder / "a.mp4", folder) == ""
    assert camera_of(folder / "caf\udce9/a.mp4", folder) == "caf?"


@pytest.fixture
def environ(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> LogBox:
    """Let the command find this box."""
    monkeypatch.setenv("VV_HOME", str(box.home))
    monkeypatch.setenv("VV_BOX_NAME", "vv-01")
    return box


def run(box: LogBox, *events: Event, text: str | None = None) -> int:
    batch = box.home / "events.jsonl"
    lines = [f"{json.dumps(event_to_json(event))}\n" for event in events]
    batch.write_text("".join(lines) if text is None else text, "utf-8")
    return log_events.main(["--batch", str(batch)])


SILENT = Event(EventKind.CAMERA_SILENT, {"camera": "gate", "since": "2026-11-21T12:00:00Z"}, START)


def test_events_are_appended_once(environ: LogBox) -> None:
    start = Event(EventKind.START, {"version": "1", "manifest_sha256": None}, START)
    assert run(environ, start, SILENT) == ExitCode.OK
    assert run(environ, start, SILENT) == ExitCode.OK
    assert environ.kinds() == ["start", "camera_silent"]
    assert event_of(event_to_json(SILENT)) == SILENT


BAD_LISTS = {
    "no JSON": "x",
    "unknown kind": '{"kind":"x","details":{},"when":null}',
    "more keys": '{"kind":"start","details":{},"when":null,"x":1}',
    "no details": '{"kind":"start","details":[],"when":null}',
    "local time": '{"kind":"start","details":{},"when":"2026-11-21T12:00:00"}',
    "a list": "[]",
    "details of another kind": '{"kind":"start","details":{"below":3},"when":null}',
}


@pytest.mark.parametrize("text", BAD_LISTS.values(), ids=BAD_LISTS)
def test_bad_lists_are_refused(
    environ: LogBox, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, text=text) == ExitCode.DATAERR
    assert "→" in capsys.readouterr().err
    assert environ.recover() == 0
