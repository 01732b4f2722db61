"""A look with its files: what survives a restart of the monitor, and what every fault leads to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.monitor.boxes import (
    CRASHED,
    LIMITS,
    PROJECT,
    UNHEALTHY,
    MovedClock,
    TableEngine,
    container,
    make_monitor,
)
from vv_core.alerts import read_alerts
from vv_core.errors import TemporaryError, VvError
from vv_core.monitor.containers import Container
from vv_core.monitor.decision import MonitorState, Record
from vv_core.monitor.engine import EngineProblem, Outcome
from vv_core.monitor.look import Look, Monitor, look
from vv_core.monitor.state_file import load_state, save_state
from vv_core.pipeline.lock import AlreadyRunning, CycleLock

NAME = "vv-box-api-1"


@pytest.fixture
def engine() -> TableEngine:
    return TableEngine([container(**CRASHED)])


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


def alerts(folder: Path) -> list[dict[str, object]]:
    return read_alerts(folder / "alerts.jsonl")


def run_until_given_up(
    folder: Path, engine: TableEngine, clock: MovedClock, **more: object
) -> None:
    """Look with a new monitor each time, as cron does."""
    for _ in range(30):
        look(make_monitor(folder, engine, clock, **more))  # type: ignore[arg-type]
        clock.now_s += 60


def test_counters_survive_and_the_alert_comes_exactly_once(
    tmp_path: Path, engine: TableEngine, clock: MovedClock
) -> None:
    run_until_given_up(tmp_path, engine, clock)
    assert engine.restarts == [NAME] * LIMITS.max_attempts
    (alert,) = alerts(tmp_path)
    assert (alert["severity"], alert["code"], alert["subject"]) == (
        "CRITICAL", "container_not_healed", NAME,
    )  # fmt: skip
    assert NAME in str(alert["advice"])


def test_two_episodes_are_two_alerts_however_short_the_time_between(
    tmp_path: Path, engine: TableEngine, clock: MovedClock
) -> None:
    run_until_given_up(tmp_path, engine, clock)
    engine.listed = [container(id="made-anew", **CRASHED)]
    run_until_given_up(tmp_path, engine, clock)
    assert len(alerts(tmp_path)) == 2


def test_killed_between_telling_and_noting_it_does_not_tell_twice(
    tmp_path: Path, engine: TableEngine, clock: MovedClock
) -> None:
    engine_id = engine.listed[0].id
    given_up = Record(engine_id, attempts=5, problem="failed", gave_up_at=clock.now_s)
    for _ in range(2):
        save_state(tmp_path / "state.json", MonitorState({NAME: given_up}))
        look(make_monitor(tmp_path, engine, clock))
    assert len(alerts(tmp_path)) == 1


def test_the_attempt_is_on_disk_before_it_is_made(
    tmp_path: Path, clock: MovedClock, engine: TableEngine
) -> None:
    class Killed(BaseException):
        pass

    class KillingEngine(TableEngine):
        def restart(self, name: str) -> None:
            raise Killed

    for _ in range(20):
        with pytest.raises(Killed):
            look(make_monitor(tmp_path, KillingEngine(list(engine.listed)), clock))
        attempts = load_state(tmp_path / "state.json").records[NAME].attempts
        clock.now_s += 100
        if attempts == LIMITS.max_attempts:
            break
    look(make_monitor(tmp_path, KillingEngine(list(engine.listed)), clock))
    assert len(alerts(tmp_path)) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.VANISHED,
        Outcome.REFUSED,
        Outcome.ENGINE_ERROR,
        Outcome.TIMED_OUT,
        Outcome.ENGINE_DOWN,
    ],
)
def test_a_restart_that_fails_has_a_name_and_stops_nobody_else(
    tmp_path: Path, clock: MovedClock, outcome: Outcome
) -> None:
    both = [container("vv-box-a-1", **CRASHED), container("vv-box-b-1", **CRASHED)]
    engine = TableEngine(both, restart_fault=outcome)
    seen = look(make_monitor(tmp_path, engine, clock))
    assert seen.outcomes == {"vv-box-a-1": outcome, "vv-box-b-1": outcome}
    assert load_state(tmp_path / "state.json").records["vv-box-a-1"].attempts == 1


def test_an_engine_that_is_away_is_told_once_and_counts_nothing_against_containers(
    tmp_path: Path, engine: TableEngine, clock: MovedClock
) -> None:
    look(make_monitor(tmp_path, engine, clock))
    before = load_state(tmp_path / "state.json").records
    engine.list_fault = Outcome.ENGINE_DOWN
    for _ in range(5):
        with pytest.raises(EngineProblem):
            look(make_monitor(tmp_path, engine, clock))
    assert load_state(tmp_path / "state.json").records == before
    assert [alert["code"] for alert in alerts(tmp_path)] == ["engine_unreachable"]
    engine.list_fault, engine.listed = None, [container()]
    look(make_monitor(tmp_path, engine, clock))
    assert load_state(tmp_path / "state.json").engine_failures == 0


def test_a_dry_run_touches_nothing(tmp_path: Path, engine: TableEngine, clock: MovedClock) -> None:
    seen = look(make_monitor(tmp_path, engine, clock, is_dry_run=True))
    assert seen.plan.restarts == (NAME,)
    engine.list_fault = Outcome.ENGINE_DOWN
    with pytest.raises(EngineProblem):
        look(make_monitor(tmp_path, engine, clock, is_dry_run=True))
    assert engine.restarts == []
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_could_count_nothing_is_restarted(
    tmp_path: Path, engine: TableEngine, clock: MovedClock
) -> None:
    folder = tmp_path / "monitor"
    folder.mkdir()
    # A state that can neither be read nor replaced.
    (folder / "state.json").mkdir()
    with pytest.raises(VvError) as caught:
        look(make_monitor(folder, engine, clock))
    assert caught.value.advice
    # A file system that takes no file, whoever asks.
    with pytest.raises(OSError, match=r"monitor\.lock"):
        look(make_monitor(Path("/proc/self"), engine, clock))
    assert engine.restarts == []


def test_nothing_new_is_not_written_again(tmp_path: Path, clock: MovedClock) -> None:
    engine = TableEngine([container()])
    look(make_monitor(tmp_path, engine, clock))
    first = (tmp_path / "state.json").stat().st_ino
    clock.now_s += 30
    look(make_monitor(tmp_path, engine, clock))
    assert (tmp_path / "state.json").stat().st_ino == first


def test_a_monitor_whose_engine_hangs_does_not_keep_another_from_looking(
    tmp_path: Path, engine: TableEngine, clock: MovedClock
) -> None:
    class HangingEngine(TableEngine):
        def list_containers(self, project: str) -> list[Container]:
            seen.append(look(make_monitor(tmp_path, engine, clock)))
            return super().list_containers(project)

    seen: list[Look] = []
    late = look(make_monitor(tmp_path, HangingEngine(list(engine.listed)), clock))
    assert seen[0].outcomes == {NAME: Outcome.RESTARTED}
    assert late.outcomes == {}, "it knows what the other did meanwhile"


def test_two_do_not_decide_at_once(tmp_path: Path, engine: TableEngine, clock: MovedClock) -> None:
    with CycleLock(tmp_path / "monitor.lock"), pytest.raises(AlreadyRunning):
        look(make_monitor(tmp_path, engine, clock))
    assert engine.restarts == []


# --- the state's file -------------------------------------------------------------------------------------------------

GOOD = {
    "version": 1,
    "engine_failures": 0,
    "engine_failed_at": 0.0,
    "is_engine_told": False,
    "containers": {},
}
RECORD = {**Record("x").__dict__}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps({**GOOD, "engine_failures": "many"}).encode(),
        json.dumps({**GOOD, "engine_failed_at": None}).encode(),
        json.dumps({**GOOD, "containers": []}).encode(),
        json.dumps({**GOOD, "containers": {"a": {"attempts": 1}}}).encode(),
        json.dumps({**GOOD, "containers": {"a": {**RECORD, "attempts": "1"}}}).encode(),
        json.dumps({**GOOD, "containers": {"a": {**RECORD, "attempts": True}}}).encode(),
    ],
)
def test_a_state_that_is_none_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    assert load_state(tmp_path / "state.json") == MonitorState()


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    records = {"a": Record("1", 2, 3, 4.5, 6.0, 7, "failed", 8.0, True), "b": Record("2")}
    state = MonitorState(records, 2, 5.0, True)
    save_state(tmp_path / "state.json", state)
    assert load_state(tmp_path / "state.json") == state


def test_a_state_that_cannot_be_read_now_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(TemporaryError):
        load_state(tmp_path / "state.json")


def test_both_languages(tmp_path: Path, engine: TableEngine, clock: MovedClock) -> None:
    for language, word in (("pt-BR", "não se recupera"), ("en", "does not recover")):
        folder = tmp_path / language
        folder.mkdir()
        run_until_given_up(folder, engine, clock, language=language)
        assert word in str(alerts(folder)[0]["message"])


def test_the_folder_is_all_that_a_look_writes(tmp_path: Path, clock: MovedClock) -> None:
    monitor: Monitor = make_monitor(tmp_path, TableEngine([container(**UNHEALTHY)]), clock)
    assert monitor.project == PROJECT
    for _ in range(4):
        look(monitor)
    assert {path.name for path in tmp_path.iterdir()} == {"state.json", "monitor.lock"}
