"""What the monitor decides: by examples, and for anything that may happen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.boxes import CRASHED, LIMITS, PROJECT, UNHEALTHY, container
from vv_core.monitor.containers import Container
from vv_core.monitor.decision import (
    Condition,
    Limits,
    MonitorState,
    Plan,
    Record,
    condition_of,
    mark_told,
    plan_engine_failure,
    plan_look,
    untold,
)

NOW = 1_800_000_000.0


def look(seen: Container, state: MonitorState, now_s: float = NOW, limits: Limits = LIMITS) -> Plan:
    return plan_look([seen], state, limits, now_s, project=PROJECT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Condition.WELL),
        ({"health": "none"}, Condition.WELL),
        ({"health": "starting"}, Condition.STARTING),
        (UNHEALTHY, Condition.UNHEALTHY),
        ({"restart_count": 1}, Condition.LOOPING),
        ({"restart_count": 1, **UNHEALTHY}, Condition.UNHEALTHY),
        ({"state": "restarting", "exit_code": 1}, Condition.LOOPING),
        (CRASHED, Condition.FAILED),
        ({**CRASHED, "exit_code": 137}, Condition.FAILED),
        ({**CRASHED, "exit_code": 0}, Condition.LEFT_ALONE),
        ({**CRASHED, "exit_code": 130}, Condition.LEFT_ALONE),
        ({**CRASHED, "exit_code": 143}, Condition.LEFT_ALONE),
        ({"state": "created"}, Condition.LEFT_ALONE),
        ({"state": "created", "exit_code": 128}, Condition.FAILED),
        ({"state": "dead", "exit_code": 0}, Condition.FAILED),
        ({"state": "paused"}, Condition.LEFT_ALONE),
        ({"state": "removing", "exit_code": 1}, Condition.LEFT_ALONE),
        ({"state": "something new"}, Condition.LEFT_ALONE),
    ],
)
def test_how_a_container_is(changes: dict[str, object], expected: Condition) -> None:
    assert condition_of(container(**changes), Record("x")) is expected


def test_an_unhealthy_container_is_restarted_at_the_threshold_and_not_before() -> None:
    state = MonitorState()
    due = []
    for _ in range(3):
        plan = look(container(**UNHEALTHY), state)
        due.append(bool(plan.restarts))
        state = plan.state
    assert due == [False, False, True]


def test_one_good_look_in_between_begins_the_count_anew() -> None:
    state = MonitorState()
    for changes in (UNHEALTHY, UNHEALTHY, {}, UNHEALTHY, UNHEALTHY):
        plan = look(container(**changes), state)
        assert plan.restarts == ()
        state = plan.state


def test_a_start_neither_counts_nor_clears() -> None:
    state = MonitorState()
    for changes in (UNHEALTHY, UNHEALTHY, {"health": "starting"}):
        state = look(container(**changes), state).state
    assert look(container(**UNHEALTHY), state).restarts


def test_a_crash_that_the_policy_did_not_heal_is_restarted_at_the_first_look() -> None:
    assert look(container(**CRASHED), MonitorState()).restarts == ("vv-box-api-1",)


def test_one_crash_that_the_policy_healed_is_none_of_our_business() -> None:
    state = look(container(), MonitorState()).state
    plan = look(container(restart_count=1), state)
    assert plan.restarts == ()
    plan = look(container(restart_count=1), plan.state)
    assert plan.sightings[0].condition is Condition.WELL
    assert untold(plan.state) == ()


def test_pauses_grow_then_a_person_is_told_once_and_nothing_is_restarted_any_more() -> None:
    state, now, times, alerts = MonitorState(), NOW, [], 0
    for _ in range(500):
        plan = look(container(**CRASHED), state, now)
        if plan.restarts:
            times.append(now - NOW)
        due = untold(plan.state)
        alerts += len(due)
        state = mark_told(plan.state, due)
        now += 1
    assert times == [0, 10, 30, 70, 130], "10, 20, 40, and no longer than 60 s"
    assert alerts == 1
    assert state.records["vv-box-api-1"].attempts == LIMITS.max_attempts


def test_zero_attempts_only_alerts() -> None:
    plan = look(container(**CRASHED), MonitorState(), limits=replace(LIMITS, max_attempts=0))
    assert plan.restarts == ()
    assert untold(plan.state) == ("vv-box-api-1",)


def test_what_the_engine_restarts_again_and_again_is_told_not_restarted() -> None:
    state = MonitorState()
    for count in range(4):
        plan = look(container(state="restarting", restart_count=count), state)
        assert plan.restarts == ()
        state = plan.state
    assert untold(state) == ("vv-box-api-1",)


def test_attempts_are_forgotten_after_good_times_and_not_before() -> None:
    tried = Record("id-of-vv-box-api-1", attempts=4, problem="failed", is_told=True)
    state = MonitorState({"vv-box-api-1": tried})
    state = look(container(), state).state
    state = look(container(), state, NOW + LIMITS.calm_s - 1).state
    assert state.records["vv-box-api-1"].attempts == 4
    record = look(container(), state, NOW + LIMITS.calm_s).state.records["vv-box-api-1"]
    assert (record.attempts, record.has_given_up, record.is_told) == (0, False, False)


def test_a_container_made_anew_starts_with_a_clean_sheet() -> None:
    given_up = Record("old", attempts=5, problem="failed", is_told=True)
    plan = look(container(**CRASHED), MonitorState({"vv-box-api-1": given_up}))
    assert plan.restarts == ("vv-box-api-1",)
    assert plan.state.records["vv-box-api-1"].attempts == 1


def test_stopped_by_a_person_it_is_left_alone_and_forgotten() -> None:
    tried = Record("id-of-vv-box-api-1", attempts=4, bad_looks=2)
    stopped = container(state="exited", exit_code=143)
    plan = look(stopped, MonitorState({"vv-box-api-1": tried}))
    assert plan.restarts == ()
    assert plan.state.records["vv-box-api-1"].attempts == 0


@pytest.mark.parametrize(
    "changes", [{"is_one_off": True}, {"project": "somebody-elses"}, {"project": ""}]
)
def test_one_offs_and_foreign_containers_are_not_even_looked_at(changes: dict[str, object]) -> None:
    plan = look(container(**CRASHED, **changes), MonitorState())
    assert plan.sightings == ()
    assert plan.state.records == {}


def test_the_monitor_does_not_restart_itself() -> None:
    seen = container(**CRASHED, id="0123456789abcdef")
    plan = plan_look([seen], MonitorState(), LIMITS, NOW, project=PROJECT, own_id="0123456789ab")
    assert plan.restarts == ()


def test_a_clock_that_was_put_back_holds_nothing_up() -> None:
    tried = Record("id-of-vv-box-api-1", attempts=1, next_attempt_at=NOW + 10)
    state = MonitorState({"vv-box-api-1": tried})
    assert look(container(**CRASHED), state, NOW).restarts == ()
    assert look(container(**CRASHED), state, NOW - 86400).restarts


def test_what_is_gone_is_forgotten() -> None:
    state = look(container(**CRASHED), MonitorState()).state
    assert plan_look([], state, LIMITS, NOW, project=PROJECT).state.records == {}


def test_a_silent_engine_is_told_once_until_it_has_answered() -> None:
    state, due = MonitorState(), []
    for _ in range(6):
        state, is_due = plan_engine_failure(state, LIMITS, NOW)
        due.append(is_due)
    assert due == [False, False, True, False, False, False]
    assert plan_look([], state, LIMITS, NOW, project=PROJECT).state == MonitorState()


# --- whatever happens -------------------------------------------------------------------------------------------------

STATES = st.sampled_from(
    ["created", "running", "paused", "restarting", "removing", "exited", "dead", "new"]
)
SEEN = st.builds(
    container,
    name=st.sampled_from(["vv-box-api-1", "vv-box-api-2"]),
    id=st.sampled_from(["a", "b"]),
    project=st.sampled_from([PROJECT, PROJECT, PROJECT, "other"]),
    is_one_off=st.sampled_from([False, False, False, True]),
    state=STATES,
    health=st.sampled_from(["healthy", "unhealthy", "unhealthy", "starting", "none"]),
    exit_code=st.sampled_from([0, 1, 137, 143]),
    restart_count=st.integers(0, 3),
)
LOOKS = st.lists(
    st.tuples(st.lists(SEEN, max_size=3, unique_by=lambda seen: seen.name), st.floats(-30, 90)),
    max_size=40,
)
ANY_LIMITS = st.builds(
    Limits,
    threshold=st.integers(1, 4),
    max_attempts=st.integers(0, 4),
    pause_s=st.floats(1, 20),
    pause_max_s=st.floats(1, 100),
    calm_s=st.floats(1, 200),
)


@settings(max_examples=150)
@given(LOOKS, ANY_LIMITS)
def test_whatever_happens_it_never_overdoes_it(
    looks: list[tuple[list[Container], float]], limits: Limits
) -> None:
    state, now = MonitorState(), NOW
    for containers, step in looks:
        now += step
        plan = plan_look(containers, state, limits, now, project=PROJECT)
        assert plan == plan_look(containers, state, limits, now, project=PROJECT), "no hidden state"
        for sighting in plan.sightings:
            seen = sighting.container
            record, before = plan.state.records[seen.name], state.records.get(seen.name)
            assert (seen.project, seen.is_one_off) == (PROJECT, False)
            assert record.container_id == seen.id
            assert record.attempts <= limits.max_attempts
            assert 0 <= sighting.wait_s <= limits.pause_max_s
            if sighting.is_due:
                assert sighting.condition in {Condition.UNHEALTHY, Condition.FAILED}
                assert not record.has_given_up
                known = before if before and before.container_id == seen.id else Record(seen.id)
                assert record.attempts == known.attempts + 1, "every restart is counted"
        assert len(set(plan.restarts)) == len(plan.restarts)
        state = plan.state


@settings(max_examples=40)
@given(ANY_LIMITS, st.floats(0.5, 40), st.sampled_from([UNHEALTHY, CRASHED]))
def test_what_stays_ill_is_always_told_in_the_end_and_once(
    limits: Limits, step: float, illness: dict[str, object]
) -> None:
    state, now, restarts, told = MonitorState(), NOW, 0, 0
    for _ in range(700):
        plan = look(container(**illness), state, now, limits)
        restarts += len(plan.restarts)
        due = untold(plan.state)
        told += len(due)
        state, now = mark_told(plan.state, due), now + step
    assert (restarts, told) == (limits.max_attempts, 1)
